"""What S3 says when it does not do what was asked, in words for people."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from asrdq.errors import ToolError, UsageError
from asrdq.s3_address import S3Address

_AWS = re.compile(r"AWS Error (\w+) during (\w+) operation")
_STATUS = re.compile(r"HTTP (?:status|response code):? (\d+)")
_DENIED = frozenset(
    {
        "ACCESS_DENIED",
        "EXPIRED_TOKEN",
        "INVALID_ACCESS_KEY_ID",
        "INVALID_CLIENT_TOKEN_ID",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "SIGNATURE_DOES_NOT_MATCH",
        "UNRECOGNIZED_CLIENT",
    }
)


class S3Error(ToolError):
    """S3 did not do what was asked.

    Attributes:
        denied: Whether the server answered and refused.
    """

    def __init__(self, message: str, where: str, hint: str | None, *, denied: bool = False) -> None:
        self.denied = denied
        super().__init__(message, where=where, hint=hint)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.message, self.where, self.hint, self.denied)


def _rebuild(message: str, where: str, hint: str | None, denied: bool) -> S3Error:
    return S3Error(message, where, hint, denied=denied)


def endpoint() -> str | None:
    """Return the server that the environment names; None for that of AWS.

    Raises:
        UsageError: It is no URL, or credentials are in it.
    """
    url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise UsageError(
            "is no address of a server",
            where="AWS_ENDPOINT_URL",
            hint="write https://HOST:PORT; credentials have variables of their own",
        )
    return url


@contextmanager
def telling(path: S3Address) -> Iterator[None]:
    """Turn what pyarrow says of S3 into an `S3Error`; a missing object stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(2, "there is no such object", str(path)) from None
    except OSError as error:
        raise _explained(path, str(error)) from None


def _explained(path: S3Address, text: str) -> S3Error:
    found = _AWS.search(text)
    code, operation = (found[1], found[2]) if found else ("", "")
    where = str(path)
    if code == "NETWORK_CONNECTION":
        server = endpoint() or "the server of AWS"
        return S3Error(
            f"S3 cannot be reached at {server}",
            where,
            "is AWS_ENDPOINT_URL right, and the network up?",
        )
    if code == "NO_SUCH_BUCKET":
        return no_bucket(path)
    if code in _DENIED or "403" in text:
        return S3Error(
            f"S3 refuses access ({operation or code})",
            where,
            "which credentials are in use? AWS_PROFILE, AWS_ACCESS_KEY_ID … or a role give them",
            denied=True,
        )
    status = _STATUS.search(text)
    what = f"HTTP status {status[1]}" if status else code or "an answer that is not understood"
    return S3Error(f"S3 failed: {what} ({operation or 'a request'})", where, None)


def no_bucket(path: S3Address) -> S3Error:
    """Return the error for a bucket that is not there."""
    return S3Error(f"there is no bucket '{path.bucket}'", str(path), "make it, or look at its name")
