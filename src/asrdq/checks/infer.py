"""`asrdq suite infer`: a suite proposed from the data, for a person to edit."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.checks.proposals import Candidate, Column, candidates, read_columns
from asrdq.checks.subject import open_subject
from asrdq.checks.suites import CRITICAL, FOLDER, WARNING, load_expectation
from asrdq.console import Stage, silent
from asrdq.errors import DataError, UsageError
from asrdq.places import Place
from asrdq.results import Result
from asrdq.version import __version__
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.checks.engine import Measured
    from asrdq.checks.expected import Expected
    from asrdq.workspace import ManifestVersion, Workspace

MOST_FAILING = 0.05
MOST_NULL = 0.5
"""An expectation that a larger share of the rows fails is left out."""
_OURS = frozenset({"utt_id", "audio_path", "text", "duration_s"})
_NULLS = "expect_column_values_to_not_be_null"

Row = dict[str, Any]


@dataclass(frozen=True)
class InferResult(Result):
    """A suite that was proposed.

    Attributes:
        run_id: The run.
        manifest: Name and version that it was read off.
        suite: Its name.
        file: Where it was written.
        proposed: One row a candidate: expectation, column, `mostly`, what it was read off, and
            `left_out`, why it is not in the suite; null where it is.
    """

    main_table: ClassVar[str] = "proposed"

    run_id: str
    manifest: str
    suite: str
    file: str
    proposed: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return how many expectations are in the suite, and how many are not."""
        out = self.proposed.num_rows - self.proposed["left_out"].null_count
        return (
            f"{self.file}: {self.proposed['left_out'].null_count} expectations that "
            f"{self.manifest} fulfils ({out} left out)"
        )


def infer_suite(
    workspace: Workspace,
    manifest: ManifestVersion,
    name: str | None = None,
    *,
    force: bool = False,
    stage: Stage = silent,
) -> InferResult:
    """Write a suite that a manifest version fulfils into the folder `expectations/`.

    Every candidate is measured by Great Expectations on the rows themselves. One that more than 5 %
    of them fail (nulls: 50 %) is left out; of the others, one that some rows fail gets a `mostly`
    that leaves room for half as many again.

    Args:
        workspace: Where the manifest is, and where the suite goes.
        manifest: The version to read it off.
        name: Of the suite; by default that of the manifest.
        force: Whether a suite of this name may be overwritten.
        stage: Opens progress displays.

    Raises:
        UsageError: There is such a suite, or it cannot be called so.
        DataError: The manifest has no row.
        ToolError: Great Expectations is not installed, or the file cannot be written.
    """
    suite = name or manifest.name
    file = _file(workspace, suite, force=force)
    if manifest.rows == 0:
        raise DataError(f"manifest {manifest} has no row, so nothing can be read off it")
    with workspace.run("suite infer", manifest, {"suite": suite, "file": str(file)}) as run:
        items, proposed = _propose(workspace, manifest, stage)
        about = {
            "inferred_from": str(manifest),
            "fingerprint": manifest.fingerprint,
            "asrdq_version": __version__,
            "notes": "a proposal: read it, and change what should hold of other data too",
        }
        document = {"name": suite, "expectations": items, "meta": about}
        with whole_file(file) as stream:
            stream.write(json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")
        return InferResult(run.run_id, str(manifest), suite, str(file), proposed)


def _file(workspace: Workspace, name: str, *, force: bool) -> Place:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise UsageError(
            f"a suite cannot be called '{name}'", hint="letters, digits, _ and - will do"
        )
    file = workspace.root / FOLDER / f"{name}.json"
    if file.exists() and not force:
        raise UsageError(
            f"there is a suite '{name}' already",
            where=str(file),
            hint="give another --name, or --force to overwrite what people may have edited",
        )
    return file


def _propose(
    workspace: Workspace, manifest: ManifestVersion, stage: Stage
) -> tuple[list[Row], pa.Table]:
    import pyarrow as pa

    from asrdq.checks.engine import measure

    with open_subject(workspace, manifest, {}) as subject, stage("infer", 2, "passes") as progress:
        rows, columns = read_columns(subject.database)
        found = list(candidates(subject.database, rows, columns))
        progress.advance()
        loaded = [
            load_expectation({"type": each.name, "kwargs": each.kwargs}, position)
            for position, each in enumerate(found)
        ]
        measured = measure(subject.database, loaded)
        progress.advance()
    by_name = {column.name: column for column in columns}
    items: list[Row] = []
    table: list[Row] = []
    for position, each in enumerate(found):
        item = loaded[position]
        mostly, left_out = _decide(each, measured[position], _judged(rows, item, by_name))
        about = item.about[0] if item.about else None
        table.append(
            {"expectation": each.name, "column": about, "mostly": mostly, "seen": each.seen}
            | {"left_out": left_out}
        )
        if left_out is None:
            items.append(_item(each, about, mostly))
    names = ("expectation", "column")
    schema = pa.schema(
        [
            *((name, pa.string()) for name in names),
            ("mostly", pa.float64()),
            *((name, pa.string()) for name in ("seen", "left_out")),
        ]
    )
    return items, pa.Table.from_pylist(table, schema)


def _judged(rows: int, item: Expected, columns: dict[str, Column]) -> int:
    """Return how many rows `mostly` is a share of: those with a value, where nulls are passed."""
    counts_nulls = item.name == _NULLS or bool(item.rule and item.rule.nulls_fail)
    return rows if counts_nulls else columns[item.about[0]].filled


def _decide(each: Candidate, measured: Measured, judged: int) -> tuple[float | None, str | None]:
    """Return the `mostly` that an expectation needs, and why it is left out if it is."""
    if measured.error is not None:
        return None, measured.error
    failing = measured.rows or 0
    if each.name == _NULLS:
        return _mostly(failing, judged, MOST_NULL)
    if each.exact and failing:
        return None, f"{failing:,} rows fail"
    return _mostly(failing, judged, MOST_FAILING)


def _mostly(failing: int, judged: int, most: float) -> tuple[float | None, str | None]:
    share = failing / judged
    if share > most:
        return None, f"{failing:,} rows fail ({share:.1%})"
    return (math.floor((1 - 1.5 * share) * 1000) / 1000 if failing else None), None


def _item(each: Candidate, column: str | None, mostly: float | None) -> Row:
    kwargs = each.kwargs if mostly is None else {**each.kwargs, "mostly": mostly}
    severity = CRITICAL if column in _OURS and mostly is None else WARNING
    return {
        "type": each.name,
        "kwargs": kwargs,
        "severity": severity,
        "meta": {"notes": f"seen: {each.seen}"},
    }
