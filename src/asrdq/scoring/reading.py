"""References beside hypotheses, as a stream of blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import DataError, Problem, UsageError, unknown
from asrdq.hypotheses.tables import TABLE
from asrdq.manifests.columns import TEXT, UTT_ID
from asrdq.sampling.samples import latest_sample
from asrdq.scoring.entities import Spans
from asrdq.scoring.keywords import RowTerms
from asrdq.scoring.plan import DURATION_BUCKET, DURATION_BUCKETS, ScorePlan
from asrdq.scoring.utterances import Utterances
from asrdq.text.choices import CHOICE
from asrdq.workspace.sql import connection
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.workspace import ManifestVersion, Workspace

BLOCK_ROWS = 40_960
"""Rows scored at a time; a multiple of DuckDB's vectors."""

MEMORY = "800MB"
"""What DuckDB may hold while it joins; it writes the rest to the disk."""

EXAMPLES = 20
_SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class Joined:
    """A manifest version joined with a set of hypotheses, open for reading.

    Attributes:
        database: Where the view `joined` is.
        rows: Utterances to be scored.
        missing: Rows of the manifest without a hypothesis.
        choices: References with a choice of words, as NIST writes it: `{ um / uh }`.
        offers: Hypotheses with one.
        terms: Whether rows have terms.
        spans: Whether rows have tagged spans.
    """

    database: DuckDBPyConnection
    rows: int
    missing: int
    choices: int
    offers: int
    terms: bool
    spans: bool

    def distinct_terms(self) -> list[str]:
        """Return every term that some row is asked for, as written."""
        if not self.terms:
            return []
        found = self.database.sql(
            "SELECT DISTINCT unnest(terms) FROM joined WHERE terms IS NOT NULL"
        )
        return [term for (term,) in found.fetchall() if term is not None]

    def blocks(self, plan: ScorePlan) -> Iterator[tuple[Utterances, pa.RecordBatch]]:
        """Give utterances, and beside them `stratum` and the columns that make groups, as text."""
        beside = ["stratum", *map(group_column, plan.columns())]
        for batch in self.database.sql("FROM joined").to_arrow_reader(BLOCK_ROWS):
            yield _utterances(batch), batch.select(beside)


def group_column(name: str) -> str:
    """Return what a column that makes groups is called beside scores, where names are taken."""
    return f"by {name}"


@contextmanager
def joined(
    workspace: Workspace, manifest: ManifestVersion, hyps: str, plan: ScorePlan
) -> Iterator[Joined]:
    """Open a manifest version beside a set of hypotheses.

    Raises:
        UsageError: A column is not there, or the sample to be scored.
        DataError: Rows have no hypothesis and the plan does not say what becomes of them.
    """
    if not workspace.table_exists(TABLE):
        raise UsageError("no hypotheses are in the workspace", hint="name a file: --hyps r1=FILE")
    sample = _sample(workspace, manifest) if plan.sample else None
    views = [str(manifest), TABLE, *([_SAMPLES] if sample else [])]
    with connection(workspace.store, views) as (database, _):
        database.execute(f"SET memory_limit = '{MEMORY}'")
        database.execute("SET preserve_insertion_order = false")
        described = database.sql(f"DESCRIBE {quote_name(str(manifest))}").fetchall()
        types = {column[0]: column[1] for column in described}
        _require_named(manifest, plan)
        source = _source(manifest, hyps, plan, types, sample)
        database.execute(f"CREATE VIEW beside AS {source}")
        total, missing, choices, offers = database.sql(
            "SELECT count(*), count(*) FILTER (hypothesis IS NULL), "
            f"{_count_choices('reference')}, {_count_choices('hypothesis')} FROM beside"
        ).fetchall()[0]
        if missing and plan.ids == "strict":
            raise _missing(database, manifest, hyps, missing, total)
        left_out = missing if plan.ids == "common" else 0
        condition = " WHERE hypothesis IS NOT NULL" if left_out else ""
        database.execute(
            "CREATE VIEW joined AS SELECT * REPLACE (coalesce(hypothesis, '') AS hypothesis) "
            f"FROM beside{condition}"
        )
        has_terms, has_spans = plan.term in types, plan.entities in types
        yield Joined(database, total - left_out, missing, choices, offers, has_terms, has_spans)


def _count_choices(column: str) -> str:
    """Return SQL; only texts with a brace are looked at closely."""
    offers = f"regexp_matches({column}, {quote_text(CHOICE)})"
    return f"count(*) FILTER (CASE WHEN contains({column}, '{{') THEN {offers} END)"


def _require_named(manifest: ManifestVersion, plan: ScorePlan) -> None:
    """Refuse columns that were named and are not there; those of the defaults may be absent."""
    usual = ScorePlan()
    for option in ("blocks", "term", "entities"):
        name = getattr(plan, option)
        if name not in (None, getattr(usual, option), *manifest.columns):
            raise unknown("column", name, manifest.columns, where=f"--{option} of {manifest}")


