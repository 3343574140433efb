"""What a suite is run on: a manifest version, the facts about its audio, other manifests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.checks.rules import FACTS, SUBJECT
from asrdq.errors import AsrdqError, nearest
from asrdq.workspace.sql import connection
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.checks.suites import Expected, Suite
    from asrdq.workspace import ManifestVersion, Workspace

AUDIO_FACTS = "audio_facts"
NOT_COLUMNS = frozenset({"expect_column_to_exist"})
"""Expectations for which a column that is missing is an answer."""

_PROBES = """
    SELECT run_id FROM runs SEMI JOIN audio_facts USING (run_id)
    WHERE command = 'probe' AND state = 'done' AND fingerprint = $fingerprint
    ORDER BY started DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A database with the views that expectations read.

    Attributes:
        database: It has the views `checked`, `facts` where there was a probe, and other manifests.
        manifest: The version that is checked.
        definitions: View name to its query, as `asrdq sql` understands it.
        others: Manifests that expectations name, and the version of each; None if there is none.
    """

    database: DuckDBPyConnection
    manifest: ManifestVersion
    definitions: dict[str, str]
    others: dict[str, ManifestVersion | None]

    def whole(self, query: str) -> str:
        """Return a query on the views as one that `asrdq sql` runs."""
        needed = [(name, body) for name, body in self.definitions.items() if name in query]
        return f"WITH {', '.join(f'{name} AS ({body})' for name, body in needed)} {query}"

    def trouble(self, expected: Expected) -> str | None:
        """Return why an expectation cannot be judged here, None if it can."""
        if expected.name not in NOT_COLUMNS:
            for column in expected.columns:
                if column not in self.manifest.columns:
                    guess = nearest(column, self.manifest.columns)
                    meant = f"; did you mean '{guess}'?" if guess else ""
                    return f"{self.manifest} has no column '{column}'{meant}"
        if expected.rule and expected.rule.audio and FACTS not in self.definitions:
            name = self.manifest.name
            return f"{self.manifest} was not probed: asrdq probe {name}"
        return self._trouble_with_other(expected)

    def _trouble_with_other(self, expected: Expected) -> str | None:
        if expected.other is None:
            return None
        version, column = self.others[expected.other], expected.columns[0]
        if version is None:
            return f"there is no manifest '{expected.other}'"
        if (version.name, version.version) == (self.manifest.name, self.manifest.version):
            return f"{version} would be compared with itself"
        if column not in version.columns:
            return f"{version} has no column '{column}'"
        name = quote_name(column)
        [[rows, filled]] = self.database.execute(
            f"SELECT count(*), count({name}) FROM {quote_name(expected.other)}"
        ).fetchall()
        if rows == 0:
            return f"{version} has no row"
        if filled < rows:
            return f"{version} has {rows - filled:,} rows without '{column}'"
        return None


def compared_with(workspace: Workspace, suite: Suite) -> dict[str, ManifestVersion | None]:
    """Return the other manifests that a suite names; None where there is no such one."""
    return {
        item.other: _version(workspace, item.other) for item in suite.expectations if item.other
    }


@contextmanager
def open_subject(
    workspace: Workspace, manifest: ManifestVersion, others: dict[str, ManifestVersion | None]
) -> Iterator[Subject]:
    """Open a database with what a suite reads."""
    probe = _probe(workspace, manifest)
    definitions = {SUBJECT: f"SELECT * FROM {quote_name(str(manifest))}"}
    if probe is not None:
        definitions[FACTS] = f"SELECT * FROM {AUDIO_FACTS} WHERE run_id = {quote_text(probe)}"
    found = [name for name, version in others.items() if version is not None]
    views = dict.fromkeys([str(manifest), *found, *([AUDIO_FACTS] if probe else [])])
    with connection(workspace.store, views) as (database, _):
        for name, body in definitions.items():
            database.execute(f"CREATE VIEW {name} AS {body}")
        yield Subject(database, manifest, definitions, others)


def _version(workspace: Workspace, reference: str) -> ManifestVersion | None:
    try:
        return workspace.manifest(reference)
    except AsrdqError:
        return None


def _probe(workspace: Workspace, manifest: ManifestVersion) -> str | None:
    """Return the newest probe of exactly this content."""
    if not workspace.table_exists(AUDIO_FACTS):
        return None
    found = workspace.query(_PROBES, {"fingerprint": manifest.fingerprint})
    runs: list[str] = found["run_id"].to_pylist()
    return runs[0] if runs else None
