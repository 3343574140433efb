"""Is a hand-off bundle what was handed off? This file alone answers, with nothing but Python.

It is a module of asrdq (`asrdq handoff verify`) and lies in every bundle as `verify.py`, so that
both give the same answer. It imports the standard library alone and runs on Python 3.10 and later.

    python verify.py [BUNDLE] [--no-audio] [--id HASH] [--json]

Exit codes: 0 everything is as handed off, 1 something is not, 2 wrong usage, 3 nothing to verify.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

PROVENANCE = "provenance.json"
SEAL = PROVENANCE + ".sha256"
AUDIO = "audio.jsonl"
SCHEMA_VERSION = 1

_BLOCK_BYTES = 1 << 20
_THREADS = 16
_AT_ONCE = 2048
_SHOWN = 50
_LINE_EVERY_S = 10.0

Advance = Callable[[int], None] | None


class Finding(NamedTuple):
    """One thing that is not as it was handed off.

    Attributes:
        kind: `seal`, `changed`, `missing`, `added`, `audio_missing`, `audio_changed`.
        subject: The file of the bundle, or the audio file.
        message: What is wrong with it.
    """

    kind: str
    subject: str
    message: str


class Verification(NamedTuple):
    """What was compared.

    Attributes:
        bundle_id: SHA-256 of `provenance.json`; None where there is none.
        files: Files of the bundle that were compared.
        clips: Audio files that were looked for.
        hashed: Those of them whose bytes were compared.
        findings: Everything that is not as it was handed off.
    """

    bundle_id: str | None
    files: int
    clips: int
    hashed: int
    findings: list[Finding]

    def exit_code(self) -> int:
        """Return 0 where everything is as handed off, else 1."""
        return 1 if self.findings else 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "same": not self.findings,
            "bundle_id": self.bundle_id,
            "files": self.files,
            "clips": self.clips,
            "hashed": self.hashed,
            "findings": [finding._asdict() for finding in self.findings],
        }

    def summary(self) -> str:
        """Return what was compared and every finding, the first fifty of them, as lines."""
        lines = [
            "NOT AS HANDED OFF: {} {}".format(f.kind, _visible(f"{f.subject}: {f.message}"))
            for f in self.findings[:_SHOWN]
        ]
        if len(self.findings) > _SHOWN:
            lines.append(f"and {len(self.findings) - _SHOWN:,} more; JSON has all of them")
        told = f"{self.files:,} files and {self.clips:,} clips compared"
        told += f", {self.hashed:,} of the clips byte by byte"
        same = "" if self.findings else ": all as handed off"
        return "\n".join([*lines, told + same])


class NothingToVerifyError(Exception):
    """There is no bundle that could be read."""


def verify_bundle(
    folder: str, *, audio: bool = True, expected_id: str | None = None, advance: Advance = None
) -> Verification:
    """Compare a bundle, and the audio that it names, with what was handed off.

    Args:
        folder: The bundle.
        audio: Whether the audio files are looked for too.
        expected_id: What the SHA-256 of `provenance.json` has to be, noted elsewhere: nobody can
            then have written the whole bundle anew.
        advance: Told how many audio files were looked at.

    Raises:
        NothingToVerifyError: There is no such folder, or nothing in it can be read.
    """
    if not os.path.isdir(folder):
        raise NothingToVerifyError(f"{folder}: no such folder")
    content = _content_of(os.path.join(folder, PROVENANCE))
    bundle_id = None if content is None else hashlib.sha256(content).hexdigest()
    findings = list(_seal(folder, bundle_id, expected_id))
    named, problem = ({}, "") if content is None else _named_files(content)
    findings += [Finding("changed", PROVENANCE, problem)] if problem else []
    findings += _files(folder, named)
    clips = hashed = 0
    if audio and _is_file(os.path.join(folder, AUDIO)):
        found, clips, hashed = _audio(os.path.join(folder, AUDIO), advance)
        findings += found
    return Verification(bundle_id, len(named) + 2, clips, hashed, findings)


def _seal(folder: str, bundle_id: str | None, expected_id: str | None) -> Iterator[Finding]:
    """Give what is wrong with the file that everything else is named in."""
    if bundle_id is None:
        yield Finding("missing", PROVENANCE, "is gone, or cannot be read")
        return
    seal = _content_of(os.path.join(folder, SEAL))
    if seal is None:
        yield Finding("missing", SEAL, "is gone, or cannot be read")
    elif seal != seal_of(bundle_id):
        yield Finding("seal", SEAL, f"is not the seal of this {PROVENANCE}")
    if expected_id is not None and bundle_id != expected_id:
        yield Finding("seal", PROVENANCE, f"is {bundle_id}, not the expected {expected_id}")


def seal_of(bundle_id: str) -> bytes:
    """Return the content of the seal, as `sha256sum --check` takes it."""
    return f"{bundle_id}  {PROVENANCE}\n".encode()


def _named_files(content: bytes) -> tuple[dict[str, str], str]:
    """Return the SHA-256 that the provenance has of each file, or why it says nothing."""
    try:
        files = json.loads(content.decode("utf-8"))["files"]
        return {str(name): said["sha256"] for name, said in files.items()}, ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return {}, f"cannot be understood: {type(error).__name__}: {error}"


def _files(folder: str, named: dict[str, str]) -> Iterator[Finding]:
    """Give the files that were changed, are gone, or were added."""
    for name, digest in sorted(named.items()):
        path = os.path.join(folder, *name.split("/"))
        if not os.path.lexists(path):
            yield Finding("missing", name, "is gone")
        elif not _is_file(path):
            yield Finding("changed", name, "is no regular file")
        else:
            found = _digest(path, hashlib.sha256())
            if found is None:
                yield Finding("changed", name, "cannot be read")
            elif found != digest:
                yield Finding("changed", name, "has other content")
    known = {PROVENANCE, SEAL, *named}
    folders = {"/".join(name.split("/")[:end]) for name in known for end in range(name.count("/"))}
    folders |= {name.rpartition("/")[0] for name in known}
    for name in _present(folder):
        if name not in known and name not in folders:
            yield Finding("added", name, "was not handed off")


def _present(folder: str) -> Iterator[str]:
    """Give every name in a folder, links and folders too, relative to it and in order."""
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted([*folders, *files]):
            yield os.path.relpath(os.path.join(here, name), folder).replace(os.sep, "/")


def _audio(listing: str, advance: Advance) -> tuple[list[Finding], int, int]:
    """Return the audio that is missing or changed, how much was looked for, how much compared."""
    findings: list[Finding] = []
    clips = hashed = 0
    with open(listing, "rb") as lines, ThreadPoolExecutor(_THREADS) as pool:
        for some in iter(lambda: list(itertools.islice(lines, _AT_ONCE)), []):
            for finding, compared in pool.map(_clip, some):
                clips, hashed = clips + 1, hashed + int(compared)
                findings += [finding] if finding else []
            if advance:
                advance(len(some))
    return findings, clips, hashed


def _clip(line: bytes) -> tuple[Finding | None, bool]:
    """Return what is wrong with one audio file, and whether its bytes were compared."""
    try:
        said = json.loads(line.decode("utf-8"))
        path, size, known = str(said["path"]), said["bytes"], said.get("blake2b")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Finding("changed", AUDIO, f"cannot be understood: {error}"), False
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return Finding("audio_missing", path, "does not exist here"), False
    if not stat.S_ISREG(status.st_mode):
        return Finding("audio_missing", path, "is no file here"), False
    if status.st_size != size:
        return Finding("audio_changed", path, f"has {status.st_size} bytes, not {size}"), False
    if known is None:
        return None, False
    found = _digest(path, hashlib.blake2b(digest_size=16))
    if found is None:
        return Finding("audio_missing", path, "cannot be read here"), False
    return (None if found == known else Finding("audio_changed", path, "has other bytes")), True


def _is_file(path: str) -> bool:
    """Return whether a path is a regular file itself, and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _content_of(path: str) -> bytes | None:
    if not _is_file(path):
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _digest(path: str, digest: Any) -> str | None:
    try:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(_BLOCK_BYTES), b""):
                digest.update(piece)
    except OSError:
        return None
    return str(digest.hexdigest())


def _visible(text: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


class _Lines:
    """A line on stderr about every ten seconds."""

    def __init__(self) -> None:
        self._done, self._written = 0, time.monotonic()

    def advance(self, clips: int) -> None:
        self._done += clips
        if time.monotonic() - self._written >= _LINE_EVERY_S:
            self._written = time.monotonic()
            print(f"{self._done:,} clips looked at", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify a bundle as a program of its own, and return the exit code."""
    parser = argparse.ArgumentParser(description="Is this bundle what was handed off?")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("bundle", nargs="?", default=here, help="default: where this file is")
    parser.add_argument("--no-audio", action="store_true", help="do not look for the audio")
    parser.add_argument("--id", metavar="HASH", help="what the id of the bundle has to be")
    parser.add_argument("--json", action="store_true", help="write a JSON document")
    given = parser.parse_args(arguments)
    try:
        found = verify_bundle(
            given.bundle, audio=not given.no_audio, expected_id=given.id, advance=_Lines().advance
        )
    except NothingToVerifyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    print(json.dumps(found.to_dict()) if given.json else found.summary())
    return found.exit_code()


if __name__ == "__main__":
    sys.exit(main())
