"""What a suite is run on: a manifest version, the facts about its audio, other manifests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.checks.rules import FACTS, SUBJECT, facts_of
from asrdq.errors import AsrdqError, nearest
from asrdq.workspace.sql import connection
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.checks.expected import Expected
    from asrdq.checks.suites import Suite
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
        needed = [
            f"{quote_name(name)} AS ({body})"
            for name, body in self.definitions.items()
            if name in query
        ]
        return f"WITH {', '.join(needed)} {query}"

    def trouble(self, expected: Expected) -> str | None:
        """Return why an expectation cannot be judged here, None if it can."""
        if expected.name not in NOT_COLUMNS:
            for column in expected.columns:
                if column not in self.manifest.columns:
                    guess = nearest(column, self.manifest.columns)
                    meant = f"; did you mean '{guess}'?" if guess else ""
                    return f"{self.manifest} has no column '{column}'{meant}"
        if expected.hears and FACTS not in self.definitions:
            return _not_probed(self.manifest)
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
        if expected.hears and facts_of(expected.other) not in self.definitions:
            return _not_probed(version)
        rows, filled = self._filled(expected.other, None if expected.hears else column)
        if rows == 0:
            return f"{version} has no row"
        if filled < rows:
            lacks = "audio that could be decoded" if expected.hears else f"'{column}'"
            return f"{version} has {rows - filled:,} rows without {lacks}"
        return None

    def _filled(self, other: str, column: str | None) -> tuple[int, int]:
        """Return how many rows another manifest has, and how many with a value or with audio."""
        if column is None:
            heard = f"SELECT utt_id FROM {quote_name(facts_of(other))} WHERE audio_hash IS NOT NULL"
            filled = f"count(*) FILTER (utt_id IN ({heard}))"
        else:
            filled = f"count({quote_name(column)})"
        [(rows, found)] = self.database.execute(
            f"SELECT count(*), {filled} FROM {quote_name(other)}"
        ).fetchall()
        return rows, found


def _not_probed(version: ManifestVersion) -> str:
    return f"{version} was not probed: asrdq probe {version.name}"


def other_manifests(workspace: Workspace, suite: Suite) -> dict[str, ManifestVersion | None]:
    """Return the manifests that the expectations of a suite name, at the versions they are now."""
    return {
        item.other: _version(workspace, item.other) for item in suite.expectations if item.other
    }


@contextmanager
def open_subject(
    workspace: Workspace, manifest: ManifestVersion, others: dict[str, ManifestVersion | None]
) -> Iterator[Subject]:
    """Open a database with a manifest version, other manifests, and what probes found of all."""
    definitions = {SUBJECT: f"SELECT * FROM {quote_name(str(manifest))}"}
    found = {name: version for name, version in others.items() if version is not None}
    for name, version in found.items():
        if name != str(version):
            definitions[name] = f"SELECT * FROM {quote_name(str(version))}"
    probed = {FACTS: manifest, **{facts_of(name): version for name, version in found.items()}}
    for name, version in probed.items():
        if probe := _probe(workspace, version):
            definitions[name] = f"SELECT * FROM {AUDIO_FACTS} WHERE run_id = {quote_text(probe)}"
    views = dict.fromkeys(map(str, [manifest, *found.values()]))
    if workspace.table_exists(AUDIO_FACTS):
        views[AUDIO_FACTS] = None
    with connection(workspace.store, views) as (database, _):
        for name, body in definitions.items():
            database.execute(f"CREATE VIEW {quote_name(name)} AS {body}")
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
