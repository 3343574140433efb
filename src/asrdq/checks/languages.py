"""The language of texts, as py3langid finds it: 140 languages, its models in its own package."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from asrdq.checks.text_judge import Judged, Texts
from asrdq.engine import run_tasks
from asrdq.errors import ToolError, UsageError
from asrdq.text.languages import language_code

_SAME = {"nb": "no", "nn": "no", "fil": "tl", "ary": "ar", "arz": "ar", "cmn": "zh", "wuu": "zh"}
_SAME |= {"hbo": "he", "grc": "el", "uzs": "uz", "bik": "bcl", "gn": "gug", "ki": "kik"}
"""Parts of a language, or another name of it, to its label: a text is not told apart by these."""
_NO_LANGUAGE = "zxx"


@dataclass(frozen=True, slots=True)
class LanguageJudge:
    """Finds texts that are of another language than the column says.

    Attributes:
        beside: The column of languages.
        languages: Codes of those to choose from; None for all that the library knows.
        min_confidence: What is below (0 to 1) is not told.
        min_letters: A text with fewer is not told.
    """

    beside: str | None
    languages: tuple[str, ...] | None
    min_confidence: float
    min_letters: int

    def judge(self, batches: Iterable[Texts]) -> Iterator[Judged]:
        """Judge texts, in several processes where there is more than one batch.

        Raises:
            ToolError: The library is not installed, or a process died.
            UsageError: It does not know one of the languages.
        """
        _identifier(self.languages)
        left = iter(batches)
        first = list(islice(left, 2))
        work = functools.partial(judge_languages, self)
        if len(first) < 2:
            yield from map(work, first)
            return
        for outcome in run_tasks(work, chain(first, left), workers=0):
            if outcome.value is None:
                raise ToolError(f"py3langid failed: {outcome.failure and outcome.failure.detail}")
            yield outcome.value


def judge_languages(judge: LanguageJudge, texts: Texts) -> Judged:
    """Compare the languages that are found with those that stand beside the texts.

    A row whose stated language is missing, or none of those to choose from, is found too.
    """
    identifier = _identifier(judge.languages)
    known = set(identifier.labels)
    judged = Judged()
    for text, stated, rows in zip(texts.text, texts.beside, texts.rows, strict=True):
        wanted = None if stated is None else _code(stated)
        if wanted not in known:
            judged.found.append((text, stated, f"{stated} cannot be told: {text}"))
            judged.told += rows
        elif sum(map(str.isalpha, text)) < judge.min_letters:
            judged.untold[f"with fewer than {judge.min_letters} letters"] += rows
        else:
            name, confidence = identifier.classify(text)
            if confidence < judge.min_confidence:
                judged.untold[f"below the confidence {judge.min_confidence:g}"] += rows
                continue
            judged.told += rows
            if name != wanted:
                judged.found.append((text, stated, f"{name} ({confidence:.2f}): {text}"))
    return judged


def _code(name: str) -> str:
    code = language_code(name)
    return _SAME.get(code, code)


@functools.cache
def _identifier(languages: tuple[str, ...] | None) -> Any:
    """Return the model; it comes with the package, and nothing is fetched."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ModuleNotFoundError as error:
        raise ToolError(
            "the language of a text needs py3langid", hint="pip install 'asrdq[checks]'"
        ) from error
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = [label for label in identifier.labels if label not in _SAME and label != _NO_LANGUAGE]
    if languages is None:
        identifier.set_languages(known)
        return identifier
    chosen = {_code(name) for name in languages}
    if missing := sorted(chosen - set(known)):
        raise UsageError(
            f"py3langid does not know {', '.join(missing)}", hint=f"valid: {', '.join(known)}"
        )
    identifier.set_languages(chosen)
    return identifier
