"""The normalisers there are: the shipped ones, and plug-ins found through entry points."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from asrdq.errors import AsrdqError, ToolError, unknown
from asrdq.places import Place
from asrdq.text.normalisers.normaliser import Normaliser

GROUP: Final = "asrdq.normalisers"

_HERE: Final = __name__.rpartition(".")[0]
SHIPPED: Final = {
    "none": f"{_HERE}.basic:NONE",
    "sclite": f"{_HERE}.basic:SCLITE",
    "basic": f"{_HERE}.basic:BASIC",
    "whisper-en": f"{_HERE}.whisper:WHISPER_ENGLISH",
    "whisper-basic": f"{_HERE}.whisper:WHISPER_BASIC",
    "clinical-strict": f"{_HERE}.basic:CLINICAL_STRICT",
    "clinical": f"{_HERE}.clinical:CLINICAL",
    "hebrew": f"{_HERE}.hebrew:HEBREW",
}
"""Name and place of those that come along; their entry points say the same."""

_PROBES: Final = ("", "Dr. O’Neil gave 2.5 mg – twice!", "ÉTÉ  ½ שָׁלוֹם", "it's  a\tTEST-case")


def normaliser_names() -> list[str]:
    """Return the names of all normalisers, the shipped ones first."""
    return [*SHIPPED, *sorted({point.name for point in _plug_ins()})]


def normaliser(name: str, equivalences: str | Path | Place | None = None) -> Normaliser:
    """Return the normaliser of a name, with the spelling variants of a file if one is given.

    Args:
        name: One of `normaliser_names()`.
        equivalences: A YAML file of spelling variants; see `read_equivalences`.

    Raises:
        UsageError: There is no such normaliser, the nearest one is named; or the file of variants
            has mistakes.
        ToolError: A plug-in cannot be loaded, takes a name that is taken, is no normaliser, or is
            not idempotent. Nothing is put in its place.

    Example:
        >>> normaliser("clinical")("2.5mg of µ-opioid, b.i.d.")
        '2.5 mg of μ opioid bid'
    """
    found = _shipped(name) if name in SHIPPED else _plugged_in(name)
    if equivalences is None:
        return found
    from asrdq.text.normalisers.equivalence_file import read_equivalences

    return dataclasses.replace(found, equivalences=read_equivalences(equivalences, found))


def _plug_ins() -> list[EntryPoint]:
    """Return the entry points of others.

    Raises:
        ToolError: One of them takes the name of a shipped normaliser.
    """
    others = [
        point for point in entry_points(group=GROUP) if SHIPPED.get(point.name) != point.value
    ]
    for point in others:
        if point.name in SHIPPED:
            raise ToolError(
                f"the plug-in '{point.value}' takes the name of the normaliser '{point.name}'",
                hint="give it another name, or uninstall it",
            )
    return others


def _shipped(name: str) -> Normaliser:
    _plug_ins()
    module, _, attribute = SHIPPED[name].partition(":")
    found = getattr(import_module(module), attribute)
    assert isinstance(found, Normaliser)
    return found


def _plugged_in(name: str) -> Normaliser:
    points = [point for point in _plug_ins() if point.name == name]
    if not points:
        raise unknown("normaliser", name, normaliser_names())
    if len({point.value for point in points}) > 1:
        places = " and ".join(sorted(point.value for point in points))
        raise ToolError(f"two plug-ins are called '{name}': {places}", hint="uninstall one")
    try:
        found = _as_normaliser(name, points[0].load())
        results = [found(probe) for probe in _PROBES]
        again = [found(result) for result in results]
    except Exception as error:
        if isinstance(error, AsrdqError):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise ToolError(f"the normaliser '{name}' cannot be used: {reason}") from error
    for probe, once, twice in zip(_PROBES, results, again, strict=True):
        if once != twice:
            raise ToolError(
                f"the normaliser '{name}' is not idempotent: '{probe}' becomes '{once}', and that "
                f"'{twice}'",
                hint="normalising a normalised text must change nothing",
            )
    return found


def _as_normaliser(name: str, plug_in: Any) -> Normaliser:
    """Return a plug-in as a normaliser: it is one, or a function or object with a version."""
    made = plug_in() if isinstance(plug_in, type) else plug_in
    if isinstance(made, Normaliser):
        return dataclasses.replace(made, name=name)
    version = getattr(made, "version", None)
    if not callable(made) or version is None:
        raise ToolError(
            f"the plug-in '{name}' is not a normaliser: it is no function with a `version`",
            hint="docs/normalisers.md shows one",
        )
    return Normaliser(name, str(version), (made,))
