"""Findings as GitHub and code scanners read them."""

from __future__ import annotations

from asrdq.annotations.github import workflow_command
from asrdq.annotations.sarif import sarif_document, sarif_location, sarif_result, suppressed
from asrdq.errors import ExitCode
from asrdq.linting.catalogue import every_rule
from asrdq.linting.findings import Finding
from asrdq.linting.result import LintResult
from asrdq.planning.findings import Level

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def lint_commands(result: LintResult) -> str:
    """Return what stands as workflow commands, one a line, at the line of each finding."""
    lines = [
        workflow_command(
            _COMMANDS[each.level],
            f"asrdq lint: {each.rule}",
            f"{each.message}\n→ {each.mend}",
            file=_file(result, each),
            line=each.line,
        )
        for each in result.standing
    ]
    head = result.summary()
    return "\n".join([*lines, workflow_command("notice", "asrdq lint", head)])


def lint_sarif(result: LintResult, code: ExitCode) -> str:
    """Return the findings as a SARIF log, suppressed ones with why.

    Args:
        result: The findings.
        code: How the command ends.
    """
    rules = {rule.id: rule.reason for rule in every_rule().values()}
    results = []
    for each in result.found:
        place = sarif_location(_file(result, each), each.key, each.line)
        one = sarif_result(each.rule, each.level.value, f"{each.message}\n{each.mend}", place)
        if each.suppressed is not None:
            one = suppressed(one, "inSource", each.suppressed)
        results.append(one)
    properties = {"config": result.config, "dialect": result.dialect, "manifest": result.manifest}
    return sarif_document(f"asrdq lint/{result.config}", rules, results, code, properties)


def _file(result: LintResult, finding: Finding) -> str:
    """Return the file of a finding; what stands on the command line is shown at the file's top."""
    return finding.file if finding.file and finding.line is not None else result.config
