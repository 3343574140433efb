"""A file that is one JSON array: its items, each with the line it begins on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from asrdq.errors import DataError
from asrdq.manifests.formats.lines import BOM
from asrdq.manifests.formats.opening import read_whole

_ARRAY_BYTES: Final = 512 << 20
_BETWEEN: Final = re.compile(r"[\s,]*")


def array_items(file: Path) -> Iterator[tuple[int, Any]]:
    """Give the items of a JSON array, each with the line it begins on.

    Raises:
        DataError: It is none, or longer than 512 MB.
    """
    lines = f"{file.name.removesuffix('.gz').removesuffix('.json')}.jsonl"
    hint = f"an array is read whole; make it JSON lines: jq -c '.[]' {file.name} > {lines}"
    text = read_whole(file, _ARRAY_BYTES, hint).removeprefix(BOM)
    decoder = json.JSONDecoder()
    try:
        content = text.decode()
        at, line, counted = content.index("[") + 1, 1, 0
        while True:
            at = _BETWEEN.match(content, at).end()  # type: ignore[union-attr]
            if content.startswith("]", at):
                return
            line, counted = line + content.count("\n", counted, at), at
            item, at = decoder.raw_decode(content, at)
            yield line, item
    except (ValueError, RecursionError) as error:
        raise DataError(f"is no JSON array: {error}", where=str(file)) from None
