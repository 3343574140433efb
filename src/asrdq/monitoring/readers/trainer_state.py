"""`trainer_state.json` of Hugging Face's Trainer, also one that is being written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from asrdq.monitoring.logs import LARGEST_STEP, Log, Point, frame

_NOT_METRICS: Final = frozenset({"step", "epoch", "total_flos"})
_HISTORY: Final = '"log_history"'
_MEAN: Final = {"train_loss": "mean_loss"}
"""The last entry gives the mean over the run under a name that looks like a loss at a step."""


def read_trainer_state(path: Path, file: str) -> Log:
    """Read a trainer state; of a half written or damaged one, the entries before the damage.

    `NaN` and `Infinity`, which the Trainer writes though JSON has no such words, are read.

    Raises:
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    text = content.decode("utf-8", "replace")
    log = Log(file, frame(()))
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        log.reject("is half written or damaged; what stands before that was read", line)
        state = {"log_history": list(_entries(text))}
    if not isinstance(state, dict) or not isinstance(state.get("log_history", []), list):
        log.reject("is no trainer state: it has no list log_history")
        return log
    history = state.get("log_history", [])
    log.rows = frame(_points(history, log))
    _describe(log, state, history)
    return log


def _entries(text: str) -> Iterator[Any]:
    """Give the entries of a log history whose file is not whole."""
    start = text.find(_HISTORY)
    at = text.find("[", start) + 1 if start >= 0 else 0
    decoder = json.JSONDecoder()
    while at > 0:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            entry, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield entry


def _points(history: list[Any], log: Log) -> Iterator[Point]:
    for number, entry in enumerate(history, start=1):
        step = _step(entry.get("step")) if isinstance(entry, dict) else None
        if step is None:
            log.reject(f"entry {number} of log_history has no step")
            continue
        epoch = entry.get("epoch")
        epoch = float(epoch) if _is_number(epoch) else None
        renamed = _MEAN if "train_runtime" in entry else {}
        for name, value in entry.items():
            if name in _NOT_METRICS:
                continue
            if _is_number(value):
                yield step, renamed.get(name, name), float(value), epoch, None
            elif isinstance(value, str) and value.lower() in _WORDS:
                yield step, name, _WORDS[value.lower()], epoch, None


_WORDS: Final = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def _describe(log: Log, state: dict[str, Any], history: list[Any]) -> None:
    log.max_steps = _step(state.get("max_steps")) or None
    last = history[-1] if history and isinstance(history[-1], dict) else {}
    reached = _step(state.get("global_step")) or 0
    log.ended = "train_runtime" in last or bool(log.max_steps and reached >= log.max_steps)


def _step(value: Any) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= LARGEST_STEP else None


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 1e300
    return isinstance(value, float)
