"""`asrdq cycle`: hand-off, model before, training, model after, scores, comparison, advice."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pyarrow as pa

from asrdq import console
from asrdq.console import Stage, silent
from asrdq.cycles.evidence import (
    bundle_there,
    comparison_there,
    run_that_transcribed,
    scoring_there,
)
from asrdq.cycles.numbers import CycleRound, decisions, note_decision, take_round
from asrdq.cycles.result import STAGES, CycleResult
from asrdq.errors import DataError, UsageError
from asrdq.handoff import hand_off
from asrdq.leaderboard import find_route, read_leaderboard
from asrdq.models.devices import free_memory
from asrdq.rounds import compare_rounds
from asrdq.rounds.decision import Verdict
from asrdq.scoring import score_hypotheses
from asrdq.scoring.scorings import is_first, newest_scoring
from asrdq.training import TrainPlan, train
from asrdq.transcription import (
    TranscriberOptions,
    TranscriptionPlan,
    build_transcriber,
    transcribe,
)
from asrdq.workspace.runs import FAILED, INTERRUPTED

if TYPE_CHECKING:
    from asrdq.cycles.plan import CyclePlan
    from asrdq.scoring.scorings import Scoring
    from asrdq.training import TrainingResult
    from asrdq.workspace import Workspace

DONE, FOUND, STOPPED = "done", "found", "stopped"
NAMES: Final = (
    *("hand off", "transcribe before", "train", "transcribe after"),
    *("score before", "score after", "compare", "advise"),
)
"""The stages in their order. The model before comes first: what cannot transcribe here is known
before the training, not after it."""

T = TypeVar("T")


def run_cycle(workspace: Workspace, plan: CyclePlan, *, stage: Stage = silent) -> CycleResult:
    """Run a round, or go on with it at the first stage that is not done.

    Each stage does what its verb does. A stage is done where its evidence is there: a bundle that
    verifies, a finished run, hypotheses of exactly this model and content, scores and a comparison
    by exactly this plan.

    Args:
        workspace: Where everything is.
        plan: The round.
        stage: Shows progress.

    Raises:
        DataError: The hand-off is refused, the bundle was changed, the training refuses, or rows
            have no hypothesis.
        UsageError: Settings have mistakes.
        ToolError: A model, package, device or disk fails. What was done stays.
    """
    parameters = {
        "cycle": plan.cycle,
        "validation": str(plan.asked.validation),
        "evaluation": str(plan.measured_on),
        "recipe": plan.asked.recipe.recipe.name,
        "trainer": plan.trained_by,
        "transcriber": plan.transcribed_by,
        "base": plan.base_model,
        "max_steps": plan.max_steps,
        "compare": plan.compare.parameters(),
        "score": plan.score.parameters(),
    }
    with workspace.run("cycle", plan.asked.train, parameters) as run:
        own = take_round(workspace, plan, run.run_id)
        result = _Going(workspace, plan, own, run.run_id, stage).go()
        if result.model is None:
            run.finish(INTERRUPTED if result.exit_code > 1 else FAILED, "the training was stopped")
    return result


class _Going:
    """One round, stage by stage."""

    def __init__(
        self, workspace: Workspace, plan: CyclePlan, own: CycleRound, run_id: str, stage: Stage
    ) -> None:
        self._workspace, self._plan, self._own = workspace, plan, own
        self._run_id, self._stage = run_id, stage
        self._rows: list[dict[str, Any]] = []

    def go(self) -> CycleResult:
        bundle_id = self._timed(self._hand_off)
        before_run = self._timed(lambda: self._transcribe(self._own.hyps_before, before=True))
        trained = self._timed(lambda: self._train(bundle_id))
        if trained.info.model is None or not trained.finished:
            return self._stopped(bundle_id, trained)
        model = trained.info.model.path
        after_run = self._timed(lambda: self._transcribe(self._own.hyps_after, model=model))
        before = self._timed(lambda: self._score(self._own.hyps_before, before_run))
        after = self._timed(lambda: self._score(self._own.hyps_after, after_run))
        compared, exit_code = self._timed(lambda: self._compare(before, after, model))
        route, advice = self._timed(lambda: self._advise(after, compared))
        return self._result(
            bundle_id,
            model=model,
            metric=compared["metric"],
            before_rate=compared["before_rate"],
            after_rate=compared["after_rate"],
            low=compared["low"],
            high=compared["high"],
            verdict=compared["verdict"],
            reasons=tuple(reason.partition(": ")[2] for reason in compared["reasons"]),
            go=compared["go"],
            route=route,
            advice=advice,
            next_command=self._next_command(compared["verdict"]),
            exit_code=exit_code,
        )

    def _timed(self, work: Callable[[], tuple[str, str, T]]) -> T:
        """Do a stage, and note how it went: its state, and what it tells."""
        name = NAMES[len(self._rows)]
        number = f"{len(self._rows) + 1}/{len(NAMES)}"
        console.say(f"round {self._own.number}, {number} {name}", "bold")
        started = time.monotonic()
        state, told, value = work()
        seconds = time.monotonic() - started
        self._rows.append({"stage": name, "state": state, "seconds": seconds, "told": told})
        console.say(f"  {state}: {told}", "dim")
        return value

    def _hand_off(self) -> tuple[str, str, str]:
        bundle = self._own.bundle
        asked = replace(self._plan.asked, out=bundle)
        known = bundle_there(self._workspace, asked, bundle)
        if known is not None:
            return FOUND, f"bundle {known[:12]}", known
        bundle.parent.mkdir(parents=True, exist_ok=True)
        made = hand_off(asked, stage=self._stage)
        return DONE, f"bundle {made.bundle_id[:12]}", made.bundle_id

    def _transcribe(
        self, hyps: str, model: str = "", *, before: bool = False
    ) -> tuple[str, str, dict[str, Any]]:
        plan, manifest = self._plan, self._plan.measured_on
        address = self._own.before_model if before else model
        options = TranscriberOptions(plan.transcribed_by, address, device=plan.device)
        transcriber = build_transcriber(options)
        if transcriber.remote:
            raise UsageError(
                f"'{transcriber.name}' asks a server, which has no model of this round",
                hint="a transcriber that loads the model itself, such as nemo",
            )
        known = run_that_transcribed(self._workspace, manifest, hyps, transcriber.version)
        if known is not None:
            return FOUND, f"{hyps} on {manifest}", known
        made = transcribe(
            self._workspace,
            manifest,
            TranscriptionPlan(options, hyps),
            workers=plan.workers,
            stage=self._stage,
        )
        if made.transcribed < made.clips:
            console.warn(f"{made.clips - made.transcribed:,} clips of {hyps} have no hypothesis")
        found = run_that_transcribed(self._workspace, manifest, hyps, transcriber.version)
        if found is None:
            raise DataError(
                f"no clip of {manifest} has a hypothesis of {address}",
                hint="asrdq sql 'SELECT * FROM transcription_failures'",
            )
        return DONE, f"{made.transcribed:,} of {made.clips:,} clips as {hyps}", found

    def _train(self, bundle_id: str) -> tuple[str, str, TrainingResult]:
        plan = self._plan
        asked = TrainPlan(
            self._own.bundle,
            backend=plan.trained_by,
            run_dir=self._own.run_dir,
            device=plan.device,
            base=plan.base,
            allow=plan.allow,
            max_steps=plan.max_steps,
            bundle_id=bundle_id,
            name=self._own.hyps_after,
        )
        made = train(asked, self._workspace, stage=self._stage)
        free_memory()  # the model is transcribed in another process
        state = STOPPED if not made.finished else FOUND if made.already else DONE
        return state, made.summary().splitlines()[0], made

    def _score(self, hyps: str, transcribed: dict[str, Any]) -> tuple[str, str, Scoring]:
        workspace, manifest, plan = self._workspace, self._plan.measured_on, self._plan.score
        known = scoring_there(workspace, manifest, hyps, plan, transcribed["ended"])
        if known is not None:
            return FOUND, str(known), known
        made = score_hypotheses(workspace, manifest, hyps, plan, stage=self._stage)
        wer = made.rate("wer")
        return (
            DONE,
            f"{hyps}: WER {wer['rate']:.2%}",
            newest_scoring(workspace, hyps, str(manifest)),
        )

    def _compare(
        self, before: Scoring, after: Scoring, model: str
    ) -> tuple[str, str, tuple[dict[str, Any], int]]:
        workspace, plan, own = self._workspace, self._plan.compare, self._own
        known = comparison_there(workspace, before, after, plan)
        told = {row["comparison"]: row for _, row in decisions(workspace, own.cycle)}
        if known is not None and known["run_id"] in told:
            exit_code = int(told[known["run_id"]]["exit_code"])
            return FOUND, known["verdict"], (known, exit_code)
        made = compare_rounds(
            workspace,
            own.hyps_before,
            own.hyps_after,
            plan,
            manifest=str(self._plan.measured_on),
            stage=self._stage,
        )
        row = comparison_there(workspace, before, after, plan)
        assert row is not None, "the comparison that was just made is not there"
        code = int(made.exit_code)
        details = {
            "comparison": made.run_id,
            "exit_code": code,
            "verdict": str(made.decision.verdict),
            "model": model,
        }
        note_decision(workspace, own, self._plan.identity(), details, self._run_id)
        return DONE, str(made.decision.verdict), (row, code)

    def _advise(
        self, after: Scoring, compared: dict[str, Any]
    ) -> tuple[str, str, tuple[str, tuple[str, ...]]]:
        board = read_leaderboard(self._workspace, after)
        route = find_route(board, first=is_first(self._workspace, after))
        meaning = Verdict(compared["verdict"]).meaning()
        return DONE, meaning, (route.verdict, (meaning, *route.told()))

    def _next_command(self, verdict: str) -> str:
        own, manifest = self._own, self._plan.measured_on
        if verdict in (Verdict.OVERFIT, Verdict.UNDECIDED):
            return (
                f"asrdq compare {own.hyps_before} {own.hyps_after} --manifest {manifest} "
                "--rows broken"
            )
        if verdict == Verdict.GROW:
            return f"asrdq leaderboard {own.hyps_after} --on {manifest}"
        return f"asrdq report {manifest.name}"

    def _stopped(self, bundle_id: str, trained: TrainingResult) -> CycleResult:
        return self._result(
            bundle_id,
            exit_code=trained.exit_code or 1,
            advice=("the same command goes on with the training, once nothing stops it",),
            next_command=f"asrdq checkpoints {shlex.quote(str(self._own.run_dir))}",
        )

    def _result(self, bundle_id: str, **known: Any) -> CycleResult:
        nothing: dict[str, Any] = {
            **dict.fromkeys(("model", "before_rate", "after_rate", "low", "high", "go")),
            **dict.fromkeys(("metric", "verdict", "route"), ""),
            "reasons": (),
        }
        own = self._own
        return CycleResult(
            cycle=own.cycle,
            round=own.number,
            folder=str(own.folder),
            bundle_id=bundle_id,
            evaluation=str(self._plan.measured_on),
            before=own.hyps_before,
            after=own.hyps_after,
            stages=pa.Table.from_pylist(self._rows, schema=STAGES),
            **{**nothing, **known},
        )
