"""The rules, a module for each part of a configuration; importing them registers them."""

from asrdq.linting.rules import (  # noqa: F401
    batches,
    checkpoints,
    data,
    finite,
    length,
    memory,
    model,
    numbers,
    paths,
    splits,
    suppressing,
    validation,
)
from asrdq.linting.sources import nemo, overrides  # noqa: F401
