"""What Lhotse's objects mean as rows: cuts, and supervisions with their recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asrdq.manifests.columns import (
    AUDIO_PATH,
    DURATION,
    LANGUAGE,
    OFFSET,
    SPEAKER,
    TEXT,
    UTT_ID,
    free_name,
)
from asrdq.manifests.rejects import RejectReason

CHANNEL, RECORDING_ID = "channel", "recording_id"
SAMPLING_RATE, NUM_SAMPLES = "sampling_rate", "num_samples"

_CUT_FIELDS = frozenset(
    {"id", "start", "duration", "channel", "supervisions", "recording", "type", "custom"}
)
_SUPERVISION_FIELDS = frozenset(
    {"id", "recording_id", "start", "duration", "channel", "text", "language", "speaker", "custom"}
)
_WHOLE_WITHIN_S = 1e-6


class Unfit(Exception):
    """An object that no row can stand for: reason and detail."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def cut_rows(cut: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the rows of a cut: one, or one a supervision where it has several.

    Raises:
        Unfit: It is no segment of one audio file, or lacks a field.
    """
    kind = cut.get("type", "MonoCut")
    if kind not in ("MonoCut", "MultiCut", "Cut"):
        raise Unfit(RejectReason.NOT_A_CLIP, f"a {kind} is no segment of an audio file")
    recording = cut.get("recording")
    if not isinstance(recording, Mapping):
        raise Unfit(RejectReason.NOT_A_CLIP, "the cut has no recording")
    start, duration = number(cut, "start"), number(cut, "duration")
    extra = {**_rest(cut, _CUT_FIELDS), **_custom(cut)}
    supervisions = _objects(cut, "supervisions")
    if len(supervisions) < 2:
        words = dict(supervisions[0]) if supervisions else {}
        words |= {"id": cut.get("id"), "start": start, "duration": duration}
        yield supervision_row({**words, CHANNEL: cut.get(CHANNEL)}, recording, extra)
        return
    for each in supervisions:
        at = start + number(each, "start")
        yield supervision_row({**each, "start": at}, recording, extra)


def supervision_row(
    words: Mapping[str, Any], recording: Mapping[str, Any], extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the row of a supervision in its recording.

    Args:
        words: The supervision; its start counts from the beginning of the recording.
        recording: The recording.
        extra: Further columns.

    Raises:
        Unfit: The recording is no audio file, or a field is missing or of another type.
    """
    start, duration = number(words, "start"), number(words, "duration")
    length = recording.get("duration")
    known = isinstance(length, (int, float))
    whole = start == 0 and known and abs(duration - float(length or 0)) < _WHOLE_WITHIN_S
    row = {
        UTT_ID: _text(words, "id"),
        AUDIO_PATH: audio_source(recording),
        TEXT: _text(words, "text"),
        DURATION: duration,
        OFFSET: None if whole else start,
        LANGUAGE: _text(words, "language"),
        SPEAKER: _text(words, "speaker"),
        RECORDING_ID: _text(recording, "id"),
        CHANNEL: words.get(CHANNEL),
        SAMPLING_RATE: recording.get(SAMPLING_RATE),
        NUM_SAMPLES: recording.get(NUM_SAMPLES),
    }
    own = {**extra, **_rest(words, _SUPERVISION_FIELDS), **_custom(words)}
    for key, value in own.items():
        row[free_name(key, [*row, *own]) if key in row else key] = value
    return row


def audio_source(recording: Mapping[str, Any]) -> str:
    """Return the audio file of a recording.

    Raises:
        Unfit: It is a command, lies in memory or in several files, or is changed on reading.
    """
    sources = _objects(recording, "sources")
    if len(sources) != 1:
        raise Unfit(RejectReason.NOT_A_CLIP, f"a recording of {len(sources)} sources, not of one")
    kind, source = sources[0].get("type"), sources[0].get("source")
    if kind == "command":
        detail = "its audio is the output of a command, and commands are not run"
        raise Unfit(RejectReason.COMMAND_PIPE, detail)
    if kind not in ("file", "url") or not isinstance(source, str):
        raise Unfit(RejectReason.NOT_A_CLIP, f"its audio is of the type '{kind}', not a file")
    changes = [change.get("name", change) for change in _objects(recording, "transforms")]
    if any(change != "Resample" for change in changes):
        raise Unfit(RejectReason.NOT_A_CLIP, f"its audio is changed on reading: {changes}")
    return source


def number(record: Mapping[str, Any], key: str) -> float:
    """Return a field that has to be a number.

    Raises:
        Unfit: It is missing or something else.
    """
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unfit(RejectReason.WRONG_TYPE, f"'{key}' is {value!r:.40}, not a number")
    return float(value)


def _objects(record: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return a field that has to be a list of objects; an empty one where it is missing.

    Raises:
        Unfit: It is something else.
    """
    value = record.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise Unfit(RejectReason.WRONG_TYPE, f"'{key}' is no list of objects")
    return value


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value
    if key in ("id", "speaker") and isinstance(value, int):
        return str(value)
    raise Unfit(RejectReason.WRONG_TYPE, f"'{key}' is {value!r:.40}, not text")


def _rest(record: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in known}


def _custom(record: Mapping[str, Any]) -> dict[str, Any]:
    custom = record.get("custom")
    return dict(custom) if isinstance(custom, Mapping) else {}
