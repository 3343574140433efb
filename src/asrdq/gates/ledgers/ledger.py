"""A ledger: a table that only grows, each entry holding the hash of the one before.

The content of an entry is the canonical JSON in its column `body`; its hash is the SHA-256 of those
bytes. The other columns repeat parts of the body for SQL, and answer for nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asrdq.errors import ToolError, UsageError
from asrdq.gates.ledgers.reading import BROKEN, first_line
from asrdq.workspace.sql import connection

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

GENESIS = "0" * 64
"""What the first entry holds in the place of the hash of one before."""

CHAIN = (
    ("sequence", pa.int64()),
    ("previous", pa.string()),
    ("hash", pa.string()),
    ("body", pa.string()),
    ("signature", pa.string()),
)
"""The columns that every ledger has; `signature` is hex, null where nobody signed with a key."""


@dataclass(frozen=True)
class Ledger:
    """One ledger of a workspace.

    Attributes:
        table: Name of its table.
        command: The command whose finished runs each left an entry.
        columns: Further columns, each of them a key of the body.
    """

    table: str
    command: str
    columns: pa.Schema

    @property
    def schema(self) -> pa.Schema:
        """The columns of the table."""
        return pa.schema([*CHAIN, *self.columns])


@dataclass(frozen=True)
class Entry:
    """An entry as it is stored.

    Attributes:
        row: The row of the table.
        body: What its column `body` says; empty where that is no JSON object.
    """

    row: Mapping[str, Any]
    body: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The hash of the body as it is stored now."""
        return digest_text(str(self.row.get("body")))


