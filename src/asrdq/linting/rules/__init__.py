"""The rules, a module for each part of a configuration; importing them registers them."""

from asrdq.linting.rules import (  # noqa: F401
    batches,
    checkpoints,
    data,
    length,
    memory,
    model,
    numbers,
    paths,
    splits,
    suppressing,
    validation,
    values,
)
from asrdq.linting.sources import nemo, overrides  # noqa: F401
