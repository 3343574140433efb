"""JSON lines one by one: slower, and exact about what is wrong with which line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from asrdq.manifests.columns import NUMBERS, SPEAKER, UTT_ID, Aliases
from asrdq.manifests.formats.fast_json import parse_fast
from asrdq.manifests.formats.lines import BOM, TOO_LONG
from asrdq.manifests.formats.protocol import BLOCK_BYTES, Chunk, Parsed
from asrdq.manifests.rejects import Reject, RejectReason, shorten

if TYPE_CHECKING:
    import pyarrow as pa


class _Unfit(Exception):
    """A line that cannot be taken: reason and detail."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def parse_exactly(chunk: Chunk, aliases: Aliases) -> Parsed:
    """Read JSON lines one by one; blank lines are skipped, unfit ones become rejects."""
    import numpy as np

    canonical = {name: column for column, names in aliases.items() for name in names}
    kept: list[bytes] = []
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    for number, line, record in json_objects(chunk, canonical):
        if isinstance(record, Reject):
            rejects.append(record)
        else:
            kept.append(line)
            lines.append(number)
            records.append(record)
    rows, mixed = parse_fast(b"\n".join(kept)) if kept else None, frozenset[str]()
    if rows is None:
        rows, mixed = table_from_records(records)
    return Parsed(rows, np.array(lines, dtype=np.int64), rejects, mixed)


def json_objects(
    chunk: Chunk, canonical: Mapping[str, str]
) -> Iterator[tuple[int, bytes, dict[str, Any] | Reject]]:
    """Give the number of each line that is not blank, its bytes, and the object or reject.

    Args:
        chunk: Whole lines.
        canonical: The canonical columns of fields whose type is to be checked.
    """
    for number, raw in enumerate(chunk.data.split(b"\n"), chunk.first_line):
        line = raw.removeprefix(BOM).strip(b" \t\r")
        if not line:
            continue
        try:
            yield number, line, _record(line, canonical, chunk.context)
        except _Unfit as unfit:
            yield number, line, Reject(number, unfit.reason, unfit.detail, shorten(raw))


def _record(line: bytes, canonical: Mapping[str, str], context: Any) -> dict[str, Any]:
    if context == TOO_LONG:
        raise _Unfit(RejectReason.TOO_LONG, f"the line is longer than {BLOCK_BYTES >> 20} MB")
    try:
        value = _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        raise _Unfit(
            RejectReason.INVALID_UTF8, f"byte {error.start + 1} is not valid UTF-8"
        ) from None
    except RecursionError:
        raise _Unfit(RejectReason.BROKEN_JSON, "nested too deeply") from None
    except ValueError as error:
        raise _Unfit(RejectReason.BROKEN_JSON, str(error)) from None
    return _checked(value, canonical, escapes=rb"\u" in line)


def checked_object(
    value: Any, canonical: Mapping[str, str], line: int
) -> tuple[int, dict[str, Any]] | Reject:
    """Return a JSON value that was decoded elsewhere with its line, or the reject."""
    try:
        return line, _checked(value, canonical, escapes=True)
    except _Unfit as unfit:
        return Reject(line, unfit.reason, unfit.detail, shorten(json.dumps(value).encode()))


def _checked(value: Any, canonical: Mapping[str, str], *, escapes: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Unfit(RejectReason.NOT_AN_OBJECT, f"a JSON {_kind(value)}, not an object")
    for name in value.keys() & canonical.keys():
        value[name] = _typed(name, canonical[name], value[name])
    if escapes:
        _refuse_half_characters(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key '{twice}' stands there twice")
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _typed(name: str, column: str, value: Any) -> Any:
    """Return the value of a canonical column if its type fits; numbers may name people."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is None or (number if column in NUMBERS else isinstance(value, str)):
        return value
    if column in (UTT_ID, SPEAKER) and number and isinstance(value, int):
        return str(value)
    expected = "a number" if column in NUMBERS else "text"
    raise _Unfit(RejectReason.WRONG_TYPE, f"'{name}' is a JSON {_kind(value)}, not {expected}")


def _refuse_half_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _Unfit(
            RejectReason.INVALID_UTF8, "half of a surrogate pair (\\ud800 to \\udfff)"
        ) from None


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "null" if value is None else "object")


def table_from_records(records: list[dict[str, Any]]) -> tuple[pa.Table, frozenset[str]]:
    """Return records as a table, and the columns of mixed types that became JSON text."""
    import pyarrow as pa

    columns, mixed = {}, set()
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name) for record in records]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            columns[name] = pa.array([json_text(value) for value in values], pa.string())
            mixed.add(name)
    return pa.table(columns), frozenset(mixed)


def json_text(value: Any) -> str | None:
    """Return a value of mixed columns as text: strings as they are, all else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
