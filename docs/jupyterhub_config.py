"""The replication lab on a JupyterHub, for a class on one machine. See instructor-guide.md.

The hub is installed in the lab's own virtual environment, so that it finds the lab beside itself. Every student gets a
JupyterLab of their own and a working copy in `~/replication-lab`, made at the first start and never overwritten.
"""

import json
import os
import sys
from pathlib import Path

from labs.cli.open import SETTINGS

c = get_config()  # noqa: F821 - JupyterHub defines it for this file

PROGRAMS = Path(sys.prefix) / "bin"
FOLDER = "replication-lab"

# JupyterLab as `replab open` sets it: no question about news, clicks carried out in their order.
overrides = Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
overrides.parent.mkdir(parents=True, exist_ok=True)
overrides.write_text(json.dumps(SETTINGS), encoding="utf-8")

# First the student's working copy, then their server in its place. (What the hub asks of the server is in "$@".) Inside
# it, `import exercises` means the student's files, not the package's.
START = f"""{PROGRAMS}/replab open --prepare --folder "$HOME" &&
exec env PYTHONPATH="$HOME/{FOLDER}" {PROGRAMS}/jupyterhub-singleuser "$@" """
c.Spawner.cmd = ["sh", "-c", START, "sh"]
c.Spawner.notebook_dir = f"~/{FOLDER}"
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.start_timeout = 120

c.Spawner.environment = {
    # `!replab` in a notebook, and in the terminal, is this one.
    "PATH": os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", os.defpath)]),
}

# A server that nobody uses for an hour is ended, and its nodes with it.
c.Spawner.args = ["--ServerApp.shutdown_no_activity_timeout=3600", "--MappingKernelManager.cull_idle_timeout=3000"]

# Who may log in: by default everybody with an account on this machine. Name the class, or choose another authenticator.
c.Authenticator.allow_all = True
c.Authenticator.admin_users = set()

c.JupyterHub.bind_url = "http://:8000"  # behind a proxy with TLS, or with c.JupyterHub.ssl_key and ssl_cert
