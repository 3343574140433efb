"""Where a recording is cut: worked out by hand, and what holds for any recording."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asrdq.alignment import WordSpan
from asrdq.audio import FRAME_S
from asrdq.cutting.pieces import KeptBack, Limits, Piece, cut_pieces
from asrdq.text.partings import partings

LIMITS = Limits(longest_s=4.0, pause_s=0.3, coverage=0.6)


def recording(
    *pauses: float, word_s: float = 0.9
) -> tuple[list[WordSpan], NDArray[np.bool_], str, float]:
    """Words of 0.9 s, with these pauses after the first, the second and so on."""
    spans, here = [], 0.0
    for number, pause in enumerate((*pauses, 0.0)):
        spans.append(WordSpan(f"w{number}", here, here + word_s, -1.0))
        here += word_s + pause
    middles = (np.arange(round(here / FRAME_S)) + 0.5) * FRAME_S
    voiced = np.zeros(len(middles), dtype=np.bool_)
    for span in spans:
        voiced |= (middles > span.start_s) & (middles < span.end_s)
    return spans, voiced, " ".join("abcdefghijklmnopqrstuvwxyz"[: len(spans)]), here


def cut(
    *pauses: float,
    limits: Limits = LIMITS,
    implausible: tuple[int, ...] = (),
    noisy: tuple[float, float] = (0.0, 0.0),
) -> list[Piece]:
    spans, voiced, text, duration_s = recording(*pauses)
    voiced[round(noisy[0] / FRAME_S) : round(noisy[1] / FRAME_S)] = True
    plausible = [number not in implausible for number in range(len(spans))]
    return cut_pieces(spans, plausible, voiced, partings(text), duration_s, limits)


def told(pieces: list[Piece]) -> list[tuple[float, float, int, KeptBack | None]]:
    return [(piece.start_s, piece.end_s, piece.words, piece.kept_back) for piece in pieces]


def test_a_cut_lies_in_the_middle_of_a_pause() -> None:
    # 0.9, 0.6 of silence, 0.9, 0.6, 0.9, 0.6, 0.9: six seconds but for 0.6.
    assert told(cut(0.6, 0.6, 0.6)) == [(0.0, 2.7, 2, None), (2.7, 5.4, 2, None)]


def test_of_pieces_alike_the_longer_pause_decides() -> None:
    # After the second word 0.3 s, after the third 0.9 s: both would do.
    assert told(cut(0.0, 0.3, 0.9, 0.0)) == [(0.0, 3.45, 3, None), (3.45, 5.7, 2, None)]


def test_between_words_without_a_pause_nothing_is_cut() -> None:
    assert told(cut(0.0, 0.09, 0.0, 0.0)) == [(0.0, 4.59, 5, KeptBack.NO_PAUSE)]


def test_the_rest_of_a_recording_is_used_beside_a_stretch_without_a_pause() -> None:
    pieces = cut(0.6, 0.0, 0.0, 0.0, 0.0, 0.6)
    assert told(pieces) == [
        (0.0, 1.2, 1, None),
        (1.2, 6.3, 5, KeptBack.NO_PAUSE),
        (6.3, 7.5, 1, None),
    ]


def test_a_word_that_was_not_placed_plausibly_bounds_no_cut() -> None:
    assert told(cut(0.6, 0.6, 0.6, implausible=(1,))) == [
        (0.0, 4.2, 3, KeptBack.NO_PAUSE),
        (4.2, 5.4, 1, None),
    ]


def test_a_pause_of_the_alignment_in_which_somebody_speaks_is_none() -> None:
    # The aligner left 0.6 s between the second and the third word, and there is a voice in it.
    assert [piece.words for piece in cut(0.6, 0.6, 0.6, noisy=(2.4, 3.0))] == [1, 2, 1]


def test_words_that_the_transcript_lacks_keep_their_piece_back_and_no_other() -> None:
    # 5 s of speech between the second and the third word, with a breath at either end.
    limits = Limits(longest_s=9.0, pause_s=0.3, coverage=0.6)
    pieces = cut(0.6, 6.0, 0.6, limits=limits, noisy=(3.0, 8.0))
    assert [piece.kept_back for piece in pieces if piece.coverage < 0.6] == [KeptBack.LOW_COVERAGE]
    assert sum(piece.words for piece in pieces) == 4


def test_a_recording_of_one_word_is_not_cut() -> None:
    spans, voiced, text, _ = recording(word_s=0.9)
    voiced = np.concatenate([voiced, np.zeros(200, dtype=np.bool_)])
    (piece,) = cut_pieces(spans, [True], voiced, partings(text), 6.9, LIMITS)
    assert piece.kept_back is KeptBack.NO_PAUSE


@given(
    pauses=st.lists(st.sampled_from([0.0, 0.12, 0.3, 0.6, 2.0]), min_size=1, max_size=25),
    longest_s=st.sampled_from([1.5, 4.0, 10.0]),
)
def test_pieces_hold_all_audio_and_all_text_and_words_where_they_are_spoken(
    pauses: list[float], longest_s: float
) -> None:
    spans, voiced, text, duration_s = recording(*pauses)
    limits = Limits(longest_s, 0.3, 0.0)
    parted = partings(text)
    pieces = cut_pieces(spans, [True] * len(spans), voiced, parted, duration_s, limits)
    assert "".join(text[piece.text_start : piece.text_end] for piece in pieces) == text
    assert (pieces[0].start_s, pieces[-1].end_s) == (0.0, pytest.approx(duration_s, abs=1e-3))
    said = 0
    for piece, then in zip(pieces, [*pieces[1:], None], strict=True):
        inside = spans[said : (said := said + piece.words)]
        assert inside
        assert piece.start_s <= inside[0].start_s
        assert inside[-1].end_s <= piece.end_s + 1e-3
        assert (piece.kept_back is None) == (piece.end_s - piece.start_s <= longest_s)
        assert then is None or then.start_s == piece.end_s
    assert said == len(spans)
