"""NeMo's tarred data sets: shards of audio, and a manifest for all or one for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from asrdq.errors import UsageError
from asrdq.manifests.columns import Aliases
from asrdq.manifests.formats.archive import open_archive
from asrdq.manifests.formats.embedded import ClipRow, clip_chunks, clip_of, parse_clips
from asrdq.manifests.formats.exact_json import json_objects
from asrdq.manifests.formats.lines import line_chunks
from asrdq.manifests.formats.nemo import NemoFormat
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.rejects import Reject, RejectReason

_SHARD = re.compile(r"_(\d+)\.tar$")
_MANIFEST = "tarred_audio_manifest.json"
_SHARDED = "sharded_manifests"
_PART = re.compile(r"-sub\d+(?=\.[^.]*$)")
"""What NeMo adds to the name of a clip of which several segments are listed."""

_AUDIO, _DURATION, _OFFSET, _SHARD_ID, _ID = (
    "audio_filepath",
    "duration",
    "offset",
    "shard_id",
    "id",
)

_Waiting = dict[str, list[tuple[int, dict[str, Any]]]]
"""Rows of a shard, with their lines, by the name of their audio in it."""


class NemoTarFormat:
    """A folder of `audio_0.tar` … with `tarred_audio_manifest.json` or `sharded_manifests/`.

    A row without an id is called by the name of its audio, and its offset where it has one.
    """

    name: ClassVar[str] = "nemo-tar"
    description: ClassVar[str] = "NeMo's tarred shards with their manifests"
    typed: ClassVar[bool] = True
    aliases: Aliases = NemoFormat.aliases

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether it is a folder with shards and a manifest of them."""
        return bool(_shards(path)) and ((path / _MANIFEST).is_file() or (path / _SHARDED).is_dir())

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read one shard after the other."""
        if not self.sniff(path, b""):
            hint = f"it needs audio_0.tar … and {_MANIFEST} or {_SHARDED}/manifest_0.json …"
            raise UsageError("is no folder of NeMo's shards", where=str(path), hint=hint)
        whole = path / _MANIFEST
        rejects: list[Reject] = []
        of_all = {} if (path / _SHARDED).is_dir() else _waiting(whole, rejects)
        for number, shard in _shards(path).items():
            manifest = path / _SHARDED / f"manifest_{number}.json"
            waiting = of_all.pop(number, {})
            if (path / _SHARDED).is_dir():
                waiting = _merged(_waiting(manifest, rejects))
            else:
                manifest = whole
            with open_archive(shard) as archive:
                items = _clips(archive, waiting, rejects, str(shard))
                yield from clip_chunks(items, archive.consumed, str(manifest))
            rejects = []
        yield from clip_chunks(_without_shard(of_all), file=str(whole))

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table."""
        return parse_clips(chunk.context, _DURATION)


def _shards(folder: Path) -> dict[int, Path]:
    """Return the shards of a folder by number."""
    if not folder.is_dir():
        return {}
    found = ((_SHARD.search(path.name), path) for path in folder.glob("*.tar"))
    return dict(sorted((int(number[1]), path) for number, path in found if number))


def _waiting(manifest: Path, rejects: list[Reject]) -> dict[int, _Waiting]:
    """Return the rows of a manifest by shard."""
    shards: dict[int, _Waiting] = {}
    for chunk in line_chunks(manifest):
        for line, _, item in json_objects(chunk, _CANONICAL):
            if isinstance(item, Reject):
                rejects.append(item)
                continue
            name, shard = item.get(_AUDIO), item.get(_SHARD_ID, 0)
            if not name or not isinstance(shard, int):
                detail = f"no {_AUDIO}" if not name else f"'{_SHARD_ID}' is {shard!r:.40}"
                rejects.append(Reject(line, RejectReason.MISSING_PART, detail, str(name)))
                continue
            key = _PART.sub("", name) if _OFFSET in item else name
            shards.setdefault(shard, {}).setdefault(key, []).append((line, item))
    return shards


_CANONICAL = {name: column for column, names in NemoFormat.aliases.items() for name in names}


def _merged(shards: dict[int, _Waiting]) -> _Waiting:
    """Return the rows of the manifest of one shard, whatever shard they name."""
    merged: _Waiting = {}
    for waiting in shards.values():
        for name, rows in waiting.items():
            merged.setdefault(name, []).extend(rows)
    return merged


def _clips(
    archive: Any, waiting: _Waiting, rejects: list[Reject], shard: str
) -> Iterator[ClipRow | Reject]:
    yield from rejects
    for number, member in enumerate(archive, 1):
        rows = waiting.pop(member.name, None)
        if rows is None:
            detail = f"no row of the manifest is about '{member.name}'"
            yield Reject(number, RejectReason.MISSING_PART, detail, member.name, shard)
            continue
        clip = clip_of(member.read(), member.name)
        for line, row in rows:
            yield line, _named(row), clip
    yield from _left(waiting, f"is not in {shard}")


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the name of its audio, which is its id unless it has one."""
    own = {key: value for key, value in row.items() if key not in (_AUDIO, _SHARD_ID)}
    if any(own.get(name) is not None for name in NemoFormat.aliases["utt_id"]):
        return own
    offset = row.get(_OFFSET)
    return {**own, _ID: f"{row[_AUDIO]}@{offset:g}" if offset else row[_AUDIO]}


def _left(waiting: _Waiting, why: str) -> Iterator[Reject]:
    for name, rows in waiting.items():
        for line, _ in rows:
            yield Reject(line, RejectReason.MISSING_PART, f"'{name}' {why}", name)


def _without_shard(shards: dict[int, _Waiting]) -> Iterator[ClipRow | Reject]:
    for number, waiting in shards.items():
        yield from _left(waiting, f"would be in shard {number}, which is not there")
