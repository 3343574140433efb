"""Lines that are not taken into a manifest, and why."""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = "rejects"
CREDENTIALS = r"://[^/\s]*@|s3://[^/@:\s]+:[^@\s]*@|://[^\s]*[?&](X-Amz-|AWSAccessKeyId|Signature)"
"""Where an address holds a password or a signature."""

_MASKED = re.compile(rf"({CREDENTIALS})[^\s\"]*".replace("s3://", "://"))
RAW_CHARACTERS = 500
KEPT_AT_MOST = 100_000


class RejectReason(enum.StrEnum):
    """Why a line was rejected."""

    BROKEN_JSON = "broken_json"
    NOT_AN_OBJECT = "not_an_object"
    INVALID_UTF8 = "invalid_utf8"
    RAGGED_ROW = "ragged_row"
    TOO_LONG = "too_long"
    MISSING_AUDIO_PATH = "missing_audio_path"
    BAD_AUDIO_PATH = "bad_audio_path"
    BAD_ID = "bad_id"
    BAD_LANGUAGE = "bad_language"
    WRONG_TYPE = "wrong_type"
    NAN_DURATION = "nan_duration"
    NEGATIVE_DURATION = "negative_duration"
    ABSURD_DURATION = "absurd_duration"
    BAD_OFFSET = "bad_offset"
    DUPLICATE_ID = "duplicate_id"
    BAD_LINE = "bad_line"
    COMMAND_PIPE = "command_pipe"
    MISSING_PART = "missing_part"
    NOT_A_CLIP = "not_a_clip"
    BAD_INTERVAL = "bad_interval"
    BAD_FILE = "bad_file"
    NO_MATCH = "no_match"


@dataclass(frozen=True, slots=True)
class Reject:
    """One rejected line.

    Attributes:
        line: Its number in the file, from 1.
        reason: Why.
        detail: The same for a person, with the value.
        raw: The line as it stands, cut at 500 characters.
        file: The file; filled in by the ingest.
    """

    line: int
    reason: RejectReason
    detail: str
    raw: str
    file: str = ""


def shorten(raw: bytes) -> str:
    """Return what is kept of a line: 500 characters, other bytes than UTF-8 as hex.

    From credentials in an address on, nothing is kept of it.
    """
    text = raw[: 4 * RAW_CHARACTERS].decode("utf-8", "backslashreplace")
    text = _MASKED.sub("://***", text)
    return text[:RAW_CHARACTERS].replace("\0", "\\x00")


def rejects_schema() -> pa.Schema:
    """Return the columns of the table `rejects`."""
    import pyarrow as pa

    names = ("run_id", "manifest", "file")
    after = ("reason", "detail", "raw")
    return pa.schema(
        [
            *((name, pa.string()) for name in names),
            ("line", pa.int64()),
            *((name, pa.string()) for name in after),
        ]
    )


def as_table(rejects: Sequence[Reject], run_id: str, manifest: str) -> pa.Table:
    """Return rejects as rows of the table `rejects`."""
    import pyarrow as pa

    count = len(rejects)
    columns = [
        [run_id] * count,
        [manifest] * count,
        [reject.file for reject in rejects],
        [reject.line for reject in rejects],
        [reject.reason.value for reject in rejects],
        [reject.detail for reject in rejects],
        [reject.raw for reject in rejects],
    ]
    schema = rejects_schema()
    arrays = [pa.array(v, f.type) for v, f in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


class RejectLog:
    """Counts all rejects by reason and keeps the first 100,000 of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[Reject] = []

    @property
    def total(self) -> int:
        """Number of rejected lines."""
        return self.counts.total()

    def add(self, rejects: Iterable[Reject]) -> None:
        """Count rejects and keep them while there is room."""
        for reject in rejects:
            self.counts[reject.reason.value] += 1
            if len(self.kept) < KEPT_AT_MOST:
                self.kept.append(reject)
