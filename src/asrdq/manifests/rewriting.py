"""Audio paths rewritten for another machine, and proof that they lead somewhere there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asrdq.console import Stage
from asrdq.errors import AsrdqError, DataError, Problem, UsageError
from asrdq.manifests.existence import Check, missing_here
from asrdq.manifests.formats.protocol import WritableFormat
from asrdq.manifests.path_map import PathMap
from asrdq.workspace.files import whole_file

_EXAMPLES = 5


@dataclass(frozen=True)
class Rewriting:
    """How the audio paths of an export are rewritten and checked.

    Attributes:
        path_map: Prefixes and what takes their place.
        keep_unmapped: Leave a path that has no prefix as it is; otherwise it is an error.
        check: Finds the rewritten paths that do not exist, by default those that are no files
            on this machine; None where nobody is to look.
    """

    path_map: PathMap
    keep_unmapped: bool = False
    check: Check | None = missing_here

    def prove(self, paths: set[str], out: Path | None, stage: Stage) -> list[str]:
        """Make sure that all paths can be rewritten and exist on the other side.

        Args:
            paths: The distinct paths as they are on this machine.
            out: The file or folder that is to be written, None for a stream. Paths that are
                missing are listed in a file beside it.
            stage: Shows progress.

        Returns:
            What a person should know of the rewriting.

        Raises:
            DataError: Some paths have no prefix, become one path, or do not exist.
        """
        placed = {path: self.path_map.place(path) for path in paths}
        used = Counter(self.path_map.find(path) for path in paths)
        unmapped = used.pop(None, 0)
        if unmapped and not self.keep_unmapped:
            raise _none_has(
                (path for path in paths if self.path_map.find(path) is None),
                f"{unmapped:,} of {len(paths):,} audio paths have none of the mapped prefixes",
                hint="map them too, or leave them as they are with --keep-unmapped",
            )
        _refuse_meeting(placed)
        self._refuse_missing(set(placed.values()), out, stage)
        return list(self._notes(used, unmapped))

    def _refuse_missing(self, paths: set[str], out: Path | None, stage: Stage) -> None:
        if self.check is None:
            return
        with stage("check paths", len(paths), "paths") as bar:
            missing = sorted(self.check(paths, bar.advance))
        listed = None if out is None else out.with_name(f"{out.name}.missing.txt")
        if listed is not None and listed.is_file():
            listed.unlink()
        if not missing:
            return
        if listed is not None:
            with whole_file(listed) as file:
                file.writelines(f"{path}\n".encode() for path in missing)
        looked = (
            "a path is looked up on this machine; from elsewhere, make a listing there with "
            "`find /data -type f > files.txt` and give it with --exists files.txt"
        )
        raise _none_has(
            missing,
            f"{len(missing):,} of {len(paths):,} rewritten audio paths do not exist there: no "
            "manifest was written" + ("" if listed is None else f"; all of them are in {listed}"),
            hint=looked if self.check is missing_here else "is the listing of the right folder?",
        )

    def _notes(self, used: Counter[str | None], unmapped: int) -> Iterable[str]:
        if self.check is None:
            yield "nobody looked whether the rewritten paths exist (--unchecked)"
        if unmapped:
            yield f"{unmapped:,} audio paths have no mapped prefix and are left as they are"
        for prefix in self.path_map.prefixes:
            if prefix not in used:
                yield f"no audio path begins with {prefix or '/'}, which is mapped"


def refuse_names(target: WritableFormat, option: str) -> None:
    """Refuse a format that could not say where audio has gone.

    Raises:
        UsageError: Whole paths do not stand in it.
    """
    if not target.keeps_paths:
        raise UsageError(
            f"{option} writes paths, and the format {target.name} has no place for whole paths",
            hint="choose one that has: nemo, lhotse, kaldi, parquet, csv, tsv, qwen",
        )


def _refuse_meeting(placed: dict[str, str]) -> None:
    """Refuse two files that would be one on the other side: rows would get other audio."""
    if len(set(placed.values())) == len(placed):
        return
    times = Counter(placed.values())
    meeting = [f"{path} → {target}" for path, target in placed.items() if times[target] > 1]
    raise _none_has(
        meeting,
        f"{len(meeting):,} audio paths become one with another",
        hint="map each folder to one of its own",
    )


def _none_has(paths: Iterable[str], message: str, *, hint: str) -> AsrdqError:
    return DataError(
        message, problems=[Problem(path) for path in sorted(paths)[:_EXAMPLES]], hint=hint
    )
