"""Strata of a manifest as SQL: a column, several columns, or ordered rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from asrdq.errors import UsageError, unknown
from asrdq.settings import StratumRule
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion

Strata = str | Sequence[str] | Sequence[StratumRule] | None

EVERYTHING = "all"
NO_VALUE = "(none)"
"""Name of the stratum of rows whose column is null."""
SEPARATOR = " / "


def stratum_parts(strata: Strata, manifest: ManifestVersion) -> list[str]:
    """Return the SQL expressions whose texts, joined by ` / `, name the stratum of a row.

    A single expression that is null is a row that no rule takes. Parts are joined only where a
    name is needed: joining them for every row would cost as much as reading the ids.

    Args:
        strata: A column, several columns (joined by ` / `), rules of which the first whose
            condition holds takes the row, or None for one stratum `all`.
        manifest: The manifest whose columns they are.

    Raises:
        UsageError: A column does not exist, or a condition is not a plain SQL condition.
    """
    if strata is None:
        return [quote_text(EVERYTHING)]
    if isinstance(strata, str):
        return [_column(strata, manifest)]
    rules = [item for item in strata if isinstance(item, StratumRule)]
    if rules:
        return [_cases(rules)]
    return [_column(str(name), manifest) for name in strata]


def _column(name: str, manifest: ManifestVersion) -> str:
    if name not in manifest.columns:
        raise unknown("column", name, manifest.columns, where=f"strata of {manifest}")
    return f"coalesce(CAST({quote_name(name)} AS VARCHAR), {quote_text(NO_VALUE)})"


def _cases(rules: Sequence[StratumRule]) -> str:
    names = [rule.name for rule in rules]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(f"two strata rules have the name {', '.join(sorted(twice))}")
    open_ended = [rule.name for rule in rules[:-1] if rule.where is None]
    if open_ended:
        raise UsageError(
            f"the stratum rule '{open_ended[0]}' has no condition, so no later rule is reached",
            hint="put the rule without `where` last: it takes the rest",
        )
    cases = []
    for rule in rules:
        if rule.where is not None:
            check_condition(rule.where, where=f"stratum rule '{rule.name}'")
        condition = "true" if rule.where is None else f"({rule.where}\n)"
        cases.append(f"WHEN {condition} THEN {quote_text(rule.name)}")
    return f"CASE {' '.join(cases)} END"


_REFUSED = {"SUBQUERY": "a subquery", "WINDOW": "a window function", "STAR": "*"}


def check_condition(condition: str, *, where: str) -> None:
    """Refuse SQL that is more than one condition over the columns of a row.

    Raises:
        UsageError: It does not parse, is several expressions, or has a subquery or a window.
    """
    import duckdb

    with duckdb.connect() as database:
        [parsed] = database.execute(
            "SELECT json_serialize_sql($sql)", {"sql": f"SELECT ({condition}\n) AS condition"}
        ).fetchall()
    tree = json.loads(parsed[0])
    if tree["error"]:
        raise UsageError(
            f"not a SQL condition: {condition}: {tree.get('error_message', '')}", where=where
        )
    statements = tree["statements"]
    node = statements[0]["node"]
    plain = len(statements) == 1 and node.get("type") == "SELECT_NODE"
    if not plain or len(node["select_list"]) != 1 or node["from_table"]["type"] != "EMPTY":
        raise UsageError(f"not one condition: {condition}", where=where)
    found = _classes(node["select_list"])
    for kind, name in _REFUSED.items():
        if kind in found:
            raise UsageError(
                f"a condition looks at one row: {name} is not allowed in: {condition}", where=where
            )


def _classes(tree: Any) -> set[str]:
    if isinstance(tree, list):
        return set().union(*(_classes(item) for item in tree))
    if isinstance(tree, dict):
        own = {str(tree["class"])} if "class" in tree else set()
        return own.union(*(_classes(item) for item in tree.values()))
    return set()
