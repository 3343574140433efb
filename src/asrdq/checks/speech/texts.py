"""Expectations about transcripts."""

from __future__ import annotations

from asrdq.checks.rules import check_share, listed, literal, matches, rule
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


@rule("expect_text_without_markup", column="text", plain_texts_pass=True)
def without_markup(column: str) -> str:
    """The text has no tags, entities, addresses of pages, braces, or Markdown marks.

    Example: `{}`
    """
    return f"NOT {matches(column, _MARKUP)}"


@rule("expect_text_without_brackets", column="text", plain_texts_pass=True)
def without_brackets(column: str) -> str:
    """The text has no brackets of any kind, such as `[laughs]`.

    Example: `{}`
    """
    return f"NOT {matches(column, _BRACKETS)}"


@rule("expect_text_without_digits", column="text", plain_texts_pass=True)
def without_digits(column: str) -> str:
    """The text writes numbers out: no digit of any script.

    Example: `{}`
    """
    return f"NOT {matches(column, _DIGIT)}"


@rule("expect_text_without_repeated_punctuation", column="text", plain_texts_pass=True)
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
        return _written_in(scripts, column)
    if language_column is None:
        raise UsageError("neither scripts nor language_column is given")
    by_script: dict[str, list[str]] = {}
    for code, names in _SCRIPTS.items():
        by_script.setdefault(names, []).append(code)
    cases = " ".join(
        f"WHEN {code_in(language_column, codes)} THEN {_written_in(names.split(), column)}"
        for names, codes in by_script.items()
    )
    return f"CASE {cases} ELSE false END"


def _written_in(scripts: list[str], column: str) -> str:
    """Return SQL that asks whether all letters are of some scripts.

    Marks that join letters are of all. Texts in ASCII are told by their length, which is quicker.
    """
    own = "".join(rf"\p{{{name}}}" for name in scripts)
    foreign = rf"[^{own}\p{{Common}}\p{{Inherited}}\P{{L}}]"
    good = f"NOT {matches(column, foreign)}"
    if "Latin" not in scripts:
        return good
    text = f"{column}::VARCHAR"
    return f"CASE WHEN strlen({text}) = length({text}) THEN true ELSE {good} END"


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
    check_share(min_unique_share=min_unique_share)
    if not 1 <= longest_word <= _LONGEST_REPEAT:
        raise UsageError(f"longest_word is from 1 to {_LONGEST_REPEAT}")
    varied = f"if(len(w) < {from_words}, 0, {literal(min_unique_share)} * len(w))"
    runs = [(n, n * max_repeats) for n in range(1, max_words + 1)]
    judged = f"""CASE
        WHEN f >= greatest(len(w) - {max_repeats - 1}, {varied}) THEN true
        WHEN f < {varied} AND list_unique(w) < {varied} THEN false
        WHEN NOT {_may_run(runs)} THEN true
        ELSE NOT {_runs(runs)} END"""
    told = f"list_transform([{_FEWEST_WORDS}], lambda f: {judged})[1]"
    return f"list_transform([{_words(column, longest_word)}], lambda w: {told})[1]"


_FEWEST_WORDS = """bit_count(list_aggregate(
    list_transform(w, lambda word: 1::UBIGINT << (hash(word) & 63)), 'bit_or'))"""
"""SQL of a number of different words that there are at least, got faster than the exact one."""


def _words(column: str, longest: int) -> str:
    """Return SQL of the words of a text in lower case, parted by white space.

    It is null where a word is longer than `longest`. One regular expression tells the texts that
    are neither long in a word nor in need of tidying.
    """
    long = rf"\S{{{longest + 1}}}"
    one_line = rf"trim(regexp_replace({column}, '\s+', ' ', 'g'))"
    return rf"""string_split(lower(CASE
        WHEN NOT regexp_matches({column}, '{long}|\s\s|[^\S ]|^\s|\s$') THEN {column}
        WHEN NOT regexp_matches({column}, '{long}') THEN {one_line} END), ' ')"""


def _may_run(runs: list[tuple[int, int]]) -> str:
    """Return SQL of whether words `w`, f of them different at least, may have a run of n words.

    A run of n words has n × `max_repeats` places in a row whose word comes again n words later,
    which so many words have that stand before already. Some such place is one that
    `max_repeats` divides, so no others are looked at.
    """
    again = " OR ".join(f"(len(w) - f >= {places} AND w[i] = w[i + {n}])" for n, places in runs)
    step = runs[0][1]
    return f"list_contains([{again} FOR i IN range({step}, len(w), {step})], true)"


def _runs(runs: list[tuple[int, int]]) -> str:
    """Return SQL of whether words `w` have a run: n words that come again at once, so often."""
    again = " OR ".join(
        f"w[i:i + {places - 1}] = w[i + {n}:i + {n + places - 1}]" for n, places in runs
    )
    return f"list_contains([{again} FOR i IN range(1, len(w))], true)"


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
