"""References and hypotheses as sclite's TRN, so that others can count the errors again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asrdq.errors import DataError, Problem
from asrdq.places import Place
from asrdq.scoring.tables import SCORES
from asrdq.workspace.files import whole_file
from asrdq.workspace.sql import connection

if TYPE_CHECKING:
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import Workspace

REFERENCE, HYPOTHESIS, IDS = "ref.trn", "hyp.trn", "ids.tsv"
NOBODY: Final = "all"
"""The speaker of utterances whose speaker is not known."""

STAND_INS: Final = str.maketrans("(){}@;\\", "（）｛｝＠；＼")
"""Signs that sclite reads as its own, with what stands for each: wide forms of the same."""

_SPECIAL: Final = re.compile(r"[(){}@;\\]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.]")
_AT_ONCE: Final = 20_000
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class TrnFiles:
    """Texts of a scoring as sclite reads them.

    Attributes:
        folder: Where `ref.trn`, `hyp.trn` and `ids.tsv` are.
        rows: Utterances.
        renamed: Utterances whose id was changed; `ids.tsv` has both ids of all.
        replaced: Utterances with signs that sclite reads as its own: wide forms stand for them.
    """

    folder: Place
    rows: int
    renamed: int
    replaced: int

    @property
    def changes(self) -> str:
        """What differs from the scored rows, in words."""
        return (
            f"{self.renamed:,} have another id ({IDS} has both), {self.replaced:,} have wide forms "
            "in the place of signs that sclite takes as its own"
        )

    @property
    def command(self) -> str:
        """The command that scores them: case counts, ids begin with the speaker."""
        return (
            f"sclite -r {self.folder / REFERENCE} trn -h {self.folder / HYPOTHESIS} trn -i rm "
            f"-s -e utf-8 -o sum rsum -O {self.folder} -n sclite"
        )


def write_trn(workspace: Workspace, scoring: Scoring, folder: Place) -> TrnFiles:
    """Write references and hypotheses of a scoring, as they were normalised, for sclite.

    The id of a line is the speaker, a hyphen and the utterance, with `_` for all but ASCII letters,
    digits, `_` and `.`. Ids that come out alike, be it but for case, get a number: sclite without
    `-s` takes them as one.

    Args:
        workspace: Where the scores are.
        scoring: The scoring.
        folder: Where the files go; those of an earlier time are replaced.

    Raises:
        DataError: The rows are no longer there, a text has a control character, or a wide form
            stands beside the sign that it would stand for.
        ToolError: The files cannot be written.
    """
    lines = _Lines()
    with ExitStack() as stack:
        reference, hypothesis, ids = (
            stack.enter_context(whole_file(folder / name)) for name in (REFERENCE, HYPOTHESIS, IDS)
        )
        ids.write(b"utt_id\ttrn_id\n")
        for utt_id, block, *texts in _rows(workspace, scoring):
            own = lines.name(utt_id, block)
            for file, text in zip((reference, hypothesis), lines.words(utt_id, texts), strict=True):
                file.write(f"{text} ({own})\n".encode())
            ids.write(_tabbed(utt_id, own))
        lines.check(scoring)
    return TrnFiles(folder, lines.rows, lines.renamed, lines.replaced)


def _rows(workspace: Workspace, scoring: Scoring) -> Iterator[tuple[str, str | None, str, str]]:
    with connection(workspace.store, [SCORES]) as (database, _):
        found = database.execute(
            f"SELECT utt_id, block, reference, hypothesis FROM {SCORES} WHERE run_id = $run "
            "ORDER BY utt_id",
            {"run": scoring.run_id},
        )
        while some := found.fetchmany(_AT_ONCE):
            yield from some


class _Lines:
    """Ids and words of lines, and what was wrong with them."""

    def __init__(self) -> None:
        self.rows = self.renamed = self.replaced = 0
        self._taken: set[str] = set()
        self._problems: list[Problem] = []

    def name(self, utt_id: str, speaker: str | None) -> str:
        """Return the id of a line that no other line has."""
        self.rows += 1
        safe = _UNSAFE.sub("_", utt_id)
        whole = f"{_UNSAFE.sub('_', speaker or NOBODY)}-{safe}"
        own, number = whole, 1
        while own.lower() in self._taken:
            number += 1
            own = f"{whole}.{number}"
        self._taken.add(own.lower())
        self.renamed += own != whole or safe != utt_id
        return own

    def words(self, utt_id: str, texts: list[str]) -> list[str]:
        """Return texts that sclite takes for plain words."""
        both = "\n".join(texts)
        special = set(_SPECIAL.findall(both))
        if any(_CONTROL.search(text) for text in texts):
            self._problems.append(Problem(f"{utt_id}: a control character"))
        for sign in sorted(special):
            if (wide := chr(STAND_INS[ord(sign)])) in both:
                self._problems.append(Problem(f"{utt_id}: {sign} and its wide form {wide}"))
        self.replaced += bool(special)
        return [text.translate(STAND_INS) for text in texts]

    def check(self, scoring: Scoring) -> None:
        """Refuse what sclite would read in another way.

        Raises:
            DataError: There are no rows, or texts that cannot be written.
        """
        again = f"asrdq score {scoring.manifest} --hyps {scoring.hyps}"
        if not self.rows:
            raise DataError(f"the rows of {scoring} are not there", hint=again)
        if self._problems:
            raise DataError(
                f"{len(self._problems):,} utterances of {scoring} cannot be written for sclite",
                problems=self._problems[:_SHOWN],
                hint=f"{again} --normaliser basic takes such signs out",
            )


def _tabbed(utt_id: str, own: str) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter="\t", lineterminator="\n").writerow([utt_id, own])
    return line.getvalue().encode()
