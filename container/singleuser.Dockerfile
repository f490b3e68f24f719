# A student's server on a JupyterHub on Kubernetes (or with DockerSpawner): the lab, its notebooks, and what the hub talks to.
#
#   pip wheel -w wheels ".[hub]" pip            # with the Python and the system of the image
#   docker build -f container/singleuser.Dockerfile -t replication-lab-singleuser wheels
#
# The build needs no network. Where no registry is reachable: --build-arg PYTHON_IMAGE=$(container/base-image)
ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE} AS build
COPY . /wheels/
# (A wheel is a zip file that Python can run a package from: the image needs no pip of its own.)
RUN python3 -m venv --without-pip /opt/lab && pip=$(echo /wheels/pip-*.whl)/pip \
    && /opt/lab/bin/python "$pip" install --no-index --find-links /wheels --no-cache-dir 'replication-lab[hub]'

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/lab /opt/lab
RUN useradd --create-home --uid 1000 jovyan
LABEL replication-lab=singleuser
# Processes are what the nodes are here: an engine inside the container would be the whole machine's.
ENV PATH=/opt/lab/bin:$PATH LANG=C.UTF-8 PYTHONUTF8=1 REPLAB_BACKEND=process
# A number, so that Kubernetes can see that it is not root. The hub mounts the student's home here.
USER 1000:1000
WORKDIR /home/jovyan
EXPOSE 8888
CMD ["replab", "singleuser", "--ServerApp.ip=0.0.0.0"]
