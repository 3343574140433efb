"""The one door to Great Expectations: what is used of it, loaded quietly and offline.

Loading takes seconds, so this module is imported inside functions. No data context is ever made,
so that Great Expectations looks for no settings and has nobody to tell what it does.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from asrdq.errors import ToolError

os.environ["GX_ANALYTICS_ENABLED"] = "False"


@contextmanager
def quietly() -> Iterator[None]:
    """Keep back the warnings that Great Expectations gives: of Python, and of its own past."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


with quietly():
    try:
        from great_expectations.compatibility.pydantic import ValidationError
        from great_expectations.exceptions import ExpectationNotFoundError
        from great_expectations.execution_engine import SqlAlchemyExecutionEngine
        from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
        from great_expectations.expectations.expectation import ColumnMapExpectation
        from great_expectations.expectations.metrics.map_metric_provider import (
            ColumnMapMetricProvider,
            column_condition_partial,
        )
        from great_expectations.expectations.registry import (
            get_expectation_impl,
            list_registered_expectation_implementations,
        )
        from great_expectations.validator.metrics_calculator import MetricsCalculator
    except ModuleNotFoundError as error:
        raise ToolError(
            f"suites need Great Expectations: {error}", hint="pip install 'asrdq[checks]'"
        ) from error

logging.getLogger("great_expectations").setLevel(logging.CRITICAL)

__all__ = [
    "ColumnMapExpectation",
    "ColumnMapMetricProvider",
    "ExpectationNotFoundError",
    "MetricsCalculator",
    "SqlAlchemyBatchData",
    "SqlAlchemyExecutionEngine",
    "ValidationError",
    "column_condition_partial",
    "get_expectation_impl",
    "list_registered_expectation_implementations",
    "quietly",
]
