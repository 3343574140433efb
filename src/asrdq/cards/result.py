"""What writing a card gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from asrdq.cards.objections import Objection
from asrdq.results import Result


@dataclass(frozen=True)
class CardResult(Result):
    """A card that was written, and where it went.

    Attributes:
        file: The card.
        run: Name of the training run.
        model: The model it is about.
        objections: What stands against publishing.
        pushed_to: The repository it was published in; None: nowhere.
        commit: The commit there.
        row: Its row of `cards`.
    """

    main_table: ClassVar[str] = "row"

    file: Path
    run: str
    model: str
    objections: tuple[Objection, ...]
    pushed_to: str | None
    commit: str | None
    row: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return where the card is, what stands against publishing, and where it went."""
        lines = [f"{self.file}: the card of {self.run}"]
        if self.objections:
            lines.append("against publishing:")
        lines += [f"  {each}" for each in self.objections]
        if self.pushed_to:
            lines.append(f"published as {self.pushed_to}, commit {self.commit}")
        return "\n".join(lines)
