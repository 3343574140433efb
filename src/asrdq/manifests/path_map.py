"""Prefixes of paths and what stands for them on another machine: laptop to container."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asrdq.errors import UsageError
from asrdq.places import is_remote

_UNFIT = re.compile(r"[\x00-\x1f\ud800-\udfff]")
_HINT = "write --map /laptop/data=/container/data, with whole paths or addresses on both sides"


@dataclass(frozen=True, slots=True)
class PathMap:
    """Prefixes of paths to what takes their place.

    Attributes:
        prefixes: Each without a slash at its end; `/` itself is empty.
    """

    prefixes: dict[str, str]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> PathMap:
        """Read pairs `/laptop/data=/container/data`.

        Raises:
            UsageError: One is no such pair, or a prefix stands in two.
        """
        prefixes: dict[str, str] = {}
        for text in texts:
            prefix, target = _pair(text)
            if prefix in prefixes:
                raise UsageError(f"the prefix {prefix or '/'} is mapped twice", hint=_HINT)
            prefixes[prefix] = target
        return cls(prefixes)

    def find(self, path: str) -> str | None:
        """Return the longest prefix that a path has, None where it has none of them.

        A prefix ends where a component of the path ends: `/data` is no prefix of `/database/x`.
        """
        return next((part for part in _upwards(path) if part in self.prefixes), None)

    def place(self, path: str) -> str:
        """Return a path with its longest prefix replaced; as it is where it has none.

        >>> PathMap.parse(["/a=/x", "/a/b=/y"]).place("/a/b/c.wav")
        '/y/c.wav'
        """
        prefix = self.find(path)
        if prefix is None:
            return path
        return (self.prefixes[prefix] + path[len(prefix) :]) or "/"


def _upwards(path: str) -> Iterator[str]:
    """Give a path and the folders above it; that above all is empty."""
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _pair(text: str) -> tuple[str, str]:
    if _UNFIT.search(text):
        raise UsageError(f"--map {text!r} has characters that no path in a manifest may have")
    signs = [sign.start() for sign in re.finditer("=", text)]
    pairs = [(text[:sign], text[sign + 1 :]) for sign in signs]
    whole = [pair for pair in pairs if all(map(_is_whole, pair))]
    if len(whole) != 1:
        problem = "can be read in several ways" if whole else "is not PREFIX=PREFIX"
        raise UsageError(f"--map '{text}' {problem}", hint=_HINT)
    prefix, target = whole[0]
    return _tidy(prefix), _tidy(target)


def _is_whole(path: str) -> bool:
    return path.startswith("/") or re.match(r"[a-z][a-z0-9+.-]*://[^/]", path) is not None


def _tidy(path: str) -> str:
    return (path if is_remote(path) else posixpath.normpath(path)).rstrip("/")
