"""A transcription server on the loopback that really receives uploads, and fails as it is told."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import soundfile


@dataclass
class Upload:
    """A request for a transcription.

    Attributes:
        fields: The plain fields of the form.
        file: Name, type and content of the file.
        headers: The headers of the request, in lower case.
        attempt: The how manieth request for this audio it is, from 1.
        came: When it came, in seconds of the monotonic clock.
    """

    fields: dict[str, str]
    file: tuple[str, str, bytes]
    headers: dict[str, str]
    attempt: int
    came: float

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return soundfile.info(io.BytesIO(self.file[2])).duration


@dataclass
class Reply:
    """What is answered; `drop` ends the connection without a word."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


def heard(upload: Upload) -> Reply:
    """Answer the length and rate of the audio."""
    rate = soundfile.info(io.BytesIO(upload.file[2])).samplerate
    return Reply(body={"text": f"{upload.seconds:g} s at {rate}"})


class TranscriptionServer:
    """The server.

    Attributes:
        reply: Decides what is answered.
        models: What is listed; None for a server without a list.
        uploads: All requests so far.
        most_at_once: The most requests that were under way together.
    """

    def __init__(self) -> None:
        self.reply: Callable[[Upload], Reply] = heard
        self.models: list[str] | None = ["whisper-small"]
        self.models_status = 200
        self.uploads: list[Upload] = []
        self.most_at_once = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def took(self, form: dict[str, Any], file: tuple[str, str, bytes], headers: Any) -> Reply:
        """Note a request and decide on the answer."""
        named = {key.lower(): value for key, value in headers.items()}
        with self._lock:
            attempt = 1 + sum(other.file[2] == file[2] for other in self.uploads)
            upload = Upload(form, file, named, attempt, time.monotonic())
            self.uploads.append(upload)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return self.reply(upload)
        finally:
            with self._lock:
                self._under_way -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                if not self.path.endswith("/models") or server.models is None:
                    self.send(Reply(404, {"error": {"message": "not found"}}))
                    return
                listed = [{"id": name, "object": "model"} for name in server.models]
                self.send(Reply(server.models_status, {"object": "list", "data": listed}))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                form, file = {}, ("", "", b"")
                for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
                    name = part.get_param("name", header="content-disposition")
                    content = part.get_payload(decode=True)
                    if part.get_filename():
                        file = (part.get_filename(), part.get_content_type(), content)
                    else:
                        form[name] = content.decode()
                assert self.path == "/v1/audio/transcriptions"
                self.send(server.took(form, file, self.headers))

            def send(self, reply: Reply) -> None:
                if reply.drop:
                    self.close_connection = True
                    return
                raw = isinstance(reply.body, bytes)
                body = reply.body if raw else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                kind = (
                    {} if "Content-Type" in reply.headers else {"Content-Type": "application/json"}
                )
                for key, value in {**kind, **reply.headers}.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        return Handler
