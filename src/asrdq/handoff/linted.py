"""What the lint says of a recipe and its data, as a hand-off takes it: errors stand against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.handoff.refusals import Refusal
from asrdq.linting import Around, Dialect, Finding, Level, lint_config, read_config
from asrdq.planning import parse_gpus, read_hardware

if TYPE_CHECKING:
    from asrdq.console import Stage
    from asrdq.handoff.asked import Asked
    from asrdq.leakage import LeakResult

_TOLD_AS_LEAKS = "split-leak"
"""The rule about what both sides share: that is a reason of its own, `leaks`."""


@dataclass(frozen=True)
class Linted:
    """What the lint found.

    Attributes:
        findings: Every finding, in JSON types, as the provenance keeps it.
        refusals: Those that stand against a hand-off.
    """

    findings: tuple[dict[str, Any], ...]
    refusals: tuple[Refusal, ...]

    def warnings(self) -> list[str]:
        """Return what a person should know before the run, and nobody answered for."""
        return [
            f"lint: {finding['rule']}: {finding['message']}"
            for finding in self.findings
            if finding["level"] == Level.WARNING and finding["suppressed"] is None
        ]


def lint(asked: Asked, leaks: LeakResult | None, stage: Stage) -> Linted:
    """Hold the recipe against every rule of the lint, with its data and its machine.

    Args:
        asked: The hand-off.
        leaks: What both manifests share; None where they are one, and so is no validation.
        stage: Shows progress.

    Raises:
        UsageError: The recipe or the GPUs cannot be read.
        ToolError: The library of a tokenizer is not installed.
    """
    workspace, file = asked.workspace, asked.recipe.layers[-1].file
    around = Around(
        workspace=workspace,
        manifest=asked.train,
        validation=asked.validation if leaks else None,
        gpus=parse_gpus(asked.gpus, read_hardware(workspace)) if asked.gpus else None,
        leaks=leaks,
    )
    result = lint_config(read_config(file, (), Dialect.RECIPE), around, stage=stage)
    command = f"asrdq lint {file} --manifest {asked.train} --val {asked.validation}"
    return Linted(
        tuple(_kept(finding) for finding in result.found),
        tuple(
            Refusal("lint", _told(finding), f"{command}: {finding.mend}")
            for finding in result.standing
            if finding.level is Level.ERROR and finding.rule != _TOLD_AS_LEAKS
        ),
    )


def _told(finding: Finding) -> str:
    place = f" ({finding.file}:{finding.line})" if finding.file and finding.line else ""
    return f"{finding.rule}: {finding.message}{place}"


def _kept(finding: Finding) -> dict[str, Any]:
    """Return a finding without the place of the recipe on this machine."""
    told = ("rule", "message", "key", "line", "suppressed")
    return {"level": finding.level.value, **{name: getattr(finding, name) for name in told}}
