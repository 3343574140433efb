"""Rules about precision, learning rate and gradients."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Dialect, Family, Knob, Setting
from asrdq.linting.findings import Edit
from asrdq.linting.registry import MANIFEST, Found, rule
from asrdq.planning.findings import Level

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
    reason="The loss of a TDT decoder leaves the range of fp16: it is NaN, and the run is lost.",
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
    if at is None or (at.value is None and at.written is None):
        return
    if at.value in (None, 0):
        edit = replaced(at, _CLIP)
        if at.written is None:
            edit = case.config.insert(at.key, _CLIP)
        yield Found(f"{at.key} is {'not set' if at.written is None else at.value}", at, edit=edit)