def canonical(value: Any) -> str:
    """Return JSON with one spelling for one value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_text(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, as hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def check_text(option: str, text: str | None) -> str:
    """Return a text that a person gave, without spaces around it.

    Raises:
        UsageError: It is empty, is more than a line, or its bytes are no UTF-8.
    """
    found = (text or "").strip()
    if not found:
        raise UsageError(f"{option} is empty", hint=f"{option} TEXT")
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{option} is not valid UTF-8") from error
    if any(unicodedata.category(sign) == "Cc" for sign in found):
        raise UsageError(f"{option} has a line break or another control character")
    return found


def append_entry(
    workspace: Workspace,
    ledger: Ledger,
    body: Mapping[str, Any],
    sign: Callable[[bytes], str] | None = None,
) -> Entry:
    """Put an entry at the end of a ledger, in one atomic commit, and return it.

    Two that are added at once follow each other: the chain never forks, on S3 neither.

    Args:
        workspace: Where the ledger is.
        ledger: Which one.
        body: What the entry says, in JSON types.
        sign: Returns the signature of the bytes of the body.

    Raises:
        ToolError: The ledger is broken, or cannot be read or written.
    """
    written: list[dict[str, Any]] = []

    def make(before: list[dict[str, Any]]) -> pa.Table:
        entries = _parse(before)
        problem = next(_broken_links(entries, ledger), None)
        if problem:
            raise ToolError(
                f"the ledger '{ledger.table}' is broken: {problem}",
                hint="asrdq verify; put the table back from a copy",
            )
        last = entries[-1].digest if entries else GENESIS
        whole = {**body, "sequence": len(entries), "previous": last}
        text = canonical(whole)
        signature = sign(text.encode()) if sign else None
        row = {**_columns(ledger, whole), "hash": digest_text(text), "body": text}
        written[:] = [{**row, "signature": signature}]
        return pa.Table.from_pylist(written, schema=ledger.schema)

    workspace.store.append_after(ledger.table, make)
    return _parse(written)[0]


def read_ledger(workspace: Workspace, ledger: Ledger) -> list[Entry]:
    """Return all entries in their order, none where nothing was ever written.

    Raises:
        ToolError: The table cannot be read.
    """
    return _parse(workspace.store.rows(ledger.table))


def broken_entries(workspace: Workspace, ledger: Ledger, entries: list[Entry]) -> Iterator[str]:
    """Give everything that is wrong with a ledger: edited, lost, added or reordered entries.

    Entries lost at the end leave the chain whole; they are missed by the commits of the table and
    by the runs that wrote them.
    """
    yield from _broken_links(entries, ledger)
    if not workspace.table_exists(ledger.table) and not workspace.table_exists("runs"):
        return
    known = {entry.body.get("run_id") for entry in entries}
    for run_id in _finished_runs(workspace, ledger.command):
        if run_id not in known:
            yield f"the entry of run {run_id} is missing"
    if workspace.table_exists(ledger.table):
        table = workspace.store.open(ledger.table)
        kinds = {field.name: field.type for field in workspace.store.schema(table)}
        for field in ledger.schema:
            if kinds.get(field.name) != field.type:
                yield f"its table no longer has the column '{field.name}'"
        commits = table.version() + 1
        if commits != len(entries):
            yield f"it has {len(entries):,} entries, and its table {commits:,} commits"
        elif _read_by_sql(workspace, ledger) != [
            {field.name: entry.row.get(field.name) for field in ledger.schema} for entry in entries
        ]:
            yield "SQL reads something else from it"


def _read_by_sql(workspace: Workspace, ledger: Ledger) -> list[dict[str, Any]]:
    """Return the rows as SQL reads them, which knows other parts of a file than Arrow does.

    Raises:
        ToolError: They cannot be read.
    """
    columns = ", ".join(field.name for field in ledger.schema)
    try:
        with connection(workspace.store, [ledger.table]) as (database, _):
            found = database.sql(f"SELECT {columns} FROM {ledger.table} ORDER BY sequence, hash")
            rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
            return rows
    except BROKEN as error:
        raise ToolError(f"cannot read table '{ledger.table}': {first_line(error)}") from error


def _finished_runs(workspace: Workspace, command: str) -> list[str]:
    if not workspace.table_exists("runs"):
        return []
    found = workspace.query(
        "SELECT run_id FROM runs WHERE command = $command AND state = 'done' ORDER BY started",
        {"command": command},
    )
    runs: list[str] = found["run_id"].to_pylist()
    return runs


def _broken_links(entries: list[Entry], ledger: Ledger) -> Iterator[str]:
    previous = GENESIS
    for number, entry in enumerate(entries):
        name = f"entry {number}"
        if entry.row.get("hash") != entry.digest:
            yield f"{name} is not what its hash says"
        elif not entry.body:
            yield f"{name} is no JSON object"
        if entry.body.get("sequence") != number:
            yield f"{name} says that it is entry {entry.body.get('sequence')}"
        if entry.body.get("previous") != previous:
            yield f"{name} does not follow the one before it"
        if entry.row.get("signature") is not None and entry.body.get("public_key") is None:
            yield f"{name} has a signature, and names no key"
        stated = _columns(ledger, entry.body) if entry.body else {}
        for column, value in stated.items():
            if entry.row.get(column) != value:
                yield f"{name} has another '{column}' in its column than in its body"
        previous = entry.digest


def _parse(rows: list[dict[str, Any]]) -> list[Entry]:
    entries = []
    for row in rows:
        try:
            body = json.loads(str(row.get("body")))
        except (ValueError, RecursionError):
            body = {}
        entries.append(Entry(row, body if isinstance(body, dict) else {}))
    return sorted(entries, key=_place)


def _place(entry: Entry) -> tuple[int, str]:
    sequence = entry.row.get("sequence")
    return (sequence if isinstance(sequence, int) else -1, str(entry.row.get("hash")))


def _columns(ledger: Ledger, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the columns that repeat parts of a body."""
    row: dict[str, Any] = {"sequence": body.get("sequence"), "previous": body.get("previous")}
    for field in ledger.columns:
        row[field.name] = _value(body.get(field.name), field.type)
    return row


def _value(value: Any, kind: pa.DataType) -> Any:
    """Return a value of JSON as a column of a type holds it, the value itself if it cannot."""
    try:
        if value is not None and pa.types.is_timestamp(kind):
            return dt.datetime.fromisoformat(value)
        if value is not None and pa.types.is_date(kind):
            return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    return value
