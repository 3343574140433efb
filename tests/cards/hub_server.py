"""A hub on the loopback: repositories, preupload, large files and commits, as its clients ask."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".bin")


@dataclass
class Hub:
    """What it was asked, and what it has.

    Attributes:
        repos: Name to whether it is private.
        files: Repository to name to content, as the last commit has left it.
        tokens: What requests were authorised with.
        asked: Method and path of each request.
        url: Where it listens.
        refuses: A status with which it answers every commit.
    """

    repos: dict[str, bool] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    large: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    refuses: int | None = None

    def __enter__(self) -> Hub:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def commit(self, repo: str, body: bytes) -> None:
        """Take the lines of a commit; a large file has to be there already."""
        files = self.files.setdefault(repo, {})
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.messages.append(value["summary"])
            elif line["key"] == "file":
                assert value["encoding"] == "base64"
                files[value["path"]] = base64.b64decode(value["content"])
            else:
                assert line["key"] == "lfsFile"
                files[value["path"]] = self.large[value["oid"]]


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _begin(self) -> tuple[str, bytes]:
            path = urlsplit(self.path).path
            hub.asked.append(f"{self.command} {path}")
            if token := self.headers.get("Authorization"):
                hub.tokens.add(token)
            return path, self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, body: Any, status: int = 200) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            path, body = self._begin()
            if path == "/api/repos/create":
                asked = json.loads(body)
                name = f"{asked['organization']}/{asked['name']}"
                hub.repos.setdefault(name, asked["private"])
                self._answer({"url": f"{hub.url}/{name}"})
            elif path == "/api/validate-yaml":
                assert json.loads(body)["content"].startswith("---\n")
                self._answer({"errors": [], "warnings": []})
            elif "/preupload/" in path:
                self._answer({"files": [_mode(each) for each in json.loads(body)["files"]]})
            elif path.endswith("/info/lfs/objects/batch"):
                objects = json.loads(body)["objects"]
                self._answer({"transfer": "basic", "objects": [_upload(hub, o) for o in objects]})
            elif "/commit/" in path:
                if hub.refuses:
                    self._answer({"error": "no"}, hub.refuses)
                    return
                repo = path.removeprefix("/api/models/").partition("/commit/")[0]
                hub.commit(repo, body)
                url = f"{hub.url}/{repo}/commit/{COMMIT}"
                self._answer({"commitUrl": url, "commitOid": COMMIT})
            else:
                self._answer({"error": "not here"}, 404)

        def do_PUT(self) -> None:
            path, body = self._begin()
            assert hashlib.sha256(body).hexdigest() == path.rpartition("/")[2]
            hub.large[path.rpartition("/")[2]] = body
            self._answer({})

        def do_GET(self) -> None:
            self._begin()
            self._answer({"error": "not here"}, 404)

    return Handler


def _mode(file: dict[str, Any]) -> dict[str, Any]:
    mode = "lfs" if file["path"].endswith(LARGE) else "regular"
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}


def _upload(hub: Hub, one: dict[str, Any]) -> dict[str, Any]:
    href = f"{hub.url}/large/{one['oid']}"
    return {"oid": one["oid"], "size": one["size"], "actions": {"upload": {"href": href}}}
