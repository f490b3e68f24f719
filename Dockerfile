# One node of the store. It is standard library only, so there is nothing to install: the image is its base and the
# source of `replstore`. Where no registry is reachable: docker build --build-arg PYTHON_IMAGE=$(container/base-image) .
ARG PYTHON_IMAGE=python:3.13-alpine
FROM ${PYTHON_IMAGE}

# /data belongs to the node's user here, and a new named volume mounted there inherits that.
RUN install -d -o 10001 -g 10001 /data
COPY container/healthcheck.py /app/
COPY replstore/ /app/replstore/

LABEL replication-lab=image
# The root may be mounted read-only: nothing is ever written beside the source.
ENV HOST=0.0.0.0 PORT=4000 DATA_DIR=/data PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 PYTHONUTF8=1
WORKDIR /app
# A number, not a name, so that no line in /etc/passwd is needed and an orchestrator can see that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
# Rarely: each check costs about as much as ten seconds of an idle node.
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["python3", "-IS", "/app/healthcheck.py"]
CMD ["python3", "-m", "replstore"]
