"""Workflow commands and Markdown as GitHub reads them; texts from data command nothing."""

from __future__ import annotations

import html
import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~:@$-])")


def workflow_command(
    level: str, title: str, message: str, *, file: str | None = None, line: int | None = None
) -> str:
    """Return a workflow command; nothing in its texts can end it or begin another.

    Args:
        level: `error`, `warning` or `notice`.
        title: What stands in bold.
        message: What stands below; it may have several lines.
        file: The file it is shown at.
        line: The line in it, counted from 1.
    """
    told = {"file": file, "line": None if file is None else line, "title": title}
    given = ",".join(f"{key}={_property(str(it))}" for key, it in told.items() if it is not None)
    return f"::{level} {given}::{_escaped(message)}"


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    """Return a text as the message of a command, without what older runners read as one."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return "".join(sign if sign.isprintable() else "�" for sign in text).replace("##[", "## [")


def markdown_code(text: str) -> str:
    """Return a name as code in a cell of a Markdown table."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return f"`{shown.replace('`', '´').replace('|', '¦')}`"


def plain_markdown(text: str) -> str:
    """Return a text as Markdown that shows it as it is, on one line."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return _MARKDOWN.sub(r"\\\1", html.escape(line, quote=False))
