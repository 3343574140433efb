"""Rates of groups of utterances, each with its interval."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from asrdq.errors import UsageError
from asrdq.scoring.plan import DURATION_BUCKETS
from asrdq.scoring.rates import COUNTERS, FORMULAS, Metric
from asrdq.scoring.reading import group_column
from asrdq.scoring.resampling import MOST_BLOCKS, Blocks, interval
from asrdq.scoring.staged import BLOCK_KEY, STRATUM, UTT_KEY
from asrdq.scoring.tables import SCORES, SPAN_SCORES, TERM_SCORES
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.scoring.plan import ScorePlan

BY_TERM, BY_ENTITY = "term", "entity_class"
"""Groupings that are there without being asked for, where rows have terms or tagged spans."""

UTTERANCE, NO_VALUE = "utterance", "(none)"
_BETWEEN: Final = " + "

KEYWORD_METRICS: Final = (
    Metric.KER,
    Metric.KEYWORD_PRECISION,
    Metric.KEYWORD_RECALL,
    Metric.KEYWORD_F1,
)
TEXT_METRICS: Final = (Metric.WER, Metric.CER, Metric.MER, Metric.WIL, Metric.WIP, Metric.SER)

_ERRORS = "(substitutions + deletions + insertions)"
_COUNTS = {
    SCORES: {
        "utterances": "1",
        "wrong": f"({_ERRORS} > 0)::INT",
        **{name: name for name in COUNTERS[2:9]},
        "keyword_rows": "(terms > 0)::INT",
        "keyword_missed": "if(terms > 0, missed_terms / terms, 0)",
        **{name: name for name in COUNTERS[11:14]},
        "worded": "(words > 0)::INT",
        "wer_sum": f"if(words > 0, {_ERRORS} / words, 0)",
    },
    TERM_SCORES: {"utterances": "1", "keyword_rows": "1", "keyword_missed": "missed::INT"},
    SPAN_SCORES: {
        "utterances": "1",
        "wrong": f"({_ERRORS} > 0)::INT",
        "words": "words",
        "hits": "words - substitutions - deletions",
        **{name: name for name in ("substitutions", "deletions", "insertions")},
    },
}
"""How each count follows from a row of a table; counts that are not named are 0."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Rows of a staged table that are grouped.

    Attributes:
        name: What people call it: the columns, joined by `+`; empty for all rows together.
        table: The table.
        columns: SQL of what makes a group.
        metrics: Rates of each group.
        condition: Which rows are scored.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    metrics: tuple[Metric, ...]
    condition: str = "true"


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks of one group: the value of each column, and the counts of each block."""

    member: str
    blocks: Blocks
    blocked_by: str


def groupings(plan: ScorePlan, *, terms: bool, spans: bool) -> list[Grouping]:
    """Return all groupings of a plan, and those by term and by the class of tagged spans.

    To ask for groups by the column of terms is to ask for those by term.

    Raises:
        UsageError: Another column that is asked for has the name of one of these.
    """
    itself = [BY_TERM] if terms and plan.term == BY_TERM else []
    metrics = [*TEXT_METRICS, *([Metric.MACRO_WER] if plan.macro else [])]
    metrics += KEYWORD_METRICS if terms else ()
    asked = [
        Grouping(
            "+".join(names),
            SCORES,
            tuple(quote_name(group_column(name)) for name in names),
            tuple(metrics),
        )
        for names in plan.groupings()
        if not names or list(names) != itself
    ]
    more = []
    if terms:
        more.append(Grouping(BY_TERM, TERM_SCORES, ("term",), (Metric.KER,), "fault IS NULL"))
    if spans:
        more.append(Grouping(BY_ENTITY, SPAN_SCORES, ("label",), (Metric.WER,), "fault IS NULL"))
    for clash in {own.name for own in asked} & {own.name for own in more}:
        raise UsageError(
            f"--by {clash}: the groups of keywords or tagged spans are called so already",
            hint=f'rename the column: asrdq derive NAME "SELECT *, {clash} AS … FROM …"',
        )
    return asked + more


def group_rows(
    database: DuckDBPyConnection, scored: str, grouping: Grouping, plan: ScorePlan
) -> Iterator[dict[str, Any]]:
    """Give a row for each group and metric, the columns of `GROUPS` without its keys."""
    for group in _groups(database, scored, grouping, plan):
        totals = dict(zip(COUNTERS, group.blocks.counts.sum(axis=0).tolist(), strict=True))
        for metric in grouping.metrics:
            formula = FORMULAS[metric]
            found = interval(group.blocks, formula, seed=plan.seed, replicates=plan.replicates)
            units = formula.quantities(group.blocks.counts.sum(axis=0, keepdims=True))[0, 1]
            yield {
                "grouped_by": grouping.name,
                "member": group.member,
                "metric": str(metric),
                "rate": found.value,
                "low": found.low,
                "high": found.high,
                "units": float(units),
                "method": str(found.method),
                "blocks": found.blocks,
                "blocked_by": group.blocked_by,
                **totals,
            }


def _groups(
    database: DuckDBPyConnection, scored: str, grouping: Grouping, plan: ScorePlan
) -> Iterator[Group]:
    table = database.sql(_blocks_query(scored, grouping)).to_arrow_table()
    members = table.column("member").combine_chunks().dictionary_encode()
    codes = members.indices.to_numpy(zero_copy_only=False)
    counts = np.column_stack([table.column(name).to_numpy() for name in COUNTERS])
    strata = table.column(STRATUM).combine_chunks().dictionary_encode()
    sampled = strata.null_count < len(strata)
    stratum = strata.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    speakers = table.column("by_block").to_numpy()
    cuts = np.flatnonzero(np.diff(codes, prepend=-1, append=-1)).tolist()
    for start, end in itertools.pairwise(cuts):
        blocks = Blocks(counts[start:end], stratum[start:end] if sampled else None)
        blocked_by = str(plan.blocks) if speakers[start] else UTTERANCE
        yield Group(members[start].as_py(), blocks, blocked_by)


def _blocks_query(scored: str, grouping: Grouping) -> str:
    """Return the query for the sums of blocks, group by group.

    Blocks are speakers where a group has more than one, and single utterances otherwise: also
    within a sample, whose rows were drawn one by one. Too many blocks are merged by their keys;
    how many is too many need not be exact, and an exact count of millions would fill the memory.
    """
    named = [f"coalesce({column}::VARCHAR, {quote_text(NO_VALUE)})" for column in grouping.columns]
    member = f" || {quote_text(_BETWEEN)} || ".join(named) or "''"
    own = _COUNTS[grouping.table]
    sums = ", ".join(
        f"coalesce(sum(({own[name]}) * weight), 0)::DOUBLE AS {name}"
        if name in own
        else f"0::DOUBLE AS {name}"
        for name in COUNTERS
    )
    return f"""
        WITH scored AS NOT MATERIALIZED (
            SELECT *, {member} AS member
            FROM {scored} WHERE {grouping.condition}),
        sizes AS (
            SELECT member, min({BLOCK_KEY}) < max({BLOCK_KEY}) AND count({STRATUM}) = 0 AS by_block,
                approx_count_distinct({BLOCK_KEY})
                    + count(*) FILTER ({BLOCK_KEY} IS NULL) AS blocks,
                count(*) AS utterances
            FROM scored GROUP BY member),
        keyed AS (
            SELECT scored.*, coalesce(by_block, false) AS by_block,
                CASE WHEN by_block THEN coalesce({BLOCK_KEY}, {UTT_KEY}) ELSE {UTT_KEY} END AS own,
                CASE WHEN by_block THEN blocks ELSE utterances END > {MOST_BLOCKS} AS many
            FROM scored JOIN sizes USING (member))
        SELECT member, {STRATUM}, any_value(by_block) AS by_block, {sums}
        FROM (SELECT *, CASE WHEN many THEN own % {MOST_BLOCKS} ELSE own END AS merged FROM keyed)
        GROUP BY member, {STRATUM}, merged ORDER BY member, {STRATUM}, merged"""


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a grouping for people: terms worst first, numbers as they grow."""
    if all(row["grouped_by"] == BY_TERM for row in rows):
        return sorted(rows, key=lambda row: (-row["rate"], -row["utterances"], row["member"]))
    buckets = list(DURATION_BUCKETS)

    def key(row: dict[str, Any]) -> list[tuple[float, str]]:
        return [
            (buckets.index(part) if part in buckets else _number(part), part)
            for part in row["member"].split(_BETWEEN)
        ]

    return sorted(rows, key=key)


def _number(text: str) -> float:
    """Return a number as it is, and infinity for a text, so that it comes after all numbers."""
    try:
        number = float(text)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(number) else number


def as_table(rows: list[dict[str, Any]], keys: dict[str, str], schema: pa.Schema) -> pa.Table:
    """Return rows with the keys of their scoring in front."""
    return pa.Table.from_pylist([{**keys, **row} for row in rows], schema=schema)
