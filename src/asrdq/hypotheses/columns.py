"""Which column of a file is the hypothesis, and which say whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from asrdq.errors import UsageError, unknown
from asrdq.manifests.columns import AUDIO_PATH, ID_NAMES, OFFSET, UTT_ID, Aliases
from asrdq.manifests.formats.delimited import COLUMN_NAMES

HYPOTHESIS, CONFIDENCE, CHANNEL = "hypothesis", "confidence", "channel"

CLEAR_NAMES: Final = (
    *("pred_text", "hypothesis", "hyp", "prediction", "predicted_text", "pred_str"),
    *("generated_text", "pred", "hyp_text", "predictions", "hypotheses"),
)
"""Names of nothing but hypotheses, the likeliest first."""

DOUBTFUL_NAMES: Final = ("transcription", "text")
"""Names of references too: one is taken only where there is no clear name, and not the other."""

NAMES: Final[Aliases] = {
    UTT_ID: ID_NAMES,
    AUDIO_PATH: COLUMN_NAMES[AUDIO_PATH],
    OFFSET: COLUMN_NAMES[OFFSET],
    HYPOTHESIS: (*CLEAR_NAMES, *DOUBTFUL_NAMES),
}


class ColumnChoice:
    """The columns of a file; the choice made on its first block holds for the rest.

    Args:
        named: Columns that the user says, such as `{"hypothesis": "asr_out"}`.
        file: The file, for errors.

    Attributes:
        aliases: Names that each column may have in the file.
        chosen: What a column is to its name in the file.

    Raises:
        UsageError: A column of another kind is named.
    """

    def __init__(self, named: Mapping[str, str], file: str) -> None:
        for column in named:
            if column not in (*NAMES, CONFIDENCE):
                raise unknown("column of hypotheses", column, (*NAMES, CONFIDENCE))
        self.chosen: dict[str, str] = dict(named)
        own_names = {column: (own,) for column, own in named.items() if column in NAMES}
        self.aliases: Aliases = {**NAMES, **own_names}
        self._named = named
        self._file = file
        self._learnt = False

    @property
    def doubtful(self) -> bool:
        """Whether the hypotheses may as well be references, by the name of their column."""
        return HYPOTHESIS not in self._named and self.chosen[HYPOTHESIS] in DOUBTFUL_NAMES

    def learn(self, names: Iterable[str]) -> None:
        """Choose among the names of a block, or see that they do not speak against the choice.

        Raises:
            UsageError: There is no hypothesis, nothing says whose it is, or it is not clear
                which column it is.
        """
        present = list(names)
        if self._learnt:
            self._check_later(present)
            return
        self._learnt = True
        for column, own in self._named.items():
            if own not in present:
                raise unknown(f"column for {column}:", own, present, where=self._file)
        if HYPOTHESIS not in self.chosen:
            self.chosen[HYPOTHESIS] = self._find_hypothesis(present)
        for column in (UTT_ID, AUDIO_PATH, OFFSET):
            found = next((name for name in self.aliases[column] if name in present), None)
            if found is not None:
                self.chosen.setdefault(column, found)
        if CONFIDENCE in present:
            self.chosen.setdefault(CONFIDENCE, CONFIDENCE)
        if not {UTT_ID, AUDIO_PATH} & self.chosen.keys():
            raise UsageError(
                "nothing says which clip a hypothesis belongs to",
                where=self._file,
                hint=f"its columns are {', '.join(present)}; call one of them utt_id or audio_path",
            )

    def _find_hypothesis(self, present: list[str]) -> str:
        clear = [name for name in CLEAR_NAMES if name in present]
        doubtful = [name for name in DOUBTFUL_NAMES if name in present]
        if clear:
            return clear[0]
        if len(doubtful) == 1:
            return doubtful[0]
        said = f"its columns are {', '.join(present)}; call the hypotheses pred_text"
        if doubtful:
            raise UsageError(
                f"it is not clear whether {' or '.join(doubtful)} is the hypothesis",
                where=self._file,
                hint=said,
            )
        raise UsageError("no column of it is known to hold hypotheses", where=self._file, hint=said)

    def _check_later(self, present: list[str]) -> None:
        """Refuse a file whose first lines made a reference look like a hypothesis."""
        clear = [name for name in CLEAR_NAMES if name in present]
        if self.doubtful and clear:
            raise UsageError(
                f"its first lines have hypotheses in '{self.chosen[HYPOTHESIS]}' and later ones "
                f"in '{clear[0]}'",
                where=self._file,
                hint="give all lines the same fields",
            )
