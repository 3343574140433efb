"""Expectations about texts that a library judges before the suite is run."""

from __future__ import annotations

from typing import Any

from asrdq.checks.languages import LanguageJudge
from asrdq.checks.rules import SUBJECT, between, rule
from asrdq.checks.text_judge import ASKED, Locate
from asrdq.checks.tokens import CHARACTERS, HUGGING_FACE, SENTENCEPIECE, TokenJudge
from asrdq.errors import UsageError
from asrdq.workspace.store import quote_name


def _language_judge(
    locate: Locate,
    *,
    language_column: str,
    languages: list[str] | None,
    min_confidence: float,
    min_letters: int,
) -> LanguageJudge:
    chosen = None if languages is None else tuple(languages)
    return LanguageJudge(language_column, chosen, min_confidence, min_letters)


def _language_shown(column: str, *, language_column: str, **others: Any) -> str:
    beside = f"beside IS NOT DISTINCT FROM {SUBJECT}.{quote_name(language_column)}::VARCHAR"
    return f"(SELECT any_value(shown) FROM {ASKED} WHERE text = {SUBJECT}.{column} AND {beside})"


@rule(
    "expect_language_of_text",
    column="text",
    reads=("{language_column}",),
    judge=_language_judge,
    shows=_language_shown,
)
def language_of_text(
    column: str,
    *,
    language_column: str = "language",
    languages: list[str] | None = None,
    min_confidence: float = 0.8,
    min_letters: int = 10,
) -> str:
    """The language that py3langid finds in the text is the one that the column says.

    It fails where another language is found with at least `min_confidence` (0 to 1). A text with
    fewer than `min_letters` letters, or one that is less sure, does not fail: how many such rows
    there are is told. With `languages`, it chooses among these alone, which tells more of short
    texts. A row without a language, or with one that cannot be told, fails.

    Example: `{"languages": ["en", "de", "he"], "mostly": 0.99}`
    """
    if not 0 < min_confidence <= 1:
        raise UsageError("min_confidence is above 0 and at most 1")
    if min_letters < 1:
        raise UsageError("min_letters is at least 1")
    if languages is not None and len(set(languages)) < 2:
        raise UsageError("languages needs two at least", hint="leave it out for all of them")
    language = quote_name(language_column)
    return (
        f"{language} IS NOT NULL AND ({column}::VARCHAR, {language}::VARCHAR) NOT IN "
        f"(SELECT text, beside FROM {ASKED} WHERE beside IS NOT NULL)"
    )


def _token_judge(
    locate: Locate,
    *,
    tokenizer: str,
    min_tokens: int | None,
    max_tokens: int | None,
    special_tokens: bool,
) -> TokenJudge | None:
    if tokenizer == CHARACTERS:
        return None
    return TokenJudge(locate(tokenizer), special_tokens, min_tokens, max_tokens)


def _tokens_shown(column: str, *, tokenizer: str, **others: Any) -> str:
    if tokenizer == CHARACTERS:
        return f"length({column}::VARCHAR) || ' tokens: ' || {column}::VARCHAR"
    return f"(SELECT any_value(shown) FROM {ASKED} WHERE text = {SUBJECT}.{column}::VARCHAR)"


@rule("expect_label_tokens_between", column="text", judge=_token_judge, shows=_tokens_shown)
def label_tokens_between(
    column: str,
    *,
    tokenizer: str,
    min_tokens: int | None = None,
    max_tokens: int | None = None,
    special_tokens: bool = False,
) -> str:
    """The text has so many tokens for a tokenizer, as long labels are cut or break a batch.

    `tokenizer` is the path of a `tokenizer.json` of Hugging Face or of a SentencePiece `.model`,
    from the workspace or a whole one, or `characters`, for which each character is a token. With
    `special_tokens` those that a `tokenizer.json` adds around a text count too.

    Example: `{"tokenizer": "characters", "min_tokens": 1, "max_tokens": 448}`
    """
    if min_tokens is None and max_tokens is None:
        raise UsageError("neither min_tokens nor max_tokens is given")
    if special_tokens and not tokenizer.endswith(HUGGING_FACE):
        raise UsageError("special_tokens needs a tokenizer.json")
    if tokenizer == CHARACTERS:
        return between(f"length({column}::VARCHAR)", min_tokens, max_tokens)
    if not tokenizer.endswith((HUGGING_FACE, SENTENCEPIECE)):
        raise UsageError(
            f"'{tokenizer}' is no tokenizer",
            hint=f"give a tokenizer.json, a SentencePiece .model, or '{CHARACTERS}'",
        )
    return f"{column}::VARCHAR NOT IN (SELECT text FROM {ASKED})"
