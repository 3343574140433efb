"""Rules about precision, learning rate, gradients and memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Dialect, Family, Knob, Setting
from asrdq.linting.findings import Edit, Level
from asrdq.linting.registry import GPUS, MANIFEST, Found, rule

_HALF = ("16", "16-mixed", "16-true", "fp16", "fp16-mixed", "half")
_FULL = ("32", "32-true", "fp32", "64", "64-true")
LOWEST_RATE = 1e-4
HIGHEST_RATE = 1e-3
FEW_ROWS = 100
_CLIP = "1.0"


def replaced(at: Setting, text: str) -> Edit | None:
    """Return the edit that writes a value in the place of the present one; None if unsafe."""
    return None if at.span is None else Edit(*at.span, text)


def _precision(case: Case) -> tuple[Setting | None, str]:
    at = case.config.get(Knob.PRECISION)
    return at, "" if at is None else str(at.value).lower()


@rule(
    "tdt-fp16",
    Level.ERROR,
    reason="The loss of a TDT decoder leaves the range of fp16: it becomes NaN and the run is lost.",
    mend="precision bf16-mixed",
    fixes=True,
)
def tdt_fp16(case: Case) -> Iterator[Found]:
    """Look for fp16 with a TDT decoder."""
    at, precision = _precision(case)
    if at is not None and precision in _HALF and Family.TDT in case.config.families:
        named = "bf16-mixed" if case.config.dialect is not Dialect.HUGGING_FACE else None
        edit = replaced(at, named) if named else None
        yield Found(f"{at.key} is {precision} with a TDT decoder", at, edit=edit)


@rule(
    "fp32-precision",
    Level.WARNING,
    reason="fp32 takes about twice the time and memory of bf16-mixed and gains nothing.",
    mend="precision bf16-mixed, where the GPU has it (Ampere and later)",
)
def fp32_precision(case: Case) -> Iterator[Found]:
    """Look for full precision."""
    at, precision = _precision(case)
    if at is not None and precision in _FULL:
        by_default = " by default" if at.written is None else ""
        yield Found(f"{at.key} is {precision}{by_default}", at)


@rule(
    "lr-too-high",
    Level.ERROR,
    reason="Above 1e-3 a fine-tuned model forgets what it knew of the language; only a model that "
    "starts from nothing may need it (a warning then).",
    mend="1e-4 to 3e-4 for a whole model, less for its top layers",
)
def lr_too_high(case: Case) -> Iterator[Found]:
    """Look for learning rates above 1e-3, at their peak."""
    for at in case.config.rates:
        rate = _peak(case, at)
        if rate is not None and rate > HIGHEST_RATE:
            level = Level.WARNING if case.config.trained is False else None
            yield Found(f"{at.key}: the learning rate rises to {rate:.2g}", at, level=level)


@rule(
    "lr-too-low",
    Level.WARNING,
    reason="Below 1e-4 training hardly moves on fewer than 100 rows.",
    mend="1e-4 to 3e-4",
    needs=(MANIFEST,),
)
def lr_too_low(case: Case) -> Iterator[Found]:
    """Look for a learning rate below 1e-4 on few rows."""
    at = case.config.get(Knob.LEARNING_RATE)
    if at is None or case.data is None or case.data.kept_rows >= FEW_ROWS:
        return
    rate = _peak(case, at)
    if rate is not None and rate < LOWEST_RATE:
        yield Found(f"{at.key} {rate:.2g} on {case.data.kept_rows} rows", at)


def _peak(case: Case, at: Setting) -> float | None:
    """Return the highest learning rate; with Noam's schedule `lr` is only a factor of it.

    lr · d^-0.5 · warmup^-0.5 (Vaswani et al. 2017); None where d is not known.
    """
    if isinstance(at.value, bool) or not isinstance(at.value, (int, float)):
        return None
    if "noam" not in (case.config.word(Knob.SCHEDULE) or "").lower():
        return float(at.value)
    width = case.config.number(Knob.MODEL_WIDTH)
    warmup = case.config.number(Knob.WARMUP_STEPS)
    return float(at.value) * (width * warmup) ** -0.5 if width and warmup else None


@rule(
    "no-gradient-clipping",
    Level.WARNING,
    reason="Without clipping a single bad batch can throw the weights away; with it the cost is "
    "nothing.",
    mend="gradient clipping at 1.0",
    fixes=True,
)
def no_gradient_clipping(case: Case) -> Iterator[Found]:
    """Look for gradient clipping that is off."""
    at = case.config.settings.get(Knob.GRADIENT_CLIP)
    if at is None or at.value is None and at.written is None:
        return
    if at.value in (None, 0):
        edit = replaced(at, _CLIP)
        if at.written is None:
            edit = case.config.insert(at.key, _CLIP)
        yield Found(f"{at.key} is {'not set' if at.written is None else at.value}", at, edit=edit)


@rule(
    "batch-too-large-for-gpu",
    Level.WARNING,
    reason="The batch is larger than what was seen to fit: the run ends with CUDA out of memory, "
    "often hours in, when the longest clips meet (over twice as large: an error).",
    mend="a smaller batch and more accumulation, which keeps the effective batch",
    needs=(GPUS,),
)
def batch_too_large_for_gpu(case: Case) -> Iterator[Found]:
    """Hold the batch against what was seen to fit into the memory of a GPU."""
    if case.gpus is None:
        return
    size, seconds = case.config.get(Knob.BATCH_SIZE), case.config.get(Knob.BATCH_DURATION)
    at, unit = (seconds, "s of audio") if seconds is not None else (size, "clips")
    fits = _fits(case, by_seconds=seconds is not None)
    if at is None or fits is None or float(at.value) <= fits:
        return
    level = Level.ERROR if float(at.value) > 2 * fits else None
    yield Found(
        f"{at.key} {at.value:g}: on {case.gpus.memory_gb} GB {fits:g} {unit} were seen to fit",
        at,
        level=level,
    )


_TDT_SEEN = ((16, 4), (48, 16))
"""GB of memory to the clips of a batch that fit, for a TDT model of 0.6 B parameters."""
_QWEN_SEEN = ((40, 4),)
"""The same for Qwen3-ASR 1.7 B: 2 leave a margin of 8 to 12 GB, 4 have been run."""
_CANARY_SEEN_S, _CANARY_SEEN_GB, _CANARY_STATE_GB = 2200, 192, 12
"""Seconds of audio a batch, memory, and what weights and optimiser take of it (canary-1b)."""


def _fits(case: Case, *, by_seconds: bool) -> float | None:
    """Return the largest batch that was seen to fit into memory like this; None: none was seen."""
    memory = case.gpus.memory_gb if case.gpus is not None else 0
    size = re.search(r"(\d+(?:\.\d+)?)b(?![a-z])", case.config.model)
    billions = float(size[1]) if size else None
    families = case.config.families
    if by_seconds:
        if Family.AED not in families:
            return None
        free = memory - _CANARY_STATE_GB
        return max(0, round(_CANARY_SEEN_S * free / (_CANARY_SEEN_GB - _CANARY_STATE_GB)))
    seen: tuple[tuple[int, int], ...] = ()
    if Family.TDT in families and (billions is None or billions <= 0.6):
        seen = _TDT_SEEN
    elif Family.QWEN3_ASR in families and billions == 1.7:
        seen = _QWEN_SEEN
    known = [(gb, clips) for gb, clips in seen if gb <= memory]
    if not known:
        return None
    gb, clips = known[-1]
    return clips if (gb, clips) != seen[-1] else clips * memory // gb
