"""The file of the folds: speakers, and the model that has not heard them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BeforeValidator, Field

from asrdq.errors import UsageError
from asrdq.strict import Strict
from asrdq.strict_yaml import read_yaml_model
from asrdq.workspace.files import whole_file

FOLDS_FILE: Final = "folds.yaml"

Named = Annotated[str, Field(min_length=1)]


def _in_quotes(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError(f"is a number: put it in quotes, as in '{value}'")
    return value


Speaker = Annotated[Named, BeforeValidator(_in_quotes)]


@dataclass(frozen=True, slots=True)
class FoldModel:
    """Speakers, and the model that judges them.

    Attributes:
        name: Name of the fold.
        speakers: Whom the model must not have heard.
        model: A model, or the folder of the training run that made it.
    """

    name: str
    speakers: tuple[str, ...]
    model: Path


class _Fold(Strict):
    name: Named
    speakers: Annotated[list[Speaker], Field(min_length=1)]
    model: Named


class _Folds(Strict):
    folds: Annotated[list[_Fold], Field(min_length=1)]


def read_folds(place: Path) -> list[FoldModel]:
    """Read a file of folds, or that in a folder; models are relative to it.

    Raises:
        UsageError: There is none, or it has mistakes: each with its line.
    """
    file = place / FOLDS_FILE if place.is_dir() else place
    if not file.is_file():
        raise UsageError(
            f"there is no file of folds, such as {FOLDS_FILE}",
            where=str(place),
            hint="a list `folds` of: name, speakers, model",
        )
    read = read_yaml_model(file, _Folds)
    names = [fold.name for fold in read.folds]
    if len(set(names)) < len(names):
        raise UsageError("two folds have one name", where=str(file))
    folder = file.resolve().parent
    return [
        FoldModel(fold.name, tuple(fold.speakers), folder / Path(fold.model).expanduser())
        for fold in read.folds
    ]


def write_folds(file: Path, folds: Sequence[FoldModel]) -> None:
    """Write a file that `read_folds` reads; it is whole at any moment."""
    folder = file.resolve().parent
    said = [
        {
            "name": fold.name,
            "speakers": list(fold.speakers),
            "model": str(
                fold.model.relative_to(folder) if fold.model.is_relative_to(folder) else fold.model
            ),
        }
        for fold in folds
    ]
    text = yaml.safe_dump({"folds": said}, sort_keys=False, allow_unicode=True)
    with whole_file(file) as opened:
        opened.write(text.encode())
