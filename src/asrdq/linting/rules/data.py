"""Rules about the manifest that a configuration is to train on."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Family, Knob
from asrdq.linting.registry import MANIFEST, Found, rule
from asrdq.planning.findings import Level

_SHOWN = 12


@rule(
    "rows-dropped",
    Level.WARNING,
    reason="The loader drops rows outside its duration filters without a word in the result; hours "
    "that were paid for are not trained on. If nothing is left it is an error.",
    mend="move the filter, cut long clips, or say that the loss is meant",
    needs=(MANIFEST,),
)
def rows_dropped(case: Case) -> Iterator[Found]:
    """Count what the duration filters drop."""
    data = case.data
    if data is None:
        return
    gone = (
        (Knob.MIN_DURATION, "below", data.short_rows, data.short_hours),
        (Knob.MAX_DURATION, "above", data.long_rows, data.long_hours),
    )
    for knob, side, rows, hours in gone:
        at = case.config.get(knob)
        if at is not None and rows:
            told = f"{rows:,} of {data.rows:,} rows ({rows / data.rows:.2%}), {hours:,.2f} h, lie"
            level = Level.ERROR if rows == data.rows else None
            yield Found(f"{told} {side} {at.key} {at.value:g}", at, level=level)


@rule(
    "null-durations",
    Level.ERROR,
    reason="A row without a duration stops the loader or is dropped, and buckets cannot place it.",
    mend="asrdq probe measures them; asrdq derive writes them into a new version",
    needs=(MANIFEST,),
)
def null_durations(case: Case) -> Iterator[Found]:
    """Count rows without a duration."""
    data = case.data
    if data is not None and data.null_durations:
        rows = data.null_durations
        yield Found(f"{rows:,} of {data.rows:,} rows of {data.manifest} have no duration")


@rule(
    "clip-too-long-for-whisper",
    Level.ERROR,
    reason="Whisper sees 30 s; of a longer clip the audio is cut off and the label is not, and the "
    "model learns to make up text.",
    mend="cut the clips at pauses with `asrdq cut`, or filter at 30 s",
    needs=(MANIFEST,),
)
def clip_too_long_for_whisper(case: Case) -> Iterator[Found]:
    """Count clips over 30 s for Whisper."""
    if Family.WHISPER in case.config.families and case.data and case.data.over_whisper:
        rows = case.data.over_whisper
        at = case.config.get(Knob.MAX_DURATION)
        yield Found(f"{rows:,} rows are longer than 30 s", at)


@rule(
    "label-too-long-for-whisper",
    Level.ERROR,
    reason="Whisper's decoder has 448 places; a longer label raises an error in mid-run.",
    mend="cut the clips at pauses with `asrdq cut`, or leave the rows out",
    needs=(MANIFEST,),
)
def label_too_long_for_whisper(case: Case) -> Iterator[Found]:
    """Count labels over 448 tokens; without a tokenizer, those that may have as many."""
    if Family.WHISPER not in case.config.families or case.data is None:
        return
    counted = case.tokenizer.long_labels if case.tokenizer is not None else None
    if counted:
        yield Found(f"{counted:,} labels have more than 448 tokens")
    elif counted is None and case.data.long_labels:
        yield Found(
            f"{case.data.long_labels:,} labels could have more than 448 tokens",
            mend="count them: --tokenizer tokenizer.json",
            level=Level.WARNING,
        )


@rule(
    "clip-too-long-for-aligner",
    Level.WARNING,
    reason="Beyond 180 s the forced aligner of Qwen3 works in pieces, and what it says of the "
    "words at their seams is not to be trusted.",
    mend="cut the clips at pauses: `asrdq cut`",
    needs=(MANIFEST,),
)
def clip_too_long_for_aligner(case: Case) -> Iterator[Found]:
    """Count clips over 180 s."""
    if case.data is not None and case.data.over_aligner:
        rows, longest = case.data.over_aligner, case.data.longest_s
        yield Found(f"{rows:,} rows are longer than 180 s, the longest {longest:,.0f} s")


@rule(
    "repeated-transcript",
    Level.ERROR,
    reason="The transcript of a whole recording on each of its pieces teaches the model to say "
    "what is not in the audio.",
    mend="`asrdq cut` the whole recording: each piece gets its own words",
    needs=(MANIFEST,),
)
def repeated_transcript(case: Case) -> Iterator[Found]:
    """Look for one text on several pieces of a recording."""
    data = case.data
    if data is not None and data.repeated_recordings:
        yield Found(
            f"{data.repeated_rows:,} pieces of {data.repeated_recordings:,} recordings carry the "
            f"same text, as in {data.repeated_example}"
        )


@rule(
    "tokenizer-coverage",
    Level.ERROR,
    reason="A character that the tokenizer cannot write is dropped or becomes <unk>: the model "
    "learns to be silent there.",
    mend="normalise the transcripts, or train a tokenizer on them",
    needs=(MANIFEST,),
)
def tokenizer_coverage(case: Case) -> Iterator[Found]:
    """Look for characters that the tokenizer cannot write."""
    known = case.tokenizer
    if known is None or not known.lacks:
        return
    shown = " ".join(_visible(sign) for sign in sorted(known.lacks)[:_SHOWN])
    more = f" and {len(known.lacks) - _SHOWN} more" if len(known.lacks) > _SHOWN else ""
    at = case.config.get(Knob.TOKENIZER) or case.config.get(Knob.LABELS)
    yield Found(f"{known.name} cannot write {shown}{more}: {known.rows:,} transcripts", at)


def _visible(sign: str) -> str:
    return sign if sign.isprintable() and not sign.isspace() else f"U+{ord(sign):04X}"
