"""A real server of the S3 protocol, moto, in a process of its own; its port goes to stdout.

What a server of buckets does and moto does not: one request at a time, so that a conditional put
is atomic; access is denied under `denied/`; under `flaky/` every second answer to a GET is that
the server is busy. `/_watch?pid=7&at=5` kills process 7 when the fifth request from then on comes
in, before it is worked on; the answer is the access keys that the requests before were signed with.
`/_requests` answers how many there were since it was asked last.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

SIGNED_BY = re.compile(r"Credential=([^/]+)/")


class Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


class Server:
    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()
        self.busy: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.victim, self.left = 0, 0
        self.requests = 0

    def answer(self, request: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = request["PATH_INFO"]
        with self.lock:
            if path == "/_watch":
                return self.watch(parse_qs(request["QUERY_STRING"]), start)
            if path == "/_requests":
                told, self.requests = self.requests, 0
                return answer_json(told, start)
            self.requests += 1
            self.keys.update(SIGNED_BY.findall(request.get("HTTP_AUTHORIZATION", "Credential=-/")))
            self.left -= 1
            if self.victim and self.left == 0:
                os.kill(self.victim, signal.SIGKILL)
            if "/denied/" in path:
                return refuse(start, "403 Forbidden", "AccessDenied")
            if "/flaky/" in path and request["REQUEST_METHOD"] == "GET":
                self.busy[path] += 1
                if self.busy[path] % 2:
                    return refuse(start, "503 Slow Down", "SlowDown")
            return list(self.moto(request, start))

    def watch(self, query: dict[str, list[str]], start: Any) -> Iterable[bytes]:
        self.victim, self.left = int(query["pid"][0]), int(query["at"][0])
        keys, self.keys = sorted(self.keys), set()
        return answer_json(keys, start)


def answer_json(told: object, start: Any) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


def refuse(start: Any, status: str, code: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "application/xml")])
    return [f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()]


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, Server().answer, threaded=True, request_handler=Quiet)
    print(server.port, flush=True)
    server.serve_forever()
