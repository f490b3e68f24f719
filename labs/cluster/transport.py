"""One HTTP exchange with one node, told truthfully: what came back, and if nothing did, whether the node can
have seen the request.

Law of this module: it never repeats a request, follows no redirect, asks no proxy, and raises nothing for a node
that is down: that is an answer too.
"""

from __future__ import annotations

import json
import threading
import weakref

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from labs.cluster.reply import HttpReply
from labs.cluster.spelling import snake_case_fields

JSON_HEADERS = {"Content-Type": "application/json"}


class Transport:
    """Kept-alive connections, one set for each thread: a `requests.Session` is not safe to share."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()

    def exchange(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        timeout: float = 2.0,
        headers: dict[str, str] | None = None,
    ) -> HttpReply:
        """Send one request. `timeout` (seconds) bounds the connecting and each wait for the answer."""
        session = self._session()
        request = session.prepare_request(
            requests.Request(method, url, data=body, headers={**JSON_HEADERS, **(headers or {})})
        )
        # requests would tidy the path up: `/key/%2E%2E` is the key "..", not a step towards the root.
        request.url = url
        try:
            response = session.send(request, timeout=timeout, allow_redirects=False)
            return _understood(response)
        except requests.ConnectTimeout:
            return HttpReply(None, delivered=False, error=f"no connection within {timeout:g} s")
        except requests.Timeout:
            return HttpReply(None, error=f"no answer within {timeout:g} s")
        except requests.ConnectionError as error:
            if _nothing_listened(error):
                return HttpReply(None, delivered=False, error="connection refused")
            return HttpReply(None, error="the connection broke before the answer was complete")
        except requests.RequestException as error:
            return HttpReply(None, error=f"the answer is not HTTP ({type(error).__name__})")

    def close(self) -> None:
        """Close every connection. Using the object afterwards opens new ones."""
        with self._lock:
            for session in list(self._sessions):
                session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # A proxy of the environment must not come between a student and 127.0.0.1.
            session.trust_env = False
            session.mount("http://", HTTPAdapter(pool_connections=64, pool_maxsize=1, max_retries=0))
            with self._lock:
                self._sessions.add(session)
        return session


def _nothing_listened(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _understood(response: requests.Response) -> HttpReply:
    try:
        body = json.loads(response.content)
    except ValueError:
        visible = {"error": response.text[:200]}
        return HttpReply(response.status_code, visible, error="the answer's body is not JSON")
    return HttpReply(response.status_code, snake_case_fields(body) if isinstance(body, dict) else {"value": body})
