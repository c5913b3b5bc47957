#!/usr/bin/env python3
"""A server for hooks with a `url`: one policy for many machines. `python3 policy_server.py [PORT]`, 9321 by default.

It refuses commands that remove whole trees, asks about what reaches into the network, and allows nothing by itself.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REFUSED = re.compile(r"\brm\s+-\w*r\w*f|\brm\s+-\w*f\w*r|\bmkfs\b|\bdd\s+.*\bof=/dev/")
ASKED = re.compile(r"\b(curl|wget|ssh|scp|nc)\b")


def decide(told: dict) -> dict | None:
    """What it says of a call; None: nothing."""
    command = told.get("tool_input", {}).get("command", "")
    if REFUSED.search(command):
        return {"decision": "deny", "reason": "the policy lets no command remove whole trees"}
    if ASKED.search(command):
        return {"decision": "ask", "reason": "it reaches into the network"}
    return None


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = decide(told)
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(200 if body else 204)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9321
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
