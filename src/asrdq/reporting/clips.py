"""The worst clips: which ones, and everything the page shows of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asrdq.audio import clip_segment, file_hashes
from asrdq.audit.reasons import InstrumentStatus
from asrdq.reporting.sound import Sound, clip_sound
from asrdq.reporting.words import Token, Word, marked_words, missing_words, tokens, yardstick

if TYPE_CHECKING:
    from asrdq.reporting.subject import Subject
    from asrdq.workspace import Workspace

MOST_AUDIO_BYTES: Final = 8_000_000
"""Of compressed audio on one page; clips after that have no player."""

_LABEL_PX: Final = 6.6
_LABEL_GAP_PX: Final = 5.0
WIDE_PX: Final = 860.0
NARROW_PX: Final = 300.0


@dataclass(frozen=True)
class Label:
    """A word drawn over the waveform; where it has room: `wide`, `narrow` screens or both."""

    word: Word
    room: str


@dataclass(frozen=True)
class ShownClip:
    """One clip as the page shows it.

    Attributes:
        row: Its row of `audits`.
        tokens: The transcript, marked where words fit badly.
        matched: Whether the marks could be laid over the transcript as it is written.
        words: The placed words.
        labels: The placed words inside what is shown, relative to its start.
        sound: Outline, voice and player, or in a sentence why there is none.
        playable: Whether the page has room for its audio.
        changed: Whether the file is another one than the audit heard.
        wordless: Why there is no placed word; empty where there is one.
    """

    row: dict[str, Any]
    tokens: list[Token]
    matched: bool
    words: list[Word]
    labels: list[Label]
    sound: Sound | str
    playable: bool
    changed: bool
    wordless: str

    @property
    def audio_bytes(self) -> int:
        """Bytes of audio on the page."""
        return len(self.sound.mp3) if self.playable and isinstance(self.sound, Sound) else 0


def worst_clips(clips: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return the clips to look at first, of those that could be judged.

    Low-quality clips come first, by turns from each combination of reasons, so that many clips
    without a file do not hide the rest; then those that passed with the lowest confidence. They
    are shown by confidence, then coverage, the lowest first.
    """
    judged = [clip for clip in clips if clip["instrument"] == InstrumentStatus.OK]
    ordered = sorted(judged, key=_badness)
    turns: dict[tuple[str, ...], int] = {}
    ranked = []
    for clip in ordered:
        kind = tuple(clip["reasons"])
        turns[kind] = turns.get(kind, 0) + 1
        ranked.append((not clip["low_quality"], turns[kind], _badness(clip), clip))
    chosen = [item[-1] for item in sorted(ranked, key=lambda item: item[:-1])[:count]]
    return sorted(chosen, key=lambda clip: (not clip["low_quality"], _badness(clip)))


def _badness(clip: dict[str, Any]) -> tuple[float, float, str]:
    return clip["confidence"] or 0.0, clip["coverage"] or 0.0, str(clip["utt_id"])


def show_clips(
    workspace: Workspace,
    subject: Subject,
    count: int,
    advance: Callable[[int], None] = lambda _clips: None,
) -> list[ShownClip]:
    """Return the worst clips with transcript, words and sound.

    Args:
        workspace: Where the tables and the audio are.
        subject: The audit.
        count: At most so many clips.
        advance: Told of each clip.
    """
    rows = worst_clips(subject.evidence.clips, count)
    if not rows:
        return []
    ids = [row["utt_id"] for row in rows]
    segments = _segments(workspace, subject, ids)
    missing = missing_words(workspace, subject.run_id)
    spans = {} if missing else _spans(workspace, subject.run_id, ids)
    scale = None if missing else yardstick(workspace, subject.run_id)
    wordless = missing or "No word could be placed in this audio."
    shown, spent = [], 0
    for row in rows:
        segment = segments.get(row["utt_id"], {})
        words = marked_words(spans.get(row["utt_id"], []), scale)
        clip = _show(workspace, subject, row, segment, words, "" if words else wordless, spent)
        spent += clip.audio_bytes
        shown.append(clip)
        advance(1)
    return shown


def _show(
    workspace: Workspace,
    subject: Subject,
    row: dict[str, Any],
    segment: dict[str, Any],
    words: list[Word],
    wordless: str,
    spent: int,
) -> ShownClip:
    language = segment.get("language") or workspace.settings.language
    pieces, matched = tokens(row["text"] or "", words, language)
    offset_s, length_s = clip_segment(segment.get("offset_s"), segment.get("duration_s"))
    path = workspace.audio_file(subject.manifest, segment.get("audio_path", row["audio_path"]))
    sound = clip_sound(path, offset_s, length_s, words)
    return ShownClip(
        row=row,
        tokens=pieces,
        matched=matched,
        words=words,
        labels=place_labels(words, sound) if isinstance(sound, Sound) else [],
        sound=sound,
        playable=isinstance(sound, Sound) and spent + len(sound.mp3) <= MOST_AUDIO_BYTES,
        changed=file_hashes([path])[path] != row["audio_hash"],
        wordless=wordless,
    )


def _segments(
    workspace: Workspace, subject: Subject, ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the file of each clip by the version asked about, its place in it, and language."""
    rows = workspace.query(
        f'SELECT utt_id, audio_path, offset_s, duration_s, language FROM "{subject.manifest}" '
        "WHERE list_contains($ids, utt_id)",
        {"ids": list(ids)},
    )
    return {row["utt_id"]: row for row in rows.to_pylist()}


def _spans(
    workspace: Workspace, run_id: str, ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    rows = workspace.query(
        "SELECT * FROM word_spans WHERE run_id = $run AND list_contains($ids, utt_id)",
        {"run": run_id, "ids": list(ids)},
    ).to_pylist()
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["utt_id"], []).append(row)
    return found


def place_labels(words: Sequence[Word], sound: Sound) -> list[Label]:
    """Return the words inside what is shown, each with the screens that have room for its text.

    Badly fitting words get their place first, the others where they overlap nothing.
    """
    end_s = sound.start_s + sound.length_s
    inside = [word for word in words if word.end_s > sound.start_s and word.start_s < end_s]
    wide = _with_room(inside, sound, WIDE_PX)
    narrow = _with_room(inside, sound, NARROW_PX)
    rooms = {(True, True): "wide narrow", (True, False): "wide", (False, True): "narrow"}
    return [
        Label(word, rooms.get((index in wide, index in narrow), ""))
        for index, word in enumerate(inside)
    ]


def _with_room(words: Sequence[Word], sound: Sound, width_px: float) -> set[int]:
    taken: list[tuple[float, float]] = []
    fitting = set()
    for index in sorted(range(len(words)), key=lambda i: (not words[i].mark, i)):
        word = words[index]
        middle_s = (word.start_s + word.end_s) / 2 - sound.start_s
        middle = width_px * middle_s / max(sound.length_s, 1e-9)
        half = _LABEL_PX * len(word.text) / 2
        left, right = middle - half, middle + half + _LABEL_GAP_PX
        inside = left >= 0 and right - _LABEL_GAP_PX <= width_px
        if inside and all(right <= start or left >= end for start, end in taken):
            taken.append((left, right))
            fitting.add(index)
    return fitting
