"""Halves of the speakers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asrdq.audit.calibration.halves import fitted_half, speaker_key

CLIPS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xy")), min_size=1)


@given(CLIPS, st.integers(0, 9))
def test_no_speaker_is_in_both_halves_whatever_the_order(
    clips: list[tuple[str, str]], seed: int
) -> None:
    speakers, groups = np.array([one for one, _ in clips]), np.array([two for _, two in clips])
    fitted = fitted_half(speakers, groups, seed)
    assert not set(speakers[fitted]) & set(speakers[~fitted])
    backwards = fitted_half(speakers[::-1], groups[::-1], seed)
    assert set(speakers[::-1][backwards]) == set(speakers[fitted])


def test_each_group_is_halved_by_clips() -> None:
    """In x four speakers of 10, 6, 4 and 2 clips: 10 against 6 and 4, then the smaller side."""
    sizes = {"x": [10, 6, 4, 2], "y": [5, 5]}
    rows = [
        (f"{group}{at}", group)
        for group, counts in sizes.items()
        for at, count in enumerate(counts)
        for _ in range(count)
    ]
    speakers = np.array([speaker for speaker, _ in rows])
    groups = np.array([group for _, group in rows])
    fitted = fitted_half(speakers, groups, 1)
    assert sorted({"x0", "x1", "x2", "x3"} & set(speakers[fitted].tolist())) == ["x0", "x3"]
    assert int(fitted[groups == "x"].sum()) == 12
    assert int(fitted[groups == "y"].sum()) == 5


def test_the_seed_decides_among_equals_and_hides_the_name() -> None:
    speakers = np.array(list("abcdefgh"))
    groups = np.full(8, "x")
    sides = {tuple(fitted_half(speakers, groups, seed)) for seed in range(8)}
    assert len(sides) > 1
    assert "anna" not in speaker_key("anna", 1)
    assert speaker_key("anna", 1) != speaker_key("anna", 2)
