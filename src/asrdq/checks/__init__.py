"""Expectations: suites of Great Expectations on manifests, and speech expectations for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.checks.infer import InferResult, infer_suite
    from asrdq.checks.lint import SuiteList, lint_suites, list_suites
    from asrdq.checks.result import CheckResult
    from asrdq.checks.rules import RULES, Rule, rule
    from asrdq.checks.run import check
    from asrdq.checks.suites import Suite, read_suite, suite_names

__all__ = [
    "RULES",
    "CheckResult",
    "InferResult",
    "Rule",
    "Suite",
    "SuiteList",
    "check",
    "infer_suite",
    "lint_suites",
    "list_suites",
    "read_suite",
    "rule",
    "suite_names",
]

__getattr__ = lazy_names(
    __name__,
    {
        "run": ["check"],
        "infer": ["InferResult", "infer_suite"],
        "lint": ["SuiteList", "lint_suites", "list_suites"],
        "result": ["CheckResult"],
        "rules": ["RULES", "Rule", "rule"],
        "suites": ["Suite", "read_suite", "suite_names"],
    },
)
