"""Where things lie in a workspace, and what names its tables may have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from asrdq.errors import UsageError
from asrdq.settings import SETTINGS_FILE

FOLDERS = ("expectations", "policies", "reports", "tables")

MANIFESTS = "manifests"
CACHE = "cache"

# fmt: off
RESERVED = frozenset({
    "alignments", "audio_facts", "audits", "calibrations", "check_results", "decisions",
    "detections", "duplicates", "fault_trials", "handoffs", "hypotheses", "leaks", "rejects",
    "runs", "samples", "scores", "signoffs", "splits", "strata", "tags", "train_metrics",
    "train_runs", "waivers", "weights", "word_edits", "word_spans",
})
# fmt: on
"""Names of result tables: a manifest cannot have one of them."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TABLE = re.compile(rf"{_NAME.pattern}(/{_NAME.pattern})?")
_FORBIDDEN_IN_PATH = set("%*?[]\n\r\0")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one workspace; the only place that knows where a table lies."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """The file `asrdq.yaml`."""
        return self.root / SETTINGS_FILE

    @property
    def tables(self) -> Path:
        """The folder of all Delta tables."""
        return self.root / "tables"

    @property
    def staging(self) -> Path:
        """Files of ingests that have not been committed yet, one folder a run."""
        return self.tables / ".staging"

    @property
    def spill(self) -> Path:
        """Where DuckDB puts what does not fit in memory."""
        return self.tables / ".spill"

    def table(self, name: str) -> Path:
        """Return the folder of a table such as `audits` or `manifests/train`."""
        if not _TABLE.fullmatch(name):
            raise UsageError(f"'{name}' cannot be the name of a table", hint=_NAME_HINT)
        return self.tables / name

    def lock(self, name: str) -> Path:
        """Return the lock file for something that one process at a time may do."""
        return self.tables / ".locks" / f"{name.replace('/', '__')}.lock"

    def names(self) -> list[str]:
        """Return the names of all tables there are, in alphabetical order."""
        logs = [*self.tables.glob("*/_delta_log"), *self.tables.glob("*/*/_delta_log")]
        names = (str(log.parent.relative_to(self.tables)) for log in logs)
        return sorted(name for name in names if _TABLE.fullmatch(name))


_NAME_HINT = "a name is lower-case letters, digits, _ and -, begins with a letter, 64 at most"


def check_manifest_name(name: str) -> str:
    """Return the name if a manifest may have it.

    Raises:
        UsageError: It has other characters, or a result table is called so.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' cannot be the name of a manifest", hint=_NAME_HINT)
    if name in RESERVED:
        raise UsageError(
            f"'{name}' is the name of a result table", hint=f"call it {name}_manifest, for example"
        )
    return name


def check_root(root: Path) -> Path:
    """Return the folder if a workspace may lie there.

    Raises:
        UsageError: Its path has characters that the table libraries read as patterns.
    """
    bad = sorted(_FORBIDDEN_IN_PATH.intersection(str(root)))
    if bad:
        raise UsageError(
            f"a workspace cannot lie in a folder whose path has {' '.join(map(repr, bad))}",
            where=repr(str(root)),
            hint="choose another folder",
        )
    return root


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that has `asrdq.yaml`.

    Raises:
        UsageError: There is none.
    """
    start = start.expanduser().resolve()
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file():
            return check_root(folder)
    raise UsageError(
        f"no workspace here: no {SETTINGS_FILE} in this folder or above it",
        where=str(start),
        hint="make one with `asrdq init`, or name one with --workspace DIR",
    )
