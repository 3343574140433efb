"""Totals of NIST's sclite, read from its reports and put beside our own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.errors import DataError, UsageError
from asrdq.scoring.tables import SCORES

if TYPE_CHECKING:
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import Workspace

MEASURES: Final = (
    *("sentences", "words", "correct", "substitutions", "deletions", "insertions"),
    *("errors", "sentence_errors"),
)
"""What both count, in the order of sclite's columns."""

_SUM: Final = re.compile(
    r"\|\s*(?P<label>Sum(?:/Avg)?)\s*\|\s*(?P<sizes>\d+\s+\d+)\s*\|(?P<rates>[\s\d.-]+)\|"
)
_ROUNDED: Final = 0.05
_WORST_SUM: Final = 0.2


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of all utterances, as in sclite's row `Sum`.

    Attributes:
        sentences: Utterances.
        words: Words in references.
        correct: Words that are right; from `.sys` all but the first two are percent.
        substitutions: Words that are another one.
        deletions: Words that are missing.
        insertions: Words too many.
        errors: Substitutions, deletions and insertions.
        sentence_errors: Utterances with any error.
        percent: Whether the report gives percent, rounded to a tenth, in the place of counts.
    """

    sentences: float
    words: float
    correct: float
    substitutions: float
    deletions: float
    insertions: float
    errors: float
    sentence_errors: float
    percent: bool = False

    def as_percent(self) -> Totals:
        """Return the totals as percent of words, the last one of sentences."""
        if self.percent:
            return self
        of_words = 100 / max(self.words, 1)
        return Totals(
            sentences=self.sentences,
            words=self.words,
            correct=of_words * self.correct,
            substitutions=of_words * self.substitutions,
            deletions=of_words * self.deletions,
            insertions=of_words * self.insertions,
            errors=of_words * self.errors,
            sentence_errors=100 / self.sentences * self.sentence_errors,
            percent=True,
        )


def read_sclite_totals(path: str | Path) -> Totals:
    """Read the row of sums from a report of sclite: `.raw` (counts) or `.sys` (percent).

    Raises:
        UsageError: There is no such file.
        DataError: It has no such row, or the row does not add up.

    Example:
        >>> read_sclite_totals("sclite.raw").errors  # doctest: +SKIP
        7130.0
    """
    place = Path(path)
    try:
        text = place.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        hint = "sclite writes it with -o sum (NAME.sys) or -o rsum (NAME.raw)"
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    found = _SUM.search(text)
    figures = found["rates"].split() if found else []
    if found is None or len(figures) not in (6, 7):
        raise DataError(
            "no row 'Sum' of a report by sclite",
            where=str(path),
            hint="give NAME.sys (sclite -o sum) or NAME.raw (sclite -o rsum)",
        )
    try:
        read = [float(figure) for figure in (*found["sizes"].split(), *figures[:6])]
    except ValueError as error:
        raise DataError(f"the row 'Sum' has no figures: {found[0]}", where=str(path)) from error
    totals = _totals(read, percent=found["label"] == "Sum/Avg")
    _check_sums(totals, path)
    return totals


def _totals(figures: Iterable[float], *, percent: bool) -> Totals:
    by_name = dict(zip(MEASURES, figures, strict=True))
    return Totals(**by_name, percent=percent)


def _check_sums(totals: Totals, path: str | Path) -> None:
    """Refuse a row that does not add up: it was cut, or is a row of something else."""
    whole = 100.0 if totals.percent else totals.words
    slack = _WORST_SUM if totals.percent else 0.0
    parts = (
        (totals.correct + totals.substitutions + totals.deletions, whole),
        (totals.substitutions + totals.deletions + totals.insertions, totals.errors),
    )
    if totals.words and any(abs(own - other) > slack + 1e-9 for own, other in parts):
        raise DataError("the row 'Sum' does not add up", where=str(path))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Our totals beside those of sclite.

    Attributes:
        file: The report of sclite.
        ours: Ours, in its unit.
        theirs: Those of sclite.
        differing: Measures that differ by more than the report's rounding.
        verdict: What follows from that, in a sentence or two.
    """

    file: str
    ours: Totals
    theirs: Totals
    differing: tuple[str, ...]
    verdict: str


def compare_with_sclite(ours: Totals, path: str | Path) -> Agreement:
    """Put our totals beside those of a report of sclite and say where they differ.

    Raises:
        UsageError: There is no such file.
        DataError: It is no report of sclite.
    """
    theirs = read_sclite_totals(path)
    own = ours.as_percent() if theirs.percent else ours
    slack = _ROUNDED if theirs.percent else 0.0
    differing = []
    for name in MEASURES:
        near = 0.0 if name in ("sentences", "words") else slack
        if abs(getattr(own, name) - getattr(theirs, name)) > near + 1e-9:
            differing.append(name)
    return Agreement(str(path), own, theirs, tuple(differing), _verdict(own, theirs, differing))


def _verdict(ours: Totals, theirs: Totals, differing: list[str]) -> str:
    if not differing:
        return "both agree in everything"
    if "sentences" in differing:
        return "these are not the same utterances"
    if "words" in differing:
        return (
            "these are not the same words: another normaliser, or sclite read signs such as "
            "( ) { } @ ; as its own"
        )
    split = ", ".join(name for name in differing if name != "errors")
    if "errors" not in differing:
        return (
            f"the same errors in all; {split} differ, since several alignments have as few errors: "
            "sclite takes the one with the least 4 × substitutions + 3 × (deletions + insertions)"
        )
    if theirs.errors > ours.errors:
        return (
            "sclite has more errors: its alignment has the least weight, 4 for a substitution and "
            "3 for a deletion or an insertion, not the fewest errors"
        )
    return "sclite has fewer errors than the least there can be: its texts are others"


def score_totals(workspace: Workspace, scoring: Scoring) -> Totals:
    """Return the totals of a scoring, every row counted once: sclite knows no weights.

    Raises:
        DataError: The rows of the scoring are no longer there.
    """
    errors = "substitutions + deletions + insertions"
    [row] = workspace.query(
        "SELECT count(*) AS sentences, sum(words) AS words, sum(hits) AS correct, "
        "sum(substitutions) AS substitutions, sum(deletions) AS deletions, "
        f"sum(insertions) AS insertions, sum({errors}) AS errors, "
        f"count(*) FILTER ({errors} > 0) AS sentence_errors FROM {SCORES} WHERE run_id = $run",
        {"run": scoring.run_id},
    ).to_pylist()
    if not row["sentences"]:
        again = f"asrdq score {scoring.manifest} --hyps {scoring.hyps}"
        raise DataError(f"the rows of {scoring} are not there", hint=again)
    return _totals((float(row[name]) for name in MEASURES), percent=False)
