"""Expectations about transcripts."""

from __future__ import annotations

from asrdq.checks.rules import listed, literal, matches, rule
from asrdq.errors import UsageError, unknown
from asrdq.text.languages import words_for
from asrdq.workspace.store import quote_name

_MARKUP = r"<[^<>]*>|&(?:[a-zA-Z]+|#\d+);|\*\*|__|```|https?://|\{[^{}]*\}"
_BRACKETS = r"[\[\](){}<>⟨⟩«»【】「」]"
_LONGEST_REPEAT = 999
"""RE2 repeats nothing more than 1,000 times."""
_DIGIT = r"\p{N}"
_PUNCTUATION = r".,!?;:…-–—/'\"*_~#&%^+=|"
_SCRIPTS = {
    **dict.fromkeys(("de", "en", "es", "fr", "it", "nl", "pt", "pl", "cs", "sv", "fi"), "Latin"),
    **dict.fromkeys(("da", "tr", "ro", "hu", "vi", "id", "ms", "fil"), "Latin"),
    **dict.fromkeys(("ru", "uk", "bg", "mk"), "Cyrillic"),
    **dict.fromkeys(("ar", "fa"), "Arabic"),
    **dict.fromkeys(("zh", "yue"), "Han"),
    "he": "Hebrew",
    "el": "Greek",
    "hi": "Devanagari",
    "th": "Thai",
    "ko": "Hangul Han",
    "ja": "Hiragana Katakana Han",
}
"""Writing of languages by their code; several scripts are parted by a space."""
_KNOWN_SCRIPTS = {name for names in _SCRIPTS.values() for name in names.split()}


@rule("expect_text_to_be_filled", column="text", nulls_fail=True)
def filled(column: str) -> str:
    """The text has a letter or a digit; a null has none.

    Example: `{}`
    """
    return matches(column, r"[\p{L}\p{N}]")


@rule("expect_text_without_markup", column="text")
def without_markup(column: str) -> str:
    """The text has no tags, entities, addresses of pages, braces, or Markdown marks.

    Example: `{}`
    """
    return f"NOT {matches(column, _MARKUP)}"


@rule("expect_text_without_brackets", column="text")
def without_brackets(column: str) -> str:
    """The text has no brackets of any kind, such as `[laughs]`.

    Example: `{}`
    """
    return f"NOT {matches(column, _BRACKETS)}"


@rule("expect_text_without_digits", column="text")
def without_digits(column: str) -> str:
    """The text writes numbers out: no digit of any script.

    Example: `{}`
    """
    return f"NOT {matches(column, _DIGIT)}"


@rule("expect_text_without_repeated_punctuation", column="text")
def without_repeated_punctuation(column: str) -> str:
    """No sign of punctuation stands twice in a row, as in `what??` or `well...`.

    Example: `{}`
    """
    twice = "|".join(rf"\x{{{ord(sign):x}}}{{2,}}" for sign in _PUNCTUATION)
    return f"NOT {matches(column, twice)}"


@rule("expect_text_in_alphabet_of_language", column="text", reads=("{language_column}",))
def in_alphabet(
    column: str, *, scripts: list[str] | None = None, language_column: str | None = "language"
) -> str:
    """All letters are of the script that the language of the row is written in.

    With `scripts`, such as `["Latin", "Greek"]`, of these, whatever the language. A row whose
    language is unknown or has no known script fails.

    Example: `{"scripts": ["Latin"], "language_column": null}`
    """
    if scripts is not None:
        for name in scripts:
            if name not in _KNOWN_SCRIPTS:
                raise unknown("script", name, _KNOWN_SCRIPTS)
        return f"NOT {matches(column, _foreign_letter(scripts))}"
    if language_column is None:
        raise UsageError("neither scripts nor language_column is given")
    by_script: dict[str, list[str]] = {}
    for code, names in _SCRIPTS.items():
        by_script.setdefault(names, []).append(code)
    cases = " ".join(
        f"WHEN {code_in(language_column, codes)} "
        f"THEN NOT {matches(column, _foreign_letter(names.split()))}"
        for names, codes in by_script.items()
    )
    return f"CASE {cases} ELSE false END"


def _foreign_letter(scripts: list[str]) -> str:
    """Return a pattern of a letter of another script; marks that join letters are of all."""
    own = "".join(rf"\p{{{name}}}" for name in scripts)
    return rf"[^{own}\p{{Common}}\p{{Inherited}}\P{{L}}]"


