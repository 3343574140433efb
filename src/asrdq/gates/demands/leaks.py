"""Leaks: what evaluation manifests share with this one, as the newest comparison found it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from asrdq.gates.demands.finding_runs import (
    Row,
    answering_run,
    present,
    rows_of_run,
    runs_of,
    stands,
)
from asrdq.gates.demands.judged import (
    Answer,
    Asked,
    Demand,
    NoEvidenceError,
    Source,
    Standing,
)
from asrdq.leakage.findings import State
from asrdq.leakage.leaks import FINDINGS_TABLE as FINDINGS
from asrdq.leakage.leaks import LEAK_FINDINGS, LEAKS
from asrdq.leakage.leaks import TABLE as TOUCHED
from asrdq.leakage.plan import Kind

if TYPE_CHECKING:
    from asrdq.gates.policy_sections import LeakRules
    from asrdq.workspace import ManifestVersion


def demands(asked: Asked) -> Iterator[Demand]:
    """Give what a policy demands of each evaluation manifest."""
    rules = asked.policy.leaks
    if rules is None:
        return
    limits = ", ".join(f"{kind} {limit:.2%}" for kind, limit in rules.limits().items())
    same = "".join(f" --same {column}" for column in rules.maximum_same)
    for evaluation in rules.against:
        yield Demand(
            f"leaks:{evaluation}",
            f"{evaluation} shares no more than this with the manifest",
            limits,
            f"asrdq leaks {asked.manifest.name} {evaluation}{same}",
            partial(_look, asked, rules, evaluation),
        )


def _look(asked: Asked, rules: LeakRules, name: str) -> Answer:
    workspace, manifest = asked.workspace, asked.manifest
    evaluation = present(workspace, name)
    if evaluation == manifest:
        raise NoEvidenceError(f"{manifest} would be compared with itself", hint="mend the policy")
    runs = [
        run
        for run in runs_of(workspace, "leaks", evaluation.name)
        if str(run["parameters"].get("train")).partition("@")[0] == manifest.name
    ]
    run = answering_run(
        runs,
        f"comparison of {evaluation.name} with {manifest.name}",
        (
            lambda run: stands(workspace, *_train(run["parameters"]), manifest),
            f"is with other content than {manifest}",
        ),
        (
            lambda run: stands(workspace, run["manifest_version"], run["fingerprint"], evaluation),
            f"is of other content than {evaluation}",
        ),
        (lambda run: _as_near(run, rules), "compared fewer texts than the policy asks for"),
        (
            lambda run: set(rules.limits()) <= set(run["parameters"].get("compared") or ()),
            "left out kinds that the policy asks for",
        ),
    )
    found = _found(asked, evaluation, run)
    source = Source(
        FINDINGS,
        f"SELECT * FROM {FINDINGS} WHERE run_id = '{run['run_id']}'",
        f"leaks {evaluation.name}",
        run["run_id"],
        run["ended"],
        (evaluation,),
    )
    return _judge(found, rules, evaluation, source)


def _train(parameters: Row) -> tuple[int | None, str | None]:
    """Return version and fingerprint of the training manifest of a comparison."""
    version = str(parameters.get("train")).partition("@")[2]
    return (int(version) if version.isdecimal() else None), parameters.get("train_fingerprint")


def _as_near(run: Row, rules: LeakRules) -> bool:
    parameters, limits = run["parameters"], rules.limits()
    if Kind.NEAR_TEXT in limits and not float(parameters.get("near", 1.0)) <= rules.near:
        return False
    by_text = {Kind.TEXT, Kind.NEAR_TEXT} & set(limits)
    return not by_text or int(parameters["min_words"]) <= rules.min_words


def _found(asked: Asked, evaluation: ManifestVersion, run: Row) -> dict[str, Row]:
    """Return the row of each kind, where both tables say the same of it."""
    run_id = run["run_id"]
    rows = rows_of_run(asked.workspace, FINDINGS, run_id, LEAK_FINDINGS)
    touched = rows_of_run(asked.workspace, TOUCHED, run_id, LEAKS, may_be_empty=True)
    counts = Counter(row["kind"] for row in touched)
    found = {row["kind"]: row for row in rows}
    if len(found) < len(rows) or set(found) != set(run["parameters"]["compared"]):
        raise NoEvidenceError(f"its rows in '{FINDINGS}' are not one for each kind")
    for kind, row in found.items():
        share = row["rows"] / evaluation.rows
        if counts[kind] != row["rows"] or abs(share - row["share"]) > 1e-9:
            raise NoEvidenceError(
                f"'{FINDINGS}' has {row['rows']:,} rows of {kind} ({row['share']:.2%} of "
                f"{evaluation.rows:,}), '{TOUCHED}' {counts[kind]:,}"
            )
    return found


def _judge(
    found: dict[str, Row], rules: LeakRules, evaluation: ManifestVersion, source: Source
) -> Answer:
    limits = rules.limits()
    shares = ", ".join(f"{kind} {found[kind]['share']:.2%}" for kind in limits)
    over = [kind for kind, limit in limits.items() if found[kind]["share"] > limit]
    unsure = [kind for kind in limits if found[kind]["state"] == State.UNKNOWN]
    if over:
        told = ", ".join(
            f"{kind} {found[kind]['rows']:,} rows, {found[kind]['share']:.2%}" for kind in over
        )
        query = f"FROM {TOUCHED} WHERE run_id = '{source.run_id}'"
        return Answer(
            Standing.BREACHED,
            f"{evaluation} shares too much: {told}",
            shares,
            (source,),
            f'asrdq sql "{query}"',
        )
    if unsure:
        told = "; ".join(f"{kind}: {found[kind]['detail']}" for kind in unsure)
        raise NoEvidenceError(f"not every row was compared: {told}", (source,))
    return Answer(Standing.HOLDS, f"{evaluation} shares {shares}", shares, (source,))
