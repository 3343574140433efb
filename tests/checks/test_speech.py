"""Each expectation of our own, through Great Expectations on DuckDB, against Polars and Python."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from asrdq.checks import RULES
from asrdq.checks.engine import Measured, measure
from asrdq.checks.judges import Ruling, judge_texts
from asrdq.checks.rules import facts_of
from asrdq.checks.suites import load_expectation

SCHEMA = {
    "utt_id": pl.String,
    "audio_path": pl.String,
    "text": pl.String,
    "duration_s": pl.Float64,
    "offset_s": pl.Float64,
    "language": pl.String,
    "speaker": pl.String,
    "term": pl.String,
    "terms": pl.List(pl.String),
    "recorded_at": pl.String,
}
FACTS = {
    "utt_id": pl.String,
    "status": pl.String,
    "duration_s": pl.Float64,
    "duration_difference_s": pl.Float64,
    "sample_rate": pl.Int32,
    "channels": pl.Int32,
    "codec": pl.String,
    "audio_hash": pl.String,
}
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


@contextmanager
def database(
    rows: pl.DataFrame, facts: pl.DataFrame, other: pl.DataFrame, heard: pl.DataFrame
) -> Iterator[Any]:
    frames = {"checked": rows, "facts": facts, "other": other, facts_of("other"): heard}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, frame in frames.items():
            connection.register("given", frame.to_arrow())
            connection.execute(f'CREATE TABLE "{name}" AS FROM given')
        yield connection


def judged(connection: Any, expectations: list[Any]) -> tuple[dict[int, Measured], dict[int, Any]]:
    rulings = judge_texts(connection, expectations, Path)
    return measure(connection, expectations), rulings


def failing(connection: Any, measured: Measured) -> list[str]:
    """The ids that the query of an expectation gives, as many as Great Expectations counted."""
    found = connection.execute(measured.query).fetchall()
    assert len(found) == measured.rows
    return sorted(row[0] for row in found)


# The oracles: whether a row is good; None where it is not looked at.

Oracle = Callable[[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]], bool | None]


def words(text: str) -> list[str]:
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text.lower())
    return kept.split()


def on_text(judge: Callable[[str], bool]) -> Oracle:
    return lambda row, rows, other: None if row["text"] is None else judge(row["text"])


def has_letter_or_digit(text: str | None) -> bool:
    return any(unicodedata.category(c)[0] in "LN" for c in text or "")


def loops(text: str) -> bool:
    w = text.lower().split()
    if not w:
        return False
    for n in range(1, 5):
        for start in range(len(w)):
            if w[start : start + n] * 4 == w[start : start + 4 * n]:
                return True
    return (len(w) >= 10 and len(set(w)) < 0.3 * len(w)) or max(map(len, w)) > 40


def latin(text: str) -> bool:
    return all(
        "LATIN" in unicodedata.name(c) for c in text if unicodedata.category(c).startswith("L")
    )


def in_alphabet(row: dict[str, Any], *_: Any) -> bool | None:
    if row["text"] is None:
        return None
    names = {"en": "LATIN", "English": "LATIN", "en-US": "LATIN", "he": "HEBREW", "iw": "HEBREW"}
    name = names.get(row["language"] or "")
    return name is not None and all(
        name in unicodedata.name(c) for c in row["text"] if unicodedata.category(c)[0] == "L"
    )


def speed(row: dict[str, Any], *_: Any) -> bool:
    if row["text"] is None or not row["duration_s"]:
        return False
    counted = sum(unicodedata.category(c)[0] in "LN" for c in row["text"])
    return 2 <= counted / row["duration_s"] <= (8 if row["language"] in ("he", "iw") else 6)


def apart(row: dict[str, Any], rows: list[dict[str, Any]], _: Any) -> bool | None:
    if row["audio_path"] is None:
        return None
    start = row["offset_s"] or 0.0
    for one in rows:
        begins = one["offset_s"] or 0.0
        earlier = (begins, one["utt_id"]) < (start, row["utt_id"])
        if one["audio_path"] == row["audio_path"] and earlier:
            length = one["duration_s"]
            if length is None or start < begins + length - 0.01:
                return False
    return True


def fresh(row: dict[str, Any], *_: Any) -> bool:
    if row["recorded_at"] in (None, "soon"):
        return False
    moment = dt.datetime.fromisoformat(row["recorded_at"])
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return dt.timedelta(0) <= NOW - moment <= dt.timedelta(days=30)


def balanced(row: dict[str, Any], rows: list[dict[str, Any]], _: Any) -> bool:
    counts = pl.DataFrame(rows, schema=SCHEMA)["language"].drop_nulls().value_counts()
    share = {name: count / len(rows) for name, count in counts.iter_rows()}
    return row["language"] is not None and 0.25 <= share[row["language"]] <= 0.6


def hours(row: dict[str, Any], rows: list[dict[str, Any]], _: Any) -> bool:
    held = pl.DataFrame(rows, schema=SCHEMA).group_by("speaker").agg(pl.sum("duration_s"))
    seconds = dict(held.iter_rows())
    return row["speaker"] is not None and seconds[row["speaker"]] >= 3.6


def labelled(row: dict[str, Any], rows: list[dict[str, Any]], _: Any) -> bool:
    there = {one["speaker"] for one in rows}
    return row["speaker"] in ("anna", "ben") and {"anna", "ben"} <= there


def says(text: str | None, terms: list[str | None]) -> bool:
    said = words(text or "")
    return bool(terms) and all(
        bool(words(term or "")) and f" {' '.join(words(term or ''))} " in f" {' '.join(said)} "
        for term in terms
    )


def term_stands(row: dict[str, Any], *_: Any) -> bool | None:
    return None if row["term"] is None else says(row["text"], [row["term"]])


def parted_terms_stand(row: dict[str, Any], *_: Any) -> bool | None:
    return None if row["term"] is None else says(row["text"], row["term"].split(" "))


def listed_terms_stand(row: dict[str, Any], *_: Any) -> bool | None:
    return None if row["terms"] is None else says(row["text"], row["terms"])


@cache
def three_languages() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(["en", "de", "he"])
    return model


def language_told(row: dict[str, Any]) -> str | None:
    """The language that can be told of a row, `""` where the stated one is missing or unknown."""
    if row["language"] in (None, "xx"):
        return ""
    name, confidence = three_languages().classify(row["text"])
    letters = sum(unicodedata.category(c)[0] == "L" for c in row["text"])
    return name if letters >= 6 and confidence >= 0.8 else None


def speaks(row: dict[str, Any], *_: Any) -> bool | None:
    if row["text"] is None:
        return None
    codes = {"English": "en", "en-US": "en", "iw": "he"}
    found = language_told(row)
    return found is None or found == codes.get(row["language"], row["language"])


def audio_apart(row: dict[str, Any], fact: dict[str, Any], theirs: set[str]) -> bool:
    found = fact.get("audio_hash")
    return row["audio_path"] is not None and found is not None and found not in theirs


def disjoint(column: str, key: Callable[[str], Any], *, nulls: bool | None) -> Oracle:
    def judge(row: dict[str, Any], _: Any, other: list[dict[str, Any]]) -> bool | None:
        if row[column] is None:
            return nulls
        mine = key(row[column])
        return not mine or mine not in [key(one[column]) for one in other if one[column]]

    return judge


LANGUAGE = "expect_language_of_text"
WORD_TOKENIZER = Path(__file__).with_name("word_tokenizer.json")
REPEATED = tuple(sign * 2 for sign in ".,!?-")

CASES: list[tuple[str, dict[str, Any], Oracle]] = [
    ("expect_text_to_be_filled", {}, lambda row, *_: has_letter_or_digit(row["text"])),
    (
        "expect_text_without_markup",
        {},
        on_text(lambda t: not any(mark in t for mark in ("<b>", "&amp;", "**", "{x}"))),
    ),
    ("expect_text_without_brackets", {}, on_text(lambda t: not set(t) & set("[](){}<>"))),
    (
        "expect_text_without_digits",
        {},
        on_text(lambda t: not any(unicodedata.category(c)[0] == "N" for c in t)),
    ),
    (
        "expect_text_without_repeated_punctuation",
        {},
        on_text(lambda t: not any(twice in t for twice in (*REPEATED, "**"))),
    ),
    (
        "expect_text_in_alphabet_of_language",
        {"scripts": ["Latin"], "language_column": None},
        on_text(latin),
    ),
    ("expect_text_in_alphabet_of_language", {}, in_alphabet),
    ("expect_text_without_loops", {}, on_text(lambda t: not loops(t))),
    ("expect_term_in_text", {}, term_stands),
    ("expect_term_in_text", {"separator": " "}, parted_terms_stand),
    ("expect_term_in_text", {"column": "terms"}, listed_terms_stand),
    (LANGUAGE, {"languages": ["en", "de", "he"], "min_confidence": 0.8, "min_letters": 6}, speaks),
    (
        "expect_label_tokens_between",
        {"tokenizer": "characters", "min_tokens": 2, "max_tokens": 20},
        on_text(lambda t: 2 <= len(t) <= 20),
    ),
    (
        "expect_label_tokens_between",
        {"tokenizer": str(WORD_TOKENIZER), "max_tokens": 3},
        on_text(lambda t: len(t.split()) <= 3),
    ),
    (
        "expect_duration_between",
        {"min_value": 0.5, "max_value": 3},
        lambda row, *_: row["duration_s"] is not None and 0.5 <= row["duration_s"] <= 3,
    ),
    (
        "expect_characters_per_second_between",
        {
            "min_value": 2,
            "max_value": 6,
            "by_language": {"he": [2, 8]},
            "language_column": "language",
        },
        lambda row, *_: speed(
            {**row, "language": "he" if row["language"] == "iw" else row["language"]}
        ),
    ),
    ("expect_segments_not_to_overlap", {}, apart),
    (
        "expect_values_to_be_fresh",
        {"column": "recorded_at", "max_age_days": 30, "now": NOW.isoformat()},
        fresh,
    ),
    ("expect_class_balance", {"column": "language", "min_share": 0.25, "max_share": 0.6}, balanced),
    ("expect_hours_per_stratum", {"column": "speaker", "min_hours": 0.001}, hours),
    (
        "expect_labels_in_set",
        {"column": "speaker", "labels": ["anna", "ben"], "all_present": True},
        labelled,
    ),
    (
        "expect_speakers_disjoint_from",
        {"manifest": "other"},
        disjoint("speaker", str, nulls=False),
    ),
    ("expect_texts_disjoint_from", {"manifest": "other"}, disjoint("text", words, nulls=None)),
    (
        "expect_audio_disjoint_from",
        {"manifest": "other", "by": "path"},
        disjoint("audio_path", str, nulls=False),
    ),
    (
        "expect_column_values_to_match_regex",
        {"column": "text", "regex": "[0-9]"},
        on_text(lambda t: any(c in "0123456789" for c in t)),
    ),
    (
        "expect_column_values_to_not_match_regex",
        {"column": "text", "regex": "^a"},
        on_text(lambda t: not t.startswith("a")),
    ),
    (
        "expect_column_values_to_match_like_pattern",
        {"column": "audio_path", "like_pattern": "%.wav"},
        lambda row, *_: None if row["audio_path"] is None else row["audio_path"].endswith(".wav"),
    ),
    (
        "expect_column_values_to_not_match_like_pattern",
        {"column": "audio_path", "like_pattern": "a%"},
        lambda row, *_: None if row["audio_path"] is None else row["audio_path"][0] != "a",
    ),
]
AUDIO: list[tuple[str, dict[str, Any], Callable[[dict[str, Any], dict[str, Any], Any], bool]]] = [
    ("expect_audio_to_decode", {}, lambda row, fact, _: fact.get("status") == "ok"),
    (
        "expect_duration_to_match_audio",
        {"tolerance_s": 0.25},
        lambda row, fact, _: (
            row["duration_s"] is not None
            and fact.get("duration_difference_s") is not None
            and abs(fact["duration_difference_s"]) <= 0.25
        ),
    ),
    (
        "expect_audio_sample_rate",
        {"rates": [16000, 8000]},
        lambda row, fact, _: fact.get("sample_rate") in (16000, 8000),
    ),
    ("expect_audio_channels", {"channels": [1]}, lambda row, fact, _: fact.get("channels") == 1),
    ("expect_audio_codec", {"codecs": ["flac"]}, lambda row, fact, _: fact.get("codec") == "flac"),
    ("expect_audio_disjoint_from", {"manifest": "other"}, audio_apart),
]

PARTS = st.sampled_from(
    [
        *("a", "b", "abc", "Über", "שלום", "word", "7", "٣", "<b>", "&amp;", "[", "(x)", "{x}"),
        *("**", "!", "??", "...", "-", ",", "it's", "no no no no", "a b a b a b a b", "漢"),
        *(
            "x" * 41,
            "where did you put the keys",
            "wo hast du die Schlüssel",
            "איפה שמת את המפתחות",
        ),
    ]
)
TEXT = st.one_of(st.none(), st.just(""), st.lists(PARTS, max_size=14).map(" ".join))
SPEAKER = st.sampled_from([None, "anna", "ben", "cleo"])
PATH = st.sampled_from([None, "a.wav", "b.flac", "b.wav"])
SECONDS = st.sampled_from([None, 0.0, 0.25, 0.5, 1.0, 2.5, 3.0, 4.0])
ROW = st.fixed_dictionaries(
    {
        "audio_path": PATH,
        "text": TEXT,
        "duration_s": SECONDS,
        "offset_s": SECONDS,
        "language": st.sampled_from([None, "en", "English", "en-US", "he", "iw", "xx"]),
        "speaker": SPEAKER,
        "term": st.sampled_from([None, "", "abc", "Word", "a b", "über", "!"]),
        "terms": st.one_of(
            st.none(), st.lists(st.sampled_from([None, "abc", "word", "a b", "!"]), max_size=2)
        ),
        "recorded_at": st.sampled_from(
            [
                *(None, "soon", "2026-11-01", "2026-10-01T00:00:00", "2026-11-22"),
                "2026-11-21T00:30:00+01:00",
            ]
        ),
    }
)
FACT = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["ok", "missing_audio"]),
            "duration_difference_s": st.sampled_from([None, 0.0, -0.25, 0.5]),
            "sample_rate": st.sampled_from([None, 8000, 16000, 44100]),
            "channels": st.sampled_from([None, 1, 2]),
            "codec": st.sampled_from([None, "flac", "mp3"]),
            "audio_hash": st.sampled_from([None, "h1", "h2", "h3"]),
        }
    ),
)


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"utt_id": f"u{number:02}", **row} for number, row in enumerate(rows)]


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


LOADED: list[Any] = []


def loaded() -> list[Any]:
    """All cases as expectations, loaded once and numbered as in a suite."""
    if not LOADED:
        for position, (name, arguments, _) in enumerate([*CASES, *AUDIO], 1):
            LOADED.append(load_expectation({"type": name, "kwargs": arguments}, position))
    return LOADED


@pytest.mark.slow(minutes=1)
@settings(max_examples=12, phases=[Phase.explicit, Phase.generate])
@given(
    st.lists(st.tuples(ROW, FACT), min_size=1, max_size=12),
    st.lists(ROW.filter(lambda row: row["text"]), min_size=1, max_size=4),
    st.sets(st.sampled_from(["h1", "h2"])),
)
def test_every_expectation_agrees_with_polars(
    drawn: list[tuple[dict[str, Any], dict[str, Any] | None]],
    other: list[dict[str, Any]],
    theirs: set[str],
) -> None:
    rows, others = numbered([row for row, _ in drawn]), numbered(other)
    known = {
        row["utt_id"]: fact for row, (_, fact) in zip(rows, drawn, strict=True) if fact is not None
    }
    facts = pl.DataFrame([{"utt_id": k, **fact} for k, fact in known.items()], schema=FACTS)
    heard = pl.DataFrame([{"utt_id": one, "audio_hash": one} for one in theirs], schema=FACTS)
    with database(frame(rows), facts, frame(others), heard) as connection:
        found, rulings = judged(connection, loaded())
        for position, (name, arguments, judge) in enumerate(CASES, 1):
            wanted = {row["utt_id"]: judge(row, rows, others) for row in rows}
            if name == LANGUAGE and nothing_is_told(rows, rulings[position]):
                continue
            agree(connection, name, arguments, found[position], wanted)
        for position, (name, arguments, hear) in enumerate(AUDIO, len(CASES) + 1):
            about = "duration_s" if name == "expect_duration_to_match_audio" else "audio_path"
            wanted = {
                row["utt_id"]: row[about] is not None
                and hear(row, known.get(row["utt_id"], {}), theirs)
                for row in rows
            }
            agree(connection, name, arguments, found[position], wanted)


def nothing_is_told(rows: list[dict[str, Any]], ruling: Ruling) -> bool:
    """Whether no language is told; that is an error where there are texts, and told otherwise."""
    told = [language_told(row) is not None for row in rows if row["text"] is not None]
    assert (ruling.trouble is not None) == (bool(told) and not any(told))
    assert (ruling.note is not None) == (any(told) and not all(told))
    return ruling.trouble is not None


def agree(
    connection: Any,
    name: str,
    arguments: dict[str, Any],
    measured: Measured,
    wanted: dict[str, bool | None],
) -> None:
    if all(good is None for good in wanted.values()):
        assert measured.error and not measured.success, name
        return
    bad = sorted(utt_id for utt_id, good in wanted.items() if good is False)
    assert measured.error is None, (name, measured.error)
    assert failing(connection, measured) == bad, (name, arguments)
    assert measured.success == (not bad), name


def test_every_expectation_is_compared_with_polars() -> None:
    loaded()
    assert {name for name, *_ in [*CASES, *AUDIO]} == set(RULES)


@pytest.mark.slow
def test_an_empty_table_is_never_success() -> None:
    empty = pl.DataFrame(schema=SCHEMA)
    nothing = pl.DataFrame(schema=FACTS)
    with database(empty, nothing, empty, nothing) as connection:
        found, _ = judged(connection, loaded())
    assert {(item.success, item.error) for item in found.values()} == {
        (False, "the table has no row")
    }


GOOD_ROW = {
    "audio_path": "b.ogg",
    "text": "a good text",
    "duration_s": 2.0,
    "offset_s": None,
    "language": "en",
    "speaker": "dora",
    "term": "good",
    "terms": ["good", "text"],
    "recorded_at": "2026-11-20",
}
BAD_ROW = {
    "audio_path": "a.ogg",
    "text": "a <b> [ no no no no ] 12 שלום!!",
    "duration_s": 0.03,
    "offset_s": 0.0,
    "language": "xx",
    "speaker": "zoe",
    "term": "absent",
    "terms": ["no no", "absent"],
    "recorded_at": "1999-01-01",
}
WORSE = {
    "expect_text_to_be_filled": {"text": "-"},
    "expect_column_values_to_match_regex": {"text": "no figure"},
}


@pytest.mark.parametrize("position", range(1, len([*CASES, *AUDIO]) + 1))
def test_each_expectation_fails_on_a_bad_row(position: int) -> None:
    wanted = loaded()[position - 1]
    bad = {**BAD_ROW, **WORSE.get(wanted.name, {})}
    rows = numbered([bad, bad, *[GOOD_ROW] * 8])
    fact = {"status": "damaged_audio", "duration_difference_s": 9.0, "sample_rate": 11025}
    fact |= {"channels": 2, "codec": "mp3", "audio_hash": "h1"}
    facts = pl.DataFrame([{"utt_id": row["utt_id"], **fact} for row in rows], schema=FACTS)
    with database(frame(rows), facts, frame(rows), facts) as connection:
        [measured] = judged(connection, [wanted])[0].values()
        assert not measured.success
        assert measured.error is None
        assert "u01" in failing(connection, measured)
