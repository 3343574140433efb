"""Rules about the model that a run starts from, and what of it is trained."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import TRANSDUCERS, Family, Knob
from asrdq.linting.model_languages import knows
from asrdq.linting.registry import MANIFEST, Found, rule
from asrdq.planning.findings import Level

NOT_FOR_FINE_TUNING = ("nemotron-speech-streaming-en-0.6b",)
_PROMPTED = frozenset({Family.WHISPER, Family.AED})


@rule(
    "base-not-for-sft",
    Level.ERROR,
    reason="nvidia/nemotron-speech-streaming-en-0.6b is a cache-aware streaming model: the stock "
    "script for supervised fine-tuning is proven on Parakeet TDT and not on it.",
    mend="start from nvidia/parakeet-tdt-0.6b-v2 (English) or -v3 (25 languages)",
)
def base_not_for_sft(case: Case) -> Iterator[Found]:
    """Look for a base model that is not to be fine-tuned."""
    at = case.config.get(Knob.BASE_MODEL)
    if at is not None and any(name in str(at.value).lower() for name in NOT_FOR_FINE_TUNING):
        yield Found(f"the run starts from {at.value}", at)


@rule(
    "streaming-base",
    Level.ERROR,
    reason="A cache-aware streaming model hears little of what comes after a frame; trained as an "
    "offline model it hears the whole clip, and does worse as a stream afterwards.",
    mend="start from an offline model of the same family; nvidia/parakeet-tdt-0.6b-v3, for one",
)
def streaming_base(case: Case) -> Iterator[Found]:
    """Look for a base model that was trained to stream."""
    at = case.config.get(Knob.BASE_MODEL)
    if at is None:
        return
    name = str(at.value).lower()
    if "streaming" in name and not any(other in name for other in NOT_FOR_FINE_TUNING):
        yield Found(f"the run starts from {at.value}", at)


@rule(
    "adapters-on-transducer",
    Level.ERROR,
    reason="Adapters leave the decoder and the joint network of a TDT or RNNT model frozen; what "
    "is proven for these models is to fine-tune them whole.",
    mend="take the adapters out and train the whole model, or take a CTC model",
)
def adapters_on_transducer(case: Case) -> Iterator[Found]:
    """Look for adapters on a transducer without a CTC head."""
    at = case.config.get(Knob.ADAPTERS)
    kinds = case.config.families & TRANSDUCERS
    if at is not None and kinds:
        yield Found(f"adapters on a {min(kinds).upper()} model", at)


@rule(
    "language-unsupported",
    Level.WARNING,
    reason="A language that the model was not trained on starts from nothing: it has no name or "
    "token in the prompt, and the model writes another language.",
    mend="take a model that knows it, or plan for much more data, and evaluate before and after",
    needs=(MANIFEST,),
)
def language_unsupported(case: Case) -> Iterator[Found]:
    """Look for languages of the manifest that the base model does not know."""
    if case.data is None or case.config.get(Knob.BASE_MODEL) is None:
        return
    unknown = {
        name: rows
        for name, rows in case.data.languages.items()
        if name is not None and knows(case.config.model, name) is False
    }
    if unknown:
        told = ", ".join(f"{name} ({rows:,} rows)" for name, rows in sorted(unknown.items()))
        level = Level.ERROR if case.config.families & _PROMPTED else None
        at = case.config.get(Knob.BASE_MODEL)
        yield Found(f"{case.config.model} does not know {told}", at, level=level)
