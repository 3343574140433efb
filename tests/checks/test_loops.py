"""Loops in texts, against a search of every place in Python."""

from __future__ import annotations

import random

import duckdb
import pytest

from asrdq.checks import RULES


def loops(text: str, repeats: int, most: int, share: float, start: int, longest: int) -> bool:
    words = text.lower().split()
    runs = any(
        words[i : i + n] * (repeats + 1) == words[i : i + n * (repeats + 1)]
        for n in range(1, most + 1)
        for i in range(len(words) - n * (repeats + 1) + 1)
    )
    same = len(words) >= start and len(set(words)) < share * len(words)
    return runs or same or max(map(len, words), default=0) > longest


def made_up_texts(count: int) -> list[str]:
    """Texts of few different words, a run of some of them in each."""
    chance = random.Random(5)
    texts = []
    for _ in range(count):
        vocabulary = [f"w{n}" for n in range(chance.randint(1, 30))] + ["Ü" * chance.randint(3, 8)]
        words = chance.choices(vocabulary, k=chance.randint(0, 40))
        place = chance.randint(0, len(words))
        run = chance.choices(vocabulary, k=chance.randint(1, 5))
        words[place:place] = run * chance.randint(1, 5)
        gap = chance.choice([" ", " ", " ", "  ", "\t", " \n"])
        texts.append(chance.choice(["", "", " "]) + gap.join(words).replace("w1", "W1", 1))
    return texts


@pytest.mark.parametrize(
    ("repeats", "most", "share", "start", "longest"),
    [(3, 4, 0.3, 10, 40), (1, 2, 0.0, 1, 7), (2, 5, 0.5, 20, 6), (4, 1, 0.7, 3, 40)],
)
def test_loops_are_those_that_a_search_of_every_place_finds(
    repeats: int, most: int, share: float, start: int, longest: int
) -> None:
    texts = made_up_texts(3000)
    good = RULES["expect_text_without_loops"].condition(
        "said",
        max_repeats=repeats,
        max_words=most,
        min_unique_share=share,
        from_words=start,
        longest_word=longest,
    )
    with duckdb.connect() as database:
        database.execute("CREATE TABLE texts AS SELECT unnest($texts) AS said", {"texts": texts})
        rows = database.execute(f"SELECT said, coalesce({good}, false) FROM texts").fetchall()
    wanted = [loops(text, repeats, most, share, start, longest) for text, _ in rows]
    assert [not passes for _, passes in rows] == wanted
    assert 300 < sum(wanted) < 2900
