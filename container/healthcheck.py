"""Is this container's node well? Exit code 0 when `GET /status` answers 200.

Runs every few seconds for as long as the node lives, so it imports only `socket`: `http.client` and what that pulls in
would take longer than the question.
"""

import os
import socket

with socket.create_connection(("127.0.0.1", int(os.environ.get("PORT", "4000"))), timeout=2) as connection:
    connection.settimeout(2)
    connection.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    status = connection.recv(64).split()[1:2]
if status != [b"200"]:
    raise SystemExit(f"GET /status answered {status}")
