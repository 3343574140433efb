"""Texts from anywhere, written so that they break out of no format; loads nothing heavy."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~:@$-])")


def xml_text(text: str) -> str:
    """Return a text with � in the place of characters that XML cannot hold."""
    return _NO_XML.sub("�", text)


def markdown_text(text: str) -> str:
    """Return a text as Markdown that shows it as it is, on one line."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return _MARKDOWN.sub(r"\\\1", html.escape(line, quote=False))


def markdown_code(text: str) -> str:
    """Return a name as code in a cell of a Markdown table."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return f"`{shown.replace('`', '´').replace('|', '¦')}`"


def workflow_command(level: str, title: str, message: str) -> str:
    """Return a workflow command; nothing in title or message can end it or begin another."""
    named = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={named}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """Return a text as the message of a command, without what older runners read as one."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return "".join(sign if sign.isprintable() else "�" for sign in text).replace("##[", "## [")


def sarif_document(run: dict[str, Any]) -> str:
    """Return a SARIF 2.1.0 log with one run, in ASCII."""
    log = {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=True, allow_nan=False, indent=2)


def sarif_location(path: str, name: str) -> dict[str, Any]:
    """Return a location in SARIF: a file or address, and what in it is meant."""
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(path)}},
        "logicalLocations": [{"fullyQualifiedName": name}],
    }


def _uri(path: str) -> str:
    """Return a path or an address as a URI; what is no UTF-8 is replaced."""
    scheme, mark, rest = path.partition("://")
    if mark:
        return f"{scheme}://{quote(rest, errors='replace')}"
    prefix = "file://" if path.startswith("/") else ""
    return prefix + quote(path, errors="replace")
