"""The audio that a hand-off names: where it is here, where it will be, and what its bytes are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.audio import file_hashes, file_identity
from asrdq.console import Stage
from asrdq.errors import DataError, first_few
from asrdq.handoff.refusals import Refusal
from asrdq.manifests.rewriting import Rewriting
from asrdq.places import is_remote
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.handoff.asked import Asked
    from asrdq.workspace import ManifestVersion, Workspace

_NAMED = 3
_AT_ONCE = 4096
_THREADS = 16


@dataclass(frozen=True)
class AudioFiles:
    """The distinct audio files of a hand-off.

    Attributes:
        there: Path on this machine to the path where it will be read.
        sizes: Path on this machine to the number of its bytes.
        known: Path on this machine to the hash that the audit found (BLAKE2b of 128 bits).
    """

    there: Mapping[str, str]
    sizes: Mapping[str, int]
    known: Mapping[str, str]

    def mounts(self, prefixes: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return folders as they are here and where they will be, few of them, that hold it all.

        Args:
            prefixes: Those of the path map; none where paths stay as they are.
        """
        if prefixes:
            used = {here or "/": there or "/" for here, there in prefixes.items()}
            return sorted(used.items())
        tops: dict[str, list[str]] = {}
        for folder in {os.path.dirname(path) for path in self.there}:  # noqa: PTH120 millions
            tops.setdefault(folder.split("/")[1], []).append(folder)
        common = sorted(os.path.commonpath(folders) for folders in tops.values())
        return [(folder, folder) for folder in common]


def find_audio(asked: Asked, stage: Stage) -> tuple[AudioFiles, list[Refusal]]:
    """Return the audio of both manifests, and what stands against handing it off."""
    here: set[str] = set()
    for manifest in (asked.train, asked.validation):
        here |= audio_paths(asked.workspace, manifest)
    remote = sorted(path for path in here if is_remote(path))
    there = {path: asked.path_map.place(path) for path in here}
    refusals = list(_remote(asked, there))
    sizes = _sizes(sorted(here.difference(remote)), stage)
    missing = sorted(here.difference(remote, sizes))
    if missing:
        refusals.append(
            Refusal(
                "audio_missing",
                f"{len(missing):,} of {len(here):,} audio files are not there: "
                f"{first_few(missing, _NAMED)}",
                "asrdq probe " + asked.train.name,
            )
        )
    refusals += _unmapped(asked, here, stage)
    return AudioFiles(there, sizes, {}), refusals


def _sizes(paths: list[str], stage: Stage) -> dict[str, int]:
    """Return the bytes of each file that is there; many are asked for at once."""
    found: dict[str, int] = {}
    with stage("look for audio", len(paths), "files") as bar, ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            some = paths[start : start + _AT_ONCE]
            for path, identity in zip(some, pool.map(file_identity, some), strict=True):
                if identity is not None:
                    found[path] = identity.size_bytes
            bar.advance(len(some))
    return found


def audio_paths(workspace: Workspace, manifest: ManifestVersion) -> set[str]:
    """Return the distinct audio files of a manifest version as they lie on this machine."""
    found: set[str] = set()
    with workspace.stream(manifest, ["audio_path"]) as reader:
        for batch in reader:
            found.update(batch["audio_path"].to_pylist())
    return {workspace.audio_file(manifest, path) for path in found}


def _remote(asked: Asked, there: Mapping[str, str]) -> Iterator[Refusal]:
    """Refuse audio that will have no path of a file system where it is read."""
    remote = sorted(path for path, target in there.items() if is_remote(target))
    if remote:
        yield Refusal(
            "audio_remote",
            f"{len(remote):,} of {len(there):,} audio files are addresses: "
            f"{first_few(remote, _NAMED)}",
            f"asrdq export {asked.train.name} --audio wav16k --out FOLDER, or "
            "--map s3://bucket/folder=/where/it/is/mounted",
        )


def _unmapped(asked: Asked, here: set[str], stage: Stage) -> Iterator[Refusal]:
    if not asked.path_map.prefixes:
        return
    try:
        Rewriting(asked.path_map, check=looked_up_there).prove(here, None, stage)
    except DataError as error:
        named = first_few([problem.message for problem in error.problems], _NAMED)
        yield Refusal("audio_unmapped", f"{error.message}: {named}", error.hint or "--map")


def looked_up_there(paths: set[str], advance: Callable[[int], object]) -> set[str]:
    """Call no rewritten path missing: the verification of the bundle looks where they are."""
    return set()


def audited_hashes(
    workspace: Workspace, manifest: ManifestVersion, clips: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Return what the audit found the audio of its clips to be: file on this machine to hash.

    Args:
        workspace: Where the manifest is.
        manifest: The version asked about; it may lie on another mount than the audited one.
        clips: The rows of the audit.
    """
    by_id = {clip["utt_id"]: clip["audio_hash"] for clip in clips if clip["audio_hash"]}
    wanted = pa.array(list(by_id), pa.string())
    found: dict[str, str] = {}
    with workspace.stream(manifest, ["utt_id", "audio_path"]) as reader:
        for batch in reader:
            audited = batch.filter(pc.is_in(batch["utt_id"], wanted))
            for row in audited.to_pylist():
                found[workspace.audio_file(manifest, row["audio_path"])] = by_id[row["utt_id"]]
    return found


def write_listing(files: AudioFiles, out: Path, *, hash_all: bool, stage: Stage) -> None:
    """Write the list of audio that a bundle is verified against: path there, bytes, hash.

    Args:
        files: The audio.
        out: The file, a JSON object a line in the order of the paths there.
        hash_all: Whether files that were not audited are hashed now.
        stage: Shows progress.
    """
    ordered = sorted(files.there, key=files.there.__getitem__)
    what = "hash audio" if hash_all else "list audio"
    with stage(what, len(ordered), "files") as bar, whole_file(out) as stream:
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            unknown = [path for path in some if hash_all and path not in files.known]
            known = {**files.known, **file_hashes(unknown)} if unknown else files.known
            for path in some:
                row = {"path": files.there[path], "bytes": files.sizes[path]}
                hashed = {"blake2b": known[path]} if known.get(path) else {}
                stream.write(json.dumps({**row, **hashed}).encode() + b"\n")
            bar.advance(len(some))
