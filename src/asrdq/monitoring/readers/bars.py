"""What a line of a training console says: progress bars, printed metrics, saved checkpoints."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, replace
from typing import Final

_NUMBER: Final = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf)"

ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")

_BAR: Final = re.compile(
    r"\b(?P<count>\d{1,15})(?:/(?P<total>\d{1,15}|\?)|it) \[[\d:]+(?:<[\d:?]*)?(?P<rest>[^\]\n]*)"
)
_EPOCH: Final = re.compile(r"\bEpoch (\d{1,15})")
_RATE: Final = re.compile(rf"(?P<rate>{_NUMBER})(?P<unit>it/s|s/it)")
_PAIR: Final = re.compile(rf"(?P<name>[A-Za-z_][\w./\- ]*?)=(?P<value>{_NUMBER})(?=[,\]\s]|$)")
_PRINTED: Final = re.compile(r"\{'[^{}]*\}")
_NUMBERED: Final = re.compile(r"\[(?:Step|Eval) (?P<step>\d{1,15})(?:/\d+)?\](?P<rest>.*)")
_SAID: Final = re.compile(
    rf"(?P<name>[A-Za-z_][\w./]*): (?P<value>{_NUMBER})(?P<unit>%|GB|GiB|MB)?(?=[,\s]|$)"
)
_MONITORED: Final = re.compile(
    rf"Epoch (?P<epoch>\d{{1,15}}), global step (?P<step>\d{{1,15}}): '?(?P<name>[\w./\-]+)'? "
    rf"(?:reached (?P<value>{_NUMBER})|was not in top)"
)
_OTHER_BARS: Final = re.compile(r"(?:Validation|Validating|Sanity Checking|Testing|Predicting)\b")
_UNFROZEN: Final = re.compile(r"\bunfreez(?:e|es|ing)\b|\bunfroze\b|\bunfrozen\b", re.I)
_ENDED: Final = re.compile(r"`?Trainer\.fit`? stopped|Signaling Trainer to stop|Training completed")
_PLANNED: Final = re.compile(r"max_steps['\"]?\s*[:=]\s*(\d{1,15})\b")
_UNITS: Final = {"%": 0.01, "GB": 1.0, "GiB": 1.0, "MB": 1 / 1024}


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says.

    Attributes:
        values: Metrics by the names of the log.
        step: The step it names itself.
        epoch: The epoch it names.
        count: Count of a bar; in its epoch where that is named.
        total: How far the bar goes.
        ended: Whether the run came to an end.
        unfrozen: Whether layers were unfrozen.
        planned: How many steps the run is to have.
        printed: Whether it is a dictionary that the Trainer prints.
    """

    values: dict[str, float]
    step: int | None = None
    epoch: float | None = None
    count: int | None = None
    total: int | None = None
    ended: bool = False
    unfrozen: bool = False
    planned: int | None = None
    printed: bool = False


def read_line(line: str) -> Said | None:
    """Return what a line says, None where that is nothing about the training.

    >>> said = read_line("Epoch 0: | | 278/? [04:45<00:00, 0.97it/s, train_step_timing in s=1.080]")
    >>> said.count, said.values
    (278, {'it/s': 0.97, 'train_step_timing in s': 1.08})
    """
    bracket = "[" in line
    if bracket and (numbered := _NUMBERED.search(line)):
        return _numbered(numbered)
    if "global step" in line and (monitored := _MONITORED.search(line)):
        return _monitored(monitored)
    if "{'" in line and (printed := _PRINTED.search(line)):
        return _printed(printed[0])
    if bracket and (bar := _BAR.search(line)):
        before = line[: bar.start()]
        if _OTHER_BARS.search(before):
            return None
        found, behind = _bar(bar, _EPOCH.search(before)), _remark(line[bar.end() :])
        if behind is None:
            return found
        return replace(found, ended=behind.ended, unfrozen=behind.unfrozen, planned=behind.planned)
    return _remark(line)


def _bar(found: re.Match[str], epoch: re.Match[str] | None) -> Said:
    values = {}
    rate = _RATE.search(found["rest"])
    if rate:
        speed = number(rate["rate"])
        values["it/s"] = speed if rate["unit"] == "it/s" else _inverse(speed)
    for pair in _PAIR.finditer(found["rest"]):
        values[pair["name"].strip(" ,")] = number(pair["value"])
    step = values.pop("global_step", math.nan)
    for name in ("v_num", "consumed_samples"):
        values.pop(name, None)
    return Said(
        values,
        step=int(step) if math.isfinite(step) and step >= 0 else None,
        epoch=int(epoch[1]) if epoch else None,
        count=int(found["count"]),
        total=int(found["total"]) if (found["total"] or "?") != "?" else None,
    )


def _numbered(found: re.Match[str]) -> Said:
    values = {}
    for pair in _SAID.finditer(found["rest"]):
        scale = _UNITS.get(pair["unit"] or "", 1.0)
        values[pair["name"]] = number(pair["value"]) * scale
    return Said(values, step=int(found["step"]))


def _monitored(found: re.Match[str]) -> Said:
    values = {found["name"]: number(found["value"])} if found["value"] else {}
    return Said(values, step=int(found["step"]), epoch=int(found["epoch"]))


def _printed(text: str) -> Said | None:
    """Return the metrics that Hugging Face's Trainer prints as a Python dictionary."""
    try:
        printed = ast.literal_eval(re.sub(r"\b(nan|inf)\b", "'\\1'", text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(printed, dict):
        return None
    values = {}
    for name, value in printed.items():
        try:
            values[str(name)] = float(value)
        except (TypeError, ValueError):
            continue
    epoch = values.pop("epoch", None)
    whole = epoch if epoch is not None and math.isfinite(epoch) else None
    ended = "train_runtime" in values
    if ended:
        values = {"mean_loss" if k == "train_loss" else k: v for k, v in values.items()}
    return Said(values, epoch=whole, ended=ended, printed=True)


def _remark(line: str) -> Said | None:
    unfrozen, ended = bool(_UNFROZEN.search(line)), bool(_ENDED.search(line))
    planned = _PLANNED.search(line) if "max_steps" in line else None
    if not (unfrozen or ended or planned):
        return None
    return Said({}, ended=ended, unfrozen=unfrozen, planned=int(planned[1]) if planned else None)


def number(text: str) -> float:
    """Return a number of a log; `nan` and `inf` are numbers."""
    return float(text)


def _inverse(value: float) -> float:
    return 1.0 / value if value else math.inf
