"""A real JupyterHub for as long as a `with` block: users, their servers, and cells that run there.

It needs two programs in the folder that REPLAB_HUB names: `jupyterhub`, beside a `replab` of the same environment, and
`configurable-http-proxy`, which may also lie on the PATH.

Law of this module: it listens on 127.0.0.1 only, and what it starts ends with the block.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import requests
import websocket

from labs.cluster import ports

START_TIMEOUT = 120.0
"""Seconds until the hub, or a user's server, is there."""
PROXY = "configurable-http-proxy"
CONFIGURATION = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = [{command!r}]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.cmd = ["replab", "singleuser"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {timeout}
c.JupyterHub.services = [{{"name": "teacher", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "teacher", "services": ["teacher"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}
]
"""


class HubError(Exception):
    """The hub, or a server, did not do what it should; the message says which, with its last lines."""


def programs() -> Path | None:
    """The folder with `jupyterhub` and `replab`; None where there is none."""
    folder = Path(os.environ.get("REPLAB_HUB") or Path(sys.executable).parent)
    return folder if shutil.which("jupyterhub", path=str(folder)) and _proxy(folder) else None


def _proxy(folder: Path) -> str | None:
    return shutil.which(PROXY, path=os.pathsep.join([str(folder), os.environ.get("PATH", "")]))


class Hub:
    """`folder`: for the hub's files and the users' homes."""

    def __init__(self, folder: Path) -> None:
        where = programs()
        if where is None:
            raise HubError(f"no jupyterhub, or no {PROXY}: see tools/hub.py")
        self.folder = folder
        self.homes = folder / "homes"
        self.homes.mkdir(parents=True)
        self._token = secrets.token_hex(16)
        public, hub, proxy = ports.choose(3)
        self.url = f"http://127.0.0.1:{public}"
        values = {"public": public, "hub": hub, "proxy": proxy, "command": _proxy(where), "homes": str(self.homes)}
        text = CONFIGURATION.format(**values, token=self._token, timeout=int(START_TIMEOUT))
        (folder / "jupyterhub_config.py").write_text(text, encoding="utf-8")
        self._log = folder / "hub.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
        environment |= {"PATH": f"{where}{os.pathsep}{environment['PATH']}", "JUPYTER_PREFER_ENV_PATH": "1"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [where / "jupyterhub"], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def __enter__(self) -> Hub:
        try:
            self._wait("the hub", lambda: self._ask("GET", "").ok)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """The hub ends its proxy and all servers; what is left after that is killed."""
        family = descendants(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for process in alive(family):
            process.kill()

    # -- users' servers --------------------------------------------------------------------------------------

    def begin(self, user: str) -> None:
        """Ask for the user's server. It is there when `ready` says so."""
        if self._ask("GET", f"users/{user}").status_code == requests.codes.not_found:
            self._good(self._ask("POST", f"users/{user}"))
        self._good(self._ask("POST", f"users/{user}/server"))

    def ready(self, user: str) -> bool:
        server = self._server(user)
        if server is None:
            raise HubError(f"the hub has given up {user}'s server:\n{self._last_lines()}")
        return bool(server["ready"])

    def start(self, *users: str) -> dict[str, float]:
        """Their servers, all at once; the seconds that each took to be ready."""
        began, took = time.monotonic(), dict[str, float]()
        for user in users:
            self.begin(user)

        def all_ready() -> bool:
            for user in users:
                if user not in took and self.ready(user):
                    took[user] = time.monotonic() - began
            return len(took) == len(users)

        self._wait(f"the servers of {', '.join(users)}", all_ready)
        return took

    def stop(self, user: str) -> None:
        """As the user's button does it."""
        self._good(self._ask("DELETE", f"users/{user}/server"))
        self._wait(f"the end of {user}'s server", lambda: self._server(user) is None)

    def process(self, user: str) -> psutil.Process:
        """The user's server."""
        server = self._server(user)
        assert server is not None
        return psutil.Process(int(server["state"]["pid"]))

    def get(self, user: str, path: str) -> requests.Response:
        """From the user's server, such as `api/contents/exercises`."""
        return self._good(requests.get(f"{self.url}/user/{user}/{path}", headers=self._headers, timeout=30))

    def run(self, user: str, code: str) -> str:
        """What this cell prints, in a new kernel, which stays. Raises `HubError` with what it raised."""
        address = f"{self.url}/user/{user}/api/kernels"
        asked = requests.post(address, headers=self._headers, json={"name": "python3"}, timeout=60)
        kernel = self._good(asked).json()["id"]
        socket = websocket.create_connection(
            f"ws{address.removeprefix('http')}/{kernel}/channels", header=self._headers, timeout=START_TIMEOUT
        )
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "session": number, "username": "", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        printed = ""
        try:
            socket.send(json.dumps(message))
            while True:
                answer: dict[str, Any] = json.loads(socket.recv())
                if answer["parent_header"].get("msg_id") != number:
                    continue
                kind = answer["header"]["msg_type"]
                if kind == "stream":
                    printed += answer["content"]["text"]
                elif kind == "error":
                    raise HubError("\n".join(answer["content"]["traceback"]))
                elif kind == "status" and answer["content"]["execution_state"] == "idle":
                    return printed
        finally:
            socket.close()

    # -- the hub ---------------------------------------------------------------------------------------------

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self._token}"}

    def _ask(self, method: str, path: str) -> requests.Response:
        return requests.request(method, f"{self.url}/hub/api/{path}", headers=self._headers, timeout=30)

    def _server(self, user: str) -> dict[str, Any] | None:
        servers: dict[str, dict[str, Any]] = self._good(self._ask("GET", f"users/{user}")).json()["servers"]
        return servers.get("")

    def _good(self, answer: requests.Response) -> requests.Response:
        if not answer.ok:
            raise HubError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}")
        return answer

    def _wait(self, what: str, there: Any) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise HubError(f"the hub ended with code {self._process.returncode}:\n{self._last_lines()}")
            try:
                if there():
                    return
            except requests.ConnectionError:  # it is not listening yet
                pass
            time.sleep(0.1)
        raise HubError(f"{what}: not after {START_TIMEOUT:g} s\n{self._last_lines()}")

    def _last_lines(self) -> str:
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])


def descendants(process: int) -> list[psutil.Process]:
    """The process and all that it has started, and those have."""
    try:
        first = psutil.Process(process)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run. (Nobody waits for an orphan in a container without an init: a zombie is none.)"""
    left = []
    for process in family:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
        except psutil.NoSuchProcess:
            continue
    return left


def kill(process: psutil.Process) -> None:
    """At once, as the kernel does where memory runs out."""
    process.send_signal(signal.SIGKILL)
