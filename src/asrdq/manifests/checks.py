"""The rows that cannot be taken: no audio path, a duration that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from asrdq.manifests.columns import AUDIO_PATH, DURATION, LANGUAGE, OFFSET, UTT_ID
from asrdq.manifests.memory import memory_of
from asrdq.manifests.rejects import CREDENTIALS, RejectReason

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_CONTROL = r"[\x00-\x1f]"


def unfit_rows(
    rows: pa.Table, max_duration_s: float
) -> Iterator[tuple[NDArray[np.int64], RejectReason, str]]:
    """Give for each kind of fault the indexes of the rows that have it and what to say.

    In what is said, `{}` stands for the value.

    Args:
        rows: Rows with the canonical columns.
        max_duration_s: Above this a duration is absurd.
    """
    import pyarrow.compute as pc

    path = rows[AUDIO_PATH]
    blank = pc.equal(path, "")
    if pc.any(pc.starts_with(path, " ")).as_py():
        blank = pc.equal(pc.utf8_trim_whitespace(path), "")
    yield _where(pc.fill_null(blank, True)), RejectReason.MISSING_AUDIO_PATH, "no audio path"
    for column, reason in (
        (AUDIO_PATH, RejectReason.BAD_AUDIO_PATH),
        (UTT_ID, RejectReason.BAD_ID),
        (LANGUAGE, RejectReason.BAD_LANGUAGE),
    ):
        if has_control_bytes(rows[column]):
            hostile = pc.fill_null(pc.match_substring_regex(rows[column], _CONTROL), False)
            yield _where(hostile), reason, f"control characters in {column} {{}}"
    if _may_hold_credentials(path):
        hostile = pc.fill_null(pc.match_substring_regex(path, CREDENTIALS), False)
        yield _where(hostile), RejectReason.BAD_AUDIO_PATH, "there are credentials in the address"
    duration, offset = _numbers(rows, DURATION), _numbers(rows, OFFSET)
    # A null is NaN here, and is fine: `_nan` asks only about values that are there.
    yield _nan(rows, DURATION), RejectReason.NAN_DURATION, "duration is {}"
    yield np.flatnonzero(duration < 0), RejectReason.NEGATIVE_DURATION, "duration is {} s"
    nothing = "duration is 0 s: leave it out where it is not known"
    yield np.flatnonzero(duration == 0), RejectReason.ABSURD_DURATION, nothing
    limit = f"duration is {{}} s, above {max_duration_s:g} s"
    yield np.flatnonzero(duration > max_duration_s), RejectReason.ABSURD_DURATION, limit
    yield _nan(rows, OFFSET), RejectReason.BAD_OFFSET, "offset is {}"
    late = (offset < 0) | (offset > max(1e7, max_duration_s))
    yield np.flatnonzero(late), RejectReason.BAD_OFFSET, "offset is {} s"


COLUMN_OF = {
    RejectReason.BAD_AUDIO_PATH: AUDIO_PATH,
    RejectReason.BAD_ID: UTT_ID,
    RejectReason.BAD_LANGUAGE: LANGUAGE,
    RejectReason.MISSING_AUDIO_PATH: AUDIO_PATH,
    RejectReason.BAD_OFFSET: OFFSET,
}
"""The column a reason is about; all others are about the duration."""


def has_control_bytes(texts: pa.ChunkedArray) -> bool:
    """Return whether a control byte is in the memory of the texts; quicker than a search."""
    return any(len(piece) and int(piece.min()) < 0x20 for piece in memory_of(texts))


def _may_hold_credentials(paths: pa.ChunkedArray) -> bool:
    """Return whether an @ or a ? is in the memory of the paths; quicker than a search."""
    return any(((piece == ord("@")) | (piece == ord("?"))).any() for piece in memory_of(paths))


def _where(mask: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.flatnonzero(mask.to_numpy())


def _numbers(rows: pa.Table, column: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = rows[column].to_numpy()
    return values


def _nan(rows: pa.Table, column: str) -> NDArray[np.int64]:
    import pyarrow.compute as pc

    return _where(pc.fill_null(pc.is_nan(rows[column]), False))
