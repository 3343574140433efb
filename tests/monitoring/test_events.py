"""Event files of TensorBoard, written by its own library."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from asrdq.monitoring.logs import Log
from asrdq.monitoring.readers.events import read_events
from asrdq.monitoring.run_log import LogReader

Scalar = tuple[int, str, float]


def write_events(file: Path, scalars: Sequence[Scalar], *, start: float = 1000.0) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        writer = RecordWriter(stream)
        writer.write(Event(wall_time=start, file_version="brain.Event:2").SerializeToString())
        for step, tag, value in scalars:
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            event = Event(wall_time=start + step, step=step, summary=summary)
            writer.write(event.SerializeToString())
    return file


SCALARS = [(1, "train/loss", 2.0), (2, "train/loss", 1.0), (2, "eval/wer", 0.5)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_events(tmp_path / "events.out.tfevents.1.host", SCALARS)


def read(file: Path) -> Log:
    return read_events(file, file.name)


def taken(log: Log) -> list[tuple[int, str, float]]:
    return list(log.rows.select("step", "name", "value").iter_rows())


def test_scalars_with_their_times(file: Path) -> None:
    log = read(file)
    assert taken(log) == SCALARS
    assert log.rows["wall_time"].to_list() == [1001.0, 1002.0, 1002.0]
    assert log.unreadable == 0


def test_scalars_as_tensors_and_what_is_none(tmp_path: Path) -> None:
    metadata = SummaryMetadata()
    metadata.plugin_data.plugin_name = "scalars"
    image = SummaryMetadata()
    image.plugin_data.plugin_name = "images"
    summary = Summary(
        value=[
            Summary.Value(tag="eval/wer", tensor=make_tensor_proto(0.25), metadata=metadata),
            Summary.Value(tag="histogram", tensor=make_tensor_proto([1.0, 2.0]), metadata=metadata),
            Summary.Value(tag="text", tensor=make_tensor_proto("hello"), metadata=metadata),
            Summary.Value(tag="image", tensor=make_tensor_proto(1.0), metadata=image),
        ]
    )
    file = tmp_path / "events.out.tfevents.1.host"
    with file.open("wb") as stream:
        RecordWriter(stream).write(Event(step=7, summary=summary).SerializeToString())
    assert taken(read(file)) == [(7, "eval/wer", 0.25)]


def test_a_scalar_called_epoch_is_the_epoch(tmp_path: Path) -> None:
    scalars = [(5, "train_loss", 1.0), (5, "epoch", 3.0), (6, "train_loss", 0.5)]
    log = read(write_events(tmp_path / "events.out.tfevents.1.host", scalars))
    assert list(log.rows.select("step", "epoch").iter_rows()) == [(5, 3.0), (6, None)]


def test_a_file_cut_anywhere_gives_its_whole_records(file: Path) -> None:
    content = file.read_bytes()
    counts = []
    for cut in range(len(content) + 1):
        file.write_bytes(content[:cut])
        log = read(file)
        assert log.unreadable == 0  # it is being written
        counts.append(log.rows.height)
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3}


def test_a_flipped_byte_is_told_and_what_stands_before_is_read(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-6] ^= 0xFF
    file.write_bytes(content)
    log = read(file)
    assert taken(log) == SCALARS[:2]
    assert "damaged" in log.problems[0].message


@pytest.mark.parametrize("content", [b"\xff" * 400, bytes(range(256)) * 3])
def test_garbage_is_told(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "events.out.tfevents.1.host"
    file.write_bytes(content)
    log = read(file)
    assert (log.rows.height, log.unreadable) == (0, 1)


def test_records_of_something_else_are_told(tmp_path: Path) -> None:
    file = tmp_path / "events.out.tfevents.1.host"
    with file.open("wb") as stream:
        RecordWriter(stream).write(b"\xff\xff\xff no event")
    assert read(file).unreadable == 1


def test_infinite_and_nan_values_are_values(tmp_path: Path) -> None:
    scalars = [(1, "loss", math.inf), (2, "loss", math.nan)]
    found = taken(read(write_events(tmp_path / "events.out.tfevents.1.host", scalars)))
    assert found[0][2] == math.inf
    assert math.isnan(found[1][2])


def test_files_of_a_resumed_run_follow_each_other_by_time(tmp_path: Path) -> None:
    """The run logged to step 30, was resumed from a checkpoint at 20, and is at step 21 now."""
    first = [(10, "loss", 3.0), (20, "loss", 2.0), (30, "loss", 9.0)]
    write_events(tmp_path / "events.out.tfevents.2.host", first, start=1000.0)
    write_events(tmp_path / "events.out.tfevents.1.host", [(21, "loss", 1.5)], start=5000.0)
    log = LogReader(tmp_path).read()
    assert sorted(log.rows.select("step", "value").iter_rows()) == [(10, 3.0), (20, 2.0), (21, 1.5)]
    assert log.superseded["step"].to_list() == [30]
    assert log.resumes == 1


def test_reading_loads_neither_torch_nor_tensorflow(file: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from asrdq.monitoring.readers.events import read_events; "
        f"assert read_events(Path({str(file)!r}), 'f').rows.height == 3; "
        "print([m for m in ('torch', 'tensorflow', 'pandas', 'grpc') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