def _source(
    manifest: ManifestVersion,
    hyps: str,
    plan: ScorePlan,
    types: dict[str, str],
    sample: str | None,
) -> str:
    """Return the query that puts hypotheses beside references, of a sample if one is named."""
    chosen = {
        "utt_id": f"m.{quote_name(UTT_ID)}",
        "reference": f"m.{quote_name(TEXT)}",
        "hypothesis": "h.hypothesis",
        "block": "NULL::VARCHAR",
        "stratum": "NULL::VARCHAR",
        "weight": "1.0::DOUBLE",
        "terms": "NULL::VARCHAR[]",
        "spans": "NULL::VARCHAR",
        **{group_column(name): _group(name, manifest) for name in plan.columns()},
    }
    if plan.blocks in types:
        chosen["block"] = f"nullif(CAST(m.{quote_name(plan.blocks)} AS VARCHAR), '')"
    if plan.term in types:
        term = f"m.{quote_name(plan.term)}"
        chosen["terms"] = (
            f"CAST({term} AS VARCHAR[])"
            if types[plan.term].endswith("[]")
            else f"[CAST({term} AS VARCHAR)]"
        )
    if plan.entities in types:
        chosen["spans"] = f"CAST(to_json(m.{quote_name(plan.entities)}) AS VARCHAR)"
    drawn = ""
    if sample is not None:
        chosen |= {"stratum": "s.stratum", "weight": "1.0 / s.inclusion_probability"}
        drawn = (
            f" JOIN (SELECT * FROM {_SAMPLES} WHERE run_id = {quote_text(sample)}) s USING (utt_id)"
        )
    selected = ", ".join(f"{sql} AS {quote_name(name)}" for name, sql in chosen.items())
    return (
        f"SELECT {selected} FROM {quote_name(str(manifest))} m LEFT JOIN ("
        f"SELECT utt_id, hypothesis FROM {TABLE} WHERE hyps = {quote_text(hyps)} "
        f"AND manifest = {quote_text(manifest.name)}) h USING (utt_id){drawn}"
    )


def _group(name: str, manifest: ManifestVersion) -> str:
    if name == DURATION_BUCKET and name not in manifest.columns:
        cases = (f"WHEN {sql} THEN {quote_text(own)}" for own, sql in DURATION_BUCKETS.items())
        return f"CASE {' '.join(cases)} END"
    if name not in manifest.columns:
        raise unknown(
            "column", name, [*manifest.columns, DURATION_BUCKET], where=f"--by of {manifest}"
        )
    return f"CAST(m.{quote_name(name)} AS VARCHAR)"


def _sample(workspace: Workspace, manifest: ManifestVersion) -> str:
    found = latest_sample(workspace, manifest)
    if found is None:
        raise UsageError(f"no sample of {manifest} holds", hint=f"asrdq sample {manifest.name}")
    return found.run_id


def _missing(
    database: DuckDBPyConnection, manifest: ManifestVersion, hyps: str, missing: int, total: int
) -> DataError:
    ids = database.sql(
        f"SELECT utt_id FROM beside WHERE hypothesis IS NULL ORDER BY 1 LIMIT {EXAMPLES}"
    ).fetchall()
    return DataError(
        f"{missing:,} of {total:,} rows of {manifest} have no hypothesis in '{hyps}'",
        problems=[Problem(f"no hypothesis: {utt_id}") for (utt_id,) in ids],
        hint="--ids empty counts them as empty, --ids common leaves them out",
    )


def _utterances(batch: pa.RecordBatch) -> Utterances:
    return Utterances(
        utt_id=batch["utt_id"],
        reference=batch["reference"],
        hypothesis=batch["hypothesis"],
        weight=batch["weight"].to_numpy(zero_copy_only=False),
        block=batch["block"],
        terms=_terms(batch["terms"]),
        spans=_spans(batch["spans"]),
    )


def _terms(lists: pa.ListArray) -> RowTerms:
    """Return the terms of rows; null ones are not asked for."""
    row, term = pc.list_parent_indices(lists), lists.flatten()
    given = pc.is_valid(term)
    return RowTerms(np.asarray(row.filter(given)), term.filter(given).to_pylist())


def _spans(documents: pa.Array) -> Spans:
    rows, labels, texts = [], [], []
    for row in np.flatnonzero(np.asarray(documents.is_valid())).tolist():
        for label, text in _labelled(documents[row].as_py()):
            rows.append(row)
            labels.append(label)
            texts.append(text)
    return Spans(np.array(rows, np.int64), labels, texts)


UNREADABLE = "(unreadable)"
"""Label of spans that are not a label and a text."""

_LABELS, _TEXTS = ("label", "category", "type", "tag"), ("text", "span", "value", "surface")


def _labelled(document: Any) -> Iterator[tuple[str, str]]:
    """Give label and text of each span of a row, from JSON, perhaps inside a JSON text."""
    try:
        while isinstance(document, str):
            document = json.loads(document) if document.strip() else []
    except ValueError:
        yield UNREADABLE, str(document)
        return
    if document is not None and not isinstance(document, list):
        yield UNREADABLE, json.dumps(document)
        return
    for span in document or []:
        named = span if isinstance(span, dict) else {}
        label = next((named[name] for name in _LABELS if named.get(name)), UNREADABLE)
        text = next((named[name] for name in _TEXTS if named.get(name)), json.dumps(span))
        yield str(label), str(text)
