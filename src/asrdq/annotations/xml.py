"""Texts in XML, as JUnit reports have them."""

from __future__ import annotations

import re

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return a text with � in the place of characters that XML cannot hold."""
    return _NO_XML.sub("�", text)
