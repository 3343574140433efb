"""Which audio files hold the same: by path, and by content where files have the same size."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.audio.hashing import FileIdentity, file_hashes, file_identity
from asrdq.places import is_remote
from asrdq.workspace.sql import connection, select_from

if TYPE_CHECKING:
    from asrdq.console import Stage
    from asrdq.workspace import ManifestVersion, Workspace

CACHE = "file_hashes"
_THREADS = 4
_AT_ONCE = 256
_RECORDINGS = pa.schema([("audio_path", pa.string()), ("recording", pa.string())])


@dataclass
class Files:
    """The audio files of a manifest that may hold what another one holds.

    Attributes:
        place: Path in the manifest to the file on this machine.
        known: File to its identity.
        missing: Number of paths of the manifest without a file.
        kinds: Endings of the paths of the manifest, such as `.wav`.
    """

    place: dict[str, str] = field(default_factory=dict)
    known: dict[str, FileIdentity] = field(default_factory=dict)
    missing: int = 0
    kinds: set[str] = field(default_factory=set)

    def sizes(self) -> set[int]:
        """Return the sizes of the files."""
        return {identity.size_bytes for identity in self.known.values()}

    def recordings(self, content: dict[str, str]) -> pa.Table:
        """Return each path of the manifest with what names its recording."""
        named = [content.get(file, file) for file in self.place.values()]
        return pa.table({"audio_path": list(self.place), "recording": named}, _RECORDINGS)


def find_files(
    workspace: Workspace,
    manifest: ManifestVersion,
    like: Files | None,
    advance: Callable[[float], None],
) -> Files:
    """Look at each audio file of a manifest once.

    Args:
        workspace: Where the manifest is.
        manifest: The manifest.
        like: Keep only files that are one of these or have the size of one.
        advance: Told of the number of rows whose files were looked at.
    """
    files = Files()
    sizes = like.sizes() if like else set()
    places = set(like.place.values()) if like else set()
    with ThreadPoolExecutor(_THREADS) as pool:
        for paths, rows in _paths(workspace, manifest):
            found = [workspace.audio_file(manifest, path) for path in paths]
            files.kinds |= {posixpath.splitext(path)[1].lower() for path in paths}
            for path, file, identity in zip(paths, found, _identities(found, pool), strict=True):
                files.missing += identity is None
                if like is None or file in places or (identity and identity.size_bytes in sizes):
                    files.place[path] = file
                    if identity is not None:
                        files.known[file] = identity
            advance(rows)
    return files


def _identities(files: Sequence[str], pool: ThreadPoolExecutor) -> Iterator[FileIdentity | None]:
    """Give the identity of each file; servers are asked side by side, a disk file by file."""
    if any(map(is_remote, files)):
        return pool.map(file_identity, files)
    return map(file_identity, files)


def content_of(workspace: Workspace, groups: Sequence[Files], stage: Stage) -> dict[str, str]:
    """Return what names the content of each file that has the size of another one.

    Hashes are kept by path, size and time of the file. A file that cannot be read, or an empty
    one, is left out.

    Args:
        workspace: Where the cache is.
        groups: The files of each manifest.
        stage: Opens the display of the files that have to be hashed.
    """
    identities = {file: each for files in groups for file, each in files.known.items()}
    by_size: dict[int, list[str]] = {}
    for file, identity in identities.items():
        by_size.setdefault(identity.size_bytes, []).append(file)
    asked = [file for size, files in by_size.items() if size and len(files) > 1 for file in files]
    keys = {file: _key(identities[file]) for file in asked}
    cache = workspace.cache(CACHE)
    found = cache.lookup(pa.array(list(keys.values()), pa.string()))
    known = (
        dict(zip(found["key"].to_pylist(), found["content"].to_pylist(), strict=True))
        if found.num_rows
        else {}
    )
    content = {file: known[key] for file, key in keys.items() if key in known}
    left = [file for file in asked if file not in content]
    if not left:
        return content
    with stage("hashes", len(left), "files") as bar:
        for start in range(0, len(left), _AT_ONCE):
            some = left[start : start + _AT_ONCE]
            fresh = {file: each for file, each in file_hashes(some).items() if each is not None}
            cache.add(
                pa.table({"key": [keys[file] for file in fresh], "content": list(fresh.values())})
            )
            content |= fresh
            bar.advance(len(some))
    return content


def _key(identity: FileIdentity) -> str:
    return f"{identity.size_bytes}/{identity.mtime_ns}/{Path(identity.path)}"


def _paths(workspace: Workspace, manifest: ManifestVersion) -> Iterator[tuple[list[str], int]]:
    """Give the paths of a manifest, each once, with the number of rows that name them."""
    body, _ = select_from(workspace.store, manifest.table, manifest.version)
    with connection(workspace.store, ()) as (database, _):
        distinct = f"SELECT audio_path, count(*) FROM ({body}) GROUP BY audio_path"
        for batch in database.sql(distinct).to_arrow_reader(_AT_ONCE * 256):
            yield batch.column(0).to_pylist(), sum(batch.column(1).to_pylist())
