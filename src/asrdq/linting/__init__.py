"""Lint: training configurations held against the field's expensive mistakes, and their data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.linting.catalogue import every_rule
    from asrdq.linting.config import Config, Dialect
    from asrdq.linting.findings import Finding
    from asrdq.linting.fixing import fix
    from asrdq.linting.lint import Around, lint_config
    from asrdq.linting.reachable import Job
    from asrdq.linting.result import LintResult
    from asrdq.linting.sources.reading import read_config
    from asrdq.linting.writing import lint_commands, lint_sarif
    from asrdq.planning.findings import Level

__all__ = [
    "Around",
    "Config",
    "Dialect",
    "Finding",
    "Job",
    "Level",
    "LintResult",
    "every_rule",
    "fix",
    "lint_commands",
    "lint_config",
    "lint_sarif",
    "read_config",
]

__getattr__ = lazy_names(
    __name__,
    {
        "config": ["Config", "Dialect"],
        "findings": ["Finding", "Level"],
        "fixing": ["fix"],
        "lint": ["Around", "lint_config"],
        "reachable": ["Job"],
        "catalogue": ["every_rule"],
        "result": ["LintResult"],
        "sources.reading": ["read_config"],
        "writing": ["lint_commands", "lint_sarif"],
    },
)
