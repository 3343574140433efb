"""Whether the files of a job exist where it runs: here, in a container, on another machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.linting.config import Setting
from asrdq.manifests import PathMap
from asrdq.manifests.existence import Check, missing_here
from asrdq.places import is_remote

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Advance = Callable[[int], object]
_PATTERN_SIGNS = ("_OP_", "{", "*")


@dataclass(frozen=True, slots=True)
class Job:
    """Where a job runs, as seen from here.

    Attributes:
        mounts: Prefixes of paths here to what they are called there.
        check: Looks paths up there; None: what is mounted from here is looked up here.
    """

    mounts: PathMap
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What became of the paths of a job.

    Attributes:
        elsewhere: Whether it was said where the job runs; otherwise it was looked up here.
        unmounted: Paths of the configuration that no mount carries there, each with what it is
            called there; None where nothing is known.
        missing: Paths of the configuration that are not there.
        audio_missing: Audio files of the manifest that are not there; None: not looked up.
        audio_files: Audio files of the manifest.
        audio_example: One of the missing ones, as it is called there.
    """

    elsewhere: bool
    unmounted: tuple[tuple[Setting, str | None], ...]
    missing: tuple[Setting, ...]
    audio_missing: int | None = None
    audio_files: int = 0
    audio_example: str | None = None


def look_up(
    settings: Sequence[Setting],
    job: Job | None,
    workspace: Workspace | None,
    manifest: ManifestVersion | None,
    advance: Advance,
) -> PathFacts:
    """Look up the paths of a configuration, and the audio of a manifest where the job is told of.

    Paths that have a pattern in them, such as those of tar shards, are not looked up.
    """
    paths = [each for each in settings if _can_be_looked_up(each.value)]
    if job is None:
        missing = tuple(each for each in paths if not os.path.exists(each.value))  # noqa: PTH110
        return PathFacts(False, (), missing)
    unmounted: list[tuple[Setting, str | None]] = []
    known = []
    for each in paths:
        there = job.mounts.place(each.value)
        if there != each.value:
            unmounted.append((each, there))
        elif job.check is None and _here(job.mounts, each.value) is None:
            unmounted.append((each, None))
        else:
            known.append(each)
    audio = set() if workspace is None or manifest is None else _audio(job, workspace, manifest)
    gone = _missing(job, {each.value for each in known}, audio, advance)
    silent = audio & gone
    return PathFacts(
        True,
        tuple(unmounted),
        tuple(each for each in known if each.value in gone),
        len(silent) if audio else None,
        len(audio),
        min(silent, default=None),
    )


def _can_be_looked_up(path: object) -> bool:
    if not isinstance(path, str) or not path or is_remote(path):
        return False
    return not any(sign in path for sign in _PATTERN_SIGNS)


def _here(mounts: PathMap, there: str) -> str | None:
    """Return what a path of the job is called here; None where no mount carries it."""
    found = [
        here + there[len(target) :]
        for here, target in mounts.prefixes.items()
        if there == target or there.startswith(f"{target}/")
    ]
    return max(found, key=len, default=None)


def _audio(job: Job, workspace: Workspace, manifest: ManifestVersion) -> set[str]:
    """Return what the audio files of a manifest are called where the job runs."""
    paths: set[str] = set()
    with workspace.stream(manifest, ["audio_path"]) as reader:
        for batch in reader:
            found = (workspace.audio_file(manifest, path) for path in batch[0].to_pylist())
            paths.update(map(job.mounts.place, found))
    return paths


def _missing(job: Job, paths: set[str], audio: set[str], advance: Advance) -> set[str]:
    """Return which paths are not there; a listing is read once."""
    if job.check is not None:
        return job.check(paths | audio, advance)
    here = {there: _here(job.mounts, there) for there in paths | audio}
    gone = missing_here({here[there] or "" for there in audio}, advance)
    return {
        there
        for there, path in here.items()
        if path is None or (path in gone if there in audio else not os.path.exists(path))  # noqa: PTH110
    }
