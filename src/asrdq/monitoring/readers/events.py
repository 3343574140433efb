"""Event files of TensorBoard, read by its own library, which needs no machine-learning library."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError
from asrdq.monitoring.logs import LARGEST_STEP, Log, Point, frame

if TYPE_CHECKING:
    import polars as pl


def require_tensorboard(what: str) -> None:
    """Check that the library is there.

    Raises:
        ToolError: It is not.
    """
    if find_spec("tensorboard") is None:
        raise ToolError(
            "event files need the package tensorboard",
            where=what,
            hint="pip install 'asrdq[monitor]'",
        )


def read_events(path: Path, file: str) -> Log:
    """Read the scalars of an event file; what is being written is left for the next reading.

    Scalars come as plain numbers and as tensors of one number. After a damaged record nothing can
    be read, since a record says how long it is.

    Raises:
        ToolError: The package tensorboard is not installed.
        OSError: The file cannot be read.
    """
    require_tensorboard(file)
    path.open("rb").close()
    log = Log(file, frame(()))
    log.rows = _with_epochs(frame(_points(path, log)))
    return log


def _with_epochs(rows: pl.DataFrame) -> pl.DataFrame:
    """Give the rows the epoch that was logged as a scalar of their step."""
    import polars as pl

    epochs = rows.filter(pl.col("metric") == "epoch").unique("step", keep="last")
    if not epochs.height:
        return rows
    known = epochs.select("step", pl.col("value").alias("epoch"))
    others = rows.filter(pl.col("metric") != "epoch").drop("epoch")
    joined = others.join(known, on="step", how="left", maintain_order="left")
    return joined.select(rows.columns)


def _points(path: Path, log: Log) -> Iterator[Point]:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    for number, record in enumerate(_records(path, log), start=1):
        try:
            event = Event.FromString(record)
        except DecodeError:
            log.reject(f"record {number} is no event")
            continue
        if not 0 <= event.step <= LARGEST_STEP:
            log.reject(f"record {number} has the step {event.step}")
            continue
        for value in event.summary.value:
            number_of = _scalar(value)
            if number_of is not None:
                yield event.step, value.tag, number_of, None, event.wall_time


def _records(path: Path, log: Log) -> Iterator[bytes]:
    from tensorboard.compat.tensorflow_stub import errors
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

    reader = PyRecordReader_New(str(path))
    try:
        while True:
            reader.GetNext()
            yield reader.record()
    except errors.OutOfRangeError:
        return
    except errors.DataLossError as error:
        if "crc" in str(error) and "failed" in str(error):
            log.reject("is damaged; what stands before that was read")
    except (MemoryError, OverflowError):
        log.reject("is damaged: a record claims to be larger than memory")
    finally:
        reader.file_handle.close()


def _scalar(value: Any) -> float | None:
    from tensorboard.util.tensor_util import make_ndarray

    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind == "tensor" and value.metadata.plugin_data.plugin_name in ("scalars", ""):
        try:
            array = make_ndarray(value.tensor)
        except (TypeError, ValueError):
            return None
        return float(array.item()) if array.size == 1 and array.dtype.kind in "fiu" else None
    return None