def code_in(column: str, codes: list[str]) -> str:
    """Return SQL that asks whether a column of languages has one of some codes.

    Names and old codes count as the code, regions and scripts are left out, as everywhere.
    """
    word = f"regexp_extract(lower(trim({quote_name(column)})), '^[^-_]+')"
    return f"{word} IN {listed(sorted({name for code in codes for name in words_for(code)}))}"


@rule("expect_text_without_loops", column="text")
def without_loops(
    column: str,
    *,
    max_repeats: int = 3,
    max_words: int = 4,
    min_unique_share: float = 0.3,
    from_words: int = 10,
    longest_word: int = 40,
) -> str:
    """The text does not go round in circles, as a model does that hallucinates.

    No run of up to `max_words` words stands more than `max_repeats` times in a row; of texts of
    `from_words` words or more, at least `min_unique_share` of the words differ; and no word is
    longer than `longest_word` characters (which texts without spaces need to have raised).

    Example: `{"max_repeats": 3, "min_unique_share": 0.3, "longest_word": 40}`
    """
    if max_repeats < 1 or max_words < 1:
        raise UsageError("max_repeats and max_words are at least 1")
    if not 1 <= longest_word <= _LONGEST_REPEAT:
        raise UsageError(f"longest_word is from 1 to {_LONGEST_REPEAT}")
    varied = f"if(len(w) < {from_words}, 0, {literal(min_unique_share)} * len(w))"
    enough = f"greatest(len(w) - {max_repeats - 1}, {varied})"
    no_run = " AND ".join(_no_run(n, max_repeats) for n in range(1, max_words + 1))
    exact = f"list_transform([list_unique(w)], lambda u: u >= {varied} AND {no_run})[1]"
    judged = (
        f"CASE WHEN {_FEWEST_WORDS} >= {enough} THEN true "
        f"WHEN list_unique(w) >= {enough} THEN true ELSE {exact} END"
    )
    short = rf"NOT regexp_matches({column}, '\S{{{longest_word + 1}}}')"
    return f"{short} AND list_transform([{_words(column)}], lambda w: {judged})[1]"


_FEWEST_WORDS = """bit_count(list_aggregate(
    list_transform(w, lambda word: 1::UBIGINT << (hash(word) & 63)), 'bit_or'))"""
"""SQL of a number of different words that there are at least, got faster than the exact one."""


def _words(column: str) -> str:
    """Return SQL of the words of a text in lower case, parted by white space."""
    one_line = rf"trim(regexp_replace({column}, '\s+', ' ', 'g'))"
    spaced = rf"regexp_matches({column}, '\s\s|[^\S ]|^\s|\s$')"
    return f"string_split(lower(CASE WHEN {spaced} THEN {one_line} ELSE {column} END), ' ')"


def _no_run(n: int, max_repeats: int) -> str:
    """Return SQL that asks whether no n words `w` stand too often in a row; u of them differ.

    A run leaves n × `max_repeats` words at least that stand before already.
    """
    same = f"CASE WHEN w[i] = w[i + {n}] THEN '1' ELSE '0' END"
    places = f"array_to_string([{same} FOR i IN range(1, len(w) - {n} + 1)], '')"
    run = f"repeat('1', {n * max_repeats})"
    return f"(len(w) - u < {n * max_repeats} OR NOT contains({places}, {run}))"


@rule("expect_term_in_text", column="term", reads=("{text_column}",))
def term_in_text(column: str, *, text_column: str = "text", separator: str | None = None) -> str:
    """The words of the term stand in the text, in order and side by side; case does not count.

    Where the column holds lists, or texts with a `separator` between terms, all of them do. A list
    without a term fails, and so does a term without a letter or digit.

    Example: `{"column": "term", "text_column": "text", "separator": "|"}`
    """
    if separator == "":
        raise UsageError("separator is empty")
    text, term = words_only(quote_name(text_column)), words_only("t")
    whole = f"{column}::VARCHAR"
    one = f"[{whole}]" if separator is None else f"string_split({whole}, {literal(separator)})"
    terms = f"coalesce(TRY_CAST({column} AS VARCHAR[]), {one})"
    stands = f"length({term}) > 2 AND contains(said, {term})"
    return (
        f"list_transform([{text}], lambda said: "
        f"list_bool_and(list_transform({terms}, lambda t: coalesce({stands}, false))))[1]"
    )


def words_only(value: str) -> str:
    """Return SQL of the words of a text in lower case, a space before and after each."""
    words = rf"regexp_replace(lower({value}), '[^\p{{L}}\p{{M}}\p{{N}}]+', ' ', 'g')"
    return f"' ' || trim({words}) || ' '"
