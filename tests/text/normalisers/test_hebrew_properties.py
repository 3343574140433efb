"""What the normaliser `hebrew` keeps and what it takes away, of any text that may be written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asrdq.text.normalisers import normaliser

GERSHAYIM, MAQAF = "\u05f4", "\u05be"
LETTERS = "אבגדהוזחטיכלמנסעפצקרשת"
FINALS = "םןץףך"
POINTS = "".join(map(chr, [*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7]))
BIDI = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200d\ufeff"

hebrew = normaliser("hebrew")

words = st.tuples(
    st.text(st.sampled_from(LETTERS), min_size=1, max_size=7),
    st.sampled_from(["", *FINALS]),
).map("".join)
figures = st.one_of(
    st.integers(0, 10**6).map(str),
    st.tuples(st.integers(0, 99), st.integers(0, 99)).map(lambda pair: f"{pair[0]}.{pair[1]}"),
    st.tuples(st.integers(0, 23), st.integers(10, 59)).map(lambda pair: f"{pair[0]}:{pair[1]}"),
)
english = st.text(st.sampled_from("abcdefgXYZ"), min_size=1, max_size=6)
mixed = st.lists(st.one_of(words, figures, english), min_size=1, max_size=8)


def strewn(signs: str) -> st.SearchStrategy[tuple[str, str]]:
    """A word, and the same with some of these signs after each of its letters."""
    some = st.text(st.sampled_from(signs), max_size=3)
    return words.flatmap(
        lambda word: st.lists(some, min_size=len(word), max_size=len(word)).map(
            lambda marks: (word, "".join(a + b for a, b in zip(word, marks, strict=True)))
        )
    )


@given(st.lists(strewn(POINTS), min_size=1, max_size=6))
def test_points_and_accents_go_and_letters_stay(pairs: list[tuple[str, str]]) -> None:
    plain, pointed = (" ".join(side) for side in zip(*pairs, strict=True))
    assert hebrew(pointed) == plain


@given(st.lists(strewn(BIDI), min_size=1, max_size=6))
def test_marks_of_direction_change_nothing(pairs: list[tuple[str, str]]) -> None:
    plain, marked = (" ".join(side) for side in zip(*pairs, strict=True))
    assert hebrew(marked) == plain


@given(st.lists(words, min_size=2, max_size=5), st.sampled_from([MAQAF, "-", "–", " – "]))
def test_words_at_a_maqaf_are_words_apart(parts: list[str], maqaf: str) -> None:
    assert hebrew(maqaf.join(parts)).split() == parts


@given(
    st.text(st.sampled_from(LETTERS), min_size=1, max_size=4),
    st.sampled_from(LETTERS + FINALS),
    st.sampled_from(['"', "”", "“", "″", "''", GERSHAYIM]),
)
def test_abbreviations_keep_their_gershayim_before_any_last_letter(
    begin: str, last: str, mark: str
) -> None:
    assert hebrew(f"({begin}{mark}{last}),") == f"{begin}{GERSHAYIM}{last}"


@given(mixed)
def test_figures_and_english_stay_in_their_places(tokens: list[str]) -> None:
    assert hebrew(", ".join(tokens) + ".").split() == [token.lower() for token in tokens]


@given(words)
def test_final_forms_stay_final_forms(word: str) -> None:
    assert hebrew(word) == word


@given(st.lists(st.one_of(strewn(POINTS + BIDI + MAQAF + "\"'").map(max), figures, english)))
def test_normalising_twice_is_normalising_once(tokens: list[str]) -> None:
    once = hebrew(" ".join(tokens))
    assert hebrew(once) == once
    assert not set(once) & set(POINTS + BIDI + MAQAF)
