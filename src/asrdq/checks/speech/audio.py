"""Expectations about the audio itself, as `asrdq probe` found it."""

from __future__ import annotations

from asrdq.checks.rules import FACTS, SUBJECT, listed, literal, rule
from asrdq.errors import UsageError

_FACT = f"(SELECT any_value({{fact}}) FROM {FACTS} WHERE {FACTS}.utt_id = {SUBJECT}.utt_id)"


def _holds(condition: str) -> str:
    """Return SQL that asks whether the audio of the row was probed and fulfils a condition."""
    return f"utt_id IN (SELECT utt_id FROM {FACTS} WHERE {condition})"


@rule(
    "expect_audio_to_decode",
    column="audio_path",
    nulls_fail=True,
    audio=True,
    shows=_FACT.format(fact="status"),
)
def decodes(column: str) -> str:
    """The audio exists and can be decoded from its beginning to its end.

    Example: `{}`
    """
    return _holds("status = 'ok'")


@rule(
    "expect_duration_to_match_audio",
    column="duration_s",
    nulls_fail=True,
    audio=True,
    shows=_FACT.format(fact="duration_difference_s"),
)
def duration_matches(column: str, *, tolerance_s: float = 0.1) -> str:
    """The stated duration is that of the audio, but for a tolerance in seconds.

    Example: `{"tolerance_s": 0.1}`
    """
    return _holds(f"abs(duration_difference_s) <= {literal(tolerance_s)}")


@rule(
    "expect_audio_sample_rate",
    column="audio_path",
    nulls_fail=True,
    audio=True,
    shows=_FACT.format(fact="sample_rate"),
)
def sample_rate(column: str, *, rates: list[int]) -> str:
    """The audio has one of these sample rates in Hz.

    Example: `{"rates": [16000]}`
    """
    return _holds(f"sample_rate IN {_some('rates', rates)}")


@rule(
    "expect_audio_channels",
    column="audio_path",
    nulls_fail=True,
    audio=True,
    shows=_FACT.format(fact="channels"),
)
def channels(column: str, *, channels: list[int]) -> str:
    """The audio has one of these numbers of channels.

    Example: `{"channels": [1]}`
    """
    return _holds(f"channels IN {_some('channels', channels)}")


@rule(
    "expect_audio_codec",
    column="audio_path",
    nulls_fail=True,
    audio=True,
    shows=_FACT.format(fact="codec"),
)
def codec(column: str, *, codecs: list[str]) -> str:
    """The audio is coded in one of these ways, called as in `audio_facts`.

    Example: `{"codecs": ["flac", "pcm_s16le"]}`
    """
    return _holds(f"codec IN {_some('codecs', codecs)}")


def _some(name: str, values: list[int] | list[str]) -> str:
    if not values:
        raise UsageError(f"{name} is empty")
    return listed(values)
