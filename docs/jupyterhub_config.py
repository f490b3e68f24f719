"""The replication lab on a JupyterHub, for a class on one machine. See instructor-guide.md.

Every student gets a JupyterLab of their own and a working copy in `~/replication-lab`, made at the first start and
never overwritten. This file is for a plain hub in the lab's own virtual environment; for The Littlest JupyterHub and
Kubernetes the guide has the lines.
"""

import sys
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub defines it for this file

# The line that a hub needs. The `replab` is the one beside the hub, also where the hub is started at boot.
c.Spawner.cmd = [str(Path(sys.prefix) / "bin" / "replab"), "singleuser"]

# Many servers that start at the same time make each other wait.
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.JupyterHub.concurrent_spawn_limit = 10

# A server that nobody uses for an hour is ended, and its nodes with it.
c.Spawner.args = ["--ServerApp.shutdown_no_activity_timeout=3600", "--MappingKernelManager.cull_idle_timeout=3000"]

# Who may log in: by default everybody with an account on this machine. Name the class, or choose another authenticator.
c.Authenticator.allow_all = True
c.Authenticator.admin_users = set()

c.JupyterHub.bind_url = "http://:8000"  # behind a proxy with TLS, or with c.JupyterHub.ssl_key and ssl_cert
