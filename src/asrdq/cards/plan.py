"""What a card is asked to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from asrdq.errors import UsageError

_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


@dataclass(frozen=True, slots=True)
class CardPlan:
    """A card, and whether the model is published with it.

    Attributes:
        run_dir: Folder of the training run.
        out: Where the card goes; None: README.md in the folder of the run.
        push: Repository on the hub, as `owner/name`; None: nothing leaves this machine.
        public: Whether a repository that is made for it can be seen by everybody.
        override: Why the model is published although something stands against it.
        by: Who answers for that.
        license: Licence of the model, as the hub spells it; None: the card names none.
    """

    run_dir: Path
    out: Path | None = None
    push: str | None = None
    public: bool = False
    override: str | None = None
    by: str | None = None
    license: str | None = None

    def __post_init__(self) -> None:
        if self.push is not None and not _REPO.fullmatch(self.push):
            raise UsageError(f"'{self.push}' is not owner/name", hint="--push your-name/your-model")
        if self.public and self.push is None:
            raise UsageError("--public is about what is pushed", hint="--push owner/name --public")
        if (self.override is None) != (self.by is None):
            raise UsageError(
                "an override has a reason and somebody who answers for it",
                hint='--override "why" --by "Dana Levi"',
            )
        if self.override is not None and self.push is None:
            raise UsageError("--override is about a push", hint="--push owner/name")
        for name, text in (("--override", self.override), ("--by", self.by)):
            if text is not None and not text.strip():
                raise UsageError(f"{name} is empty")

    @property
    def file(self) -> Path:
        """Where the card goes."""
        return self.out or self.run_dir / "README.md"
