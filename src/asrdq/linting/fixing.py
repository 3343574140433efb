"""Mending a file in place: only the values that rules name change, comments and layout stay."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from asrdq.errors import ToolError, UsageError
from asrdq.linting.config import Config
from asrdq.linting.findings import Edit, Finding
from asrdq.linting.lint import lint_config


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return a text with some edits made; what they say twice is done once.

    Raises:
        ValueError: Two of them reach into each other.
    """
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end))
    parts, reached = [], 0
    for edit in ordered:
        if edit.start < reached:
            raise ValueError("two edits reach into each other")
        parts += [text[reached : edit.start], edit.text]
        reached = edit.end
    return "".join([*parts, text[reached:]])


Read = Callable[[Path], Config]


def fix(file: Path, config: Config, found: Sequence[Finding], read: Read) -> int:
    """Write the mends of findings into the file of a configuration, whole or not at all.

    The new text is written beside the file, read, and linted before it takes its place.

    Args:
        file: The file; a link is followed.
        config: What it said.
        found: What was found in it; suppressed findings are left alone.
        read: Reads a configuration as the file was read.

    Returns:
        The number of findings that are mended.

    Raises:
        ToolError: The new text would not mend them, or cannot be written; the file is as it was.
    """
    mended = [each for each in found if each.edit is not None and each.suppressed is None]
    if not mended:
        return 0
    target = file.resolve()
    ending, text = _lines_of(target)
    if text != config.texts[config.name]:
        raise UsageError("changed while it was linted", where=str(file), hint="lint it again")
    beside = target.with_name(f".{target.stem}.asrdq-fix{target.suffix}")
    try:
        new = edited(text, [each.edit for each in mended if each.edit])
        beside.write_bytes(new.replace("\n", ending).encode("utf-8"))
        shutil.copymode(target, beside)
        _prove(read(beside), mended)
        beside.replace(target)
    except (OSError, ValueError) as error:
        raise ToolError(f"cannot be mended: {error}", where=str(file)) from error
    finally:
        beside.unlink(missing_ok=True)
    return len(mended)


def _lines_of(file: Path) -> tuple[str, str]:
    """Return how the lines of a file end, and its text with plain line ends.

    Raises:
        UsageError: They end in different ways, so that they could not be written back.
    """
    raw = file.read_bytes().decode("utf-8")
    text = raw.replace("\r\n", "\n")
    ending = "\r\n" if raw != text else "\n"
    if text.replace("\n", ending) != raw or "\r" in text:
        raise UsageError("has lines that end in different ways", where=str(file))
    return ending, text


def _prove(config: Config, mended: Sequence[Finding]) -> None:
    """Make sure that what was mended is not found again.

    Raises:
        ToolError: It is.
    """
    left = {(each.rule, each.key) for each in lint_config(config).found}
    again = sorted({each.rule for each in mended if (each.rule, each.key) in left})
    if again:
        raise ToolError(f"the mend of {', '.join(again)} does not hold; the file is as it was")
