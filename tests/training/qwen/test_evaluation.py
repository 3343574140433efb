"""Held-out clips are always the same, every one counts, and each domain has its own rates."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import pytest

from asrdq.models.qwen import Heard
from asrdq.text.normalisers import normaliser
from asrdq.training.qwen.evaluation import Judged, held_out, scored
from asrdq.training.qwen.rows import Row


def row(number: int, text: str = "so what", domain: str = "clean") -> Row:
    return Row("a.wav", 0.0, None, 1.0 + number % 7, "English", text, "", domain, (), f"e:{number}")


def judged(*pairs: tuple[str, str], domain: str = "clean") -> list[Judged]:
    return [
        Judged(row(number, text, domain), Heard(said)) for number, (text, said) in enumerate(pairs)
    ]


def test_an_empty_hypothesis_counts_as_all_words_left_out() -> None:
    """The source scripts dropped such rows, so a model that says nothing had no errors."""
    values = scored(judged(("one two three four", ""), ("one two", "one two")), normaliser("basic"))
    assert values["val_wer"] == pytest.approx(4 / 6)
    assert values["val_cer"] == pytest.approx(18 / 25)
    assert values["val_empty"] == 0.5


def test_each_domain_has_its_rates_and_all_together_weigh_words_not_domains() -> None:
    clean = judged(("one two three four five six", "one two three four five six"))
    noisy = judged(("one two", "one too"), ("", ""), domain="noisy")
    values = scored([*clean, *noisy], normaliser("basic"))
    assert values["val_wer_clean"] == 0.0
    assert values["val_wer_noisy"] == 0.5
    assert values["val_wer"] == pytest.approx(1 / 8)
    assert values["val_empty_noisy"] == 0.0  # where nothing is said, nothing is right
    assert all(math.isfinite(value) for value in values.values())


def test_a_domain_without_a_word_has_no_word_error_rate() -> None:
    values = scored([*judged(("", "")), *judged(("a", "a"), domain="noisy")], normaliser("basic"))
    assert "val_wer_clean" not in values
    assert values["val_wer_noisy"] == 0.0


def test_the_normaliser_of_the_recipe_parts_words_at_a_maqaf() -> None:
    """Two words joined by a maqaf are two words, and not one of twice the length."""
    pairs = judged(("בית־ספר גדול", "בית ספר גדול"))
    assert scored(pairs, normaliser("hebrew"))["val_wer"] == 0.0
    assert scored(pairs, normaliser("none"))["val_wer"] == 1.0


def test_clips_are_drawn_by_the_seed_alike_for_each_domain() -> None:
    """The source scripts drew anew each time, so that evaluations could not be compared."""
    rows = [row(number, domain="abc"[number % 3]) for number in range(90)]
    chosen = held_out(rows, 5, seed=1)
    assert Counter(each.domain for each in chosen) == {"a": 5, "b": 5, "c": 5}
    assert chosen == held_out(list(reversed(rows))[::-1], 5, seed=1)
    assert chosen != held_out(rows, 5, seed=2)
    assert [each.duration_s for each in chosen] == sorted(
        (each.duration_s for each in chosen), reverse=True
    )
    assert len(held_out(rows, None, seed=1)) == 90
    assert len(held_out(rows, 100, seed=1)) == 90


def test_a_clip_in_another_domain_moves_none_of_the_others() -> None:
    rows = [row(number, domain="ab"[number % 2]) for number in range(40)]
    more = [*rows, dataclasses.replace(row(99), domain="c")]
    assert [each for each in held_out(more, 5, 1) if each.domain != "c"] == held_out(rows, 5, 1)
