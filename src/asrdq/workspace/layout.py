"""Where things lie in a workspace, and what names its tables may have."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from asrdq.errors import ToolError, UsageError
from asrdq.places import Place, S3Path, place, within
from asrdq.settings import SETTINGS_FILE

FOLDERS = ("expectations", "policies", "reports", "tables")

MANIFESTS = "manifests"
CACHE = "cache"

# fmt: off
RESERVED = frozenset({
    "agreements", "alignments", "audio_facts", "audit_folds", "audits", "calibration_checks",
    "calibration_costs", "calibration_groups", "calibrations", "cards", "check_results", "checks",
    "comparison_groups", "comparisons", "cuts", "cycles", "decisions", "detections", "duplicates",
    "fault_trials", "handoffs", "hypotheses", "hypothesis_signals", "hypothesis_words",
    "instrument_agreement", "leak_findings", "leaks", "rejects", "runs", "samples", "score_groups",
    "scores", "signoffs", "span_scores", "splits", "strata", "tags", "term_scores",
    "text_findings", "train_metrics", "train_runs", "transcription_failures", "waivers", "weights",
    "word_edits", "word_spans",
})
# fmt: on
"""Names of all result tables: a manifest cannot have one of them."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TABLE = re.compile(rf"{_NAME.pattern}(/{_NAME.pattern})?")
_LISTINGS_AT_ONCE = 8
_FORBIDDEN_IN_PATH = set("%*?[]\n\r\0")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one workspace; the only place that knows where a table lies.

    Attributes:
        root: The folder, on a disk or on S3.
    """

    root: Place

    @property
    def settings_file(self) -> Place:
        """The file `asrdq.yaml`."""
        return self.root / SETTINGS_FILE

    @property
    def tables(self) -> Place:
        """The folder of all Delta tables."""
        return self.root / "tables"

    @property
    def desk(self) -> Path:
        """The folder of this machine for what is in the making: locks, staging, spill.

        It is that of the tables, or a cache folder where those are on S3.
        """
        if isinstance(self.root, Path):
            return self.root / "tables"
        from asrdq.s3_errors import endpoint

        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        named = f"{endpoint() or ''} {self.root}"
        digest = hashlib.sha256(named.encode()).hexdigest()[:16]
        return Path(caches) / "asrdq" / digest

    @property
    def staging(self) -> Path:
        """Files of ingests that have not been committed yet, one folder a run."""
        return self.desk / ".staging"

    @property
    def spill(self) -> Path:
        """Where DuckDB puts what does not fit in memory."""
        return self.desk / ".spill"

    def table(self, name: str) -> Place:
        """Return the folder of a table such as `audits` or `manifests/train`."""
        if not _TABLE.fullmatch(name):
            raise UsageError(f"'{name}' cannot be the name of a table", hint=_NAME_HINT)
        return self.tables / name

    def lock(self, name: str) -> Path:
        """Return the lock file for something that one process at a time may do."""
        return self.desk / ".locks" / f"{name.replace('/', '__')}.lock"

    def named(self, path: str) -> Place:
        """Return what a setting names: an address, an absolute path, or one in the workspace."""
        named = place(path).expanduser()
        if isinstance(named, S3Path):
            return named
        return named.resolve() if named.is_absolute() else (self.root / str(named)).resolve()

    def names(self, known: Set[str] = frozenset()) -> list[str]:
        """Return the names of all tables there are, in alphabetical order.

        Args:
            known: Tables that were there before; on S3 their folders are not looked into again.
        """
        if isinstance(self.tables, S3Path):
            names = list(_names_on_s3(self.tables, known))
        else:
            logs = [*self.tables.glob("*/_delta_log"), *self.tables.glob("*/*/_delta_log")]
            names = [str(log.parent.relative_to(self.tables)) for log in logs]
        return sorted(name for name in names if _TABLE.fullmatch(name))


def _names_on_s3(tables: S3Path, known: Set[str]) -> Iterator[str]:
    """Give the names of the folders, of both levels, that have a log; listed several at once."""
    with ThreadPoolExecutor(_LISTINGS_AT_ONCE) as pool:
        folders = list(tables.iterdir())
        while folders:
            named = {folder: within(folder, tables) or "" for folder in folders}
            yield from (name for name in named.values() if name in known)
            unknown = [folder for folder, name in named.items() if name not in known]
            unknown = [folder for folder in unknown if _TABLE.fullmatch(named[folder])]
            inside = list(pool.map(lambda folder: list(folder.iterdir()), unknown))
            folders = []
            for folder, items in zip(unknown, inside, strict=True):
                if any(item.name == "_delta_log" for item in items):
                    yield named[folder]
                elif folder.parent == tables:
                    folders += items


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


def check_root(root: Place) -> Place:
    """Return the folder if a workspace may lie there.

    Raises:
        UsageError: Its path has characters that the table libraries read as patterns.
        ToolError: It is on S3, and a package for that is missing.
    """
    bad = sorted(_FORBIDDEN_IN_PATH.intersection(str(root)))
    if bad:
        raise UsageError(
            f"a workspace cannot lie in a folder whose path has {' '.join(map(repr, bad))}",
            where=repr(str(root)),
            hint="choose another folder",
        )
    if isinstance(root, S3Path) and find_spec("fsspec") is None:
        raise ToolError(
            "a workspace on S3 needs the package fsspec",
            where=str(root),
            hint="pip install 'asrdq[s3]'",
        )
    return root


def find_root(start: Place) -> Place:
    """Return the nearest folder at or above `start` that has `asrdq.yaml`; on S3, `start`.

    Raises:
        UsageError: There is none.
        S3Error: The server cannot be reached, or refuses.
    """
    if isinstance(start, S3Path):
        from asrdq.s3 import check_bucket

        if not (start / SETTINGS_FILE).is_file():
            check_bucket(start)
            raise UsageError(
                f"no workspace here: there is no {SETTINGS_FILE}",
                where=str(start),
                hint=f"make one: asrdq init {start}",
            )
        return check_root(start)
    start = start.expanduser().resolve()
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file():
            return check_root(folder)
    raise UsageError(
        f"no workspace here: no {SETTINGS_FILE} in this folder or above it",
        where=str(start),
        hint="make one with `asrdq init`, or name one with --workspace DIR",
    )
