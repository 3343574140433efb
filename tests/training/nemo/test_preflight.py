"""What a preflight finds: by a real limit of memory, and on real clips."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.training.nemo.conftest import Rows, make_job

from asrdq.training.nemo.backend import NemoBackend
from asrdq.training.nemo.tiny import tiny_model
from asrdq.training.preflight import BatchFound, PreflightReport, Rates

LIMITED = """
    import resource, sys, json
    import torch
    from asrdq.training.nemo.batch_finder import largest_batch

    torch.set_num_threads(1)
    layer = torch.nn.Linear(1024, 1024)

    def attempt(clips):
        layer(torch.zeros(clips * 1024, 1024)).sum().backward()  # 4 MiB in and out, and gradients

    attempt(1)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 2**20,) * 2)
    found = largest_batch(attempt, asked=4, bound=512, longest_s=1.0)
    print(json.dumps([found.clips, found.tried]))
"""


@pytest.mark.slow
def test_it_finds_what_fits_a_real_limit_of_memory() -> None:
    found = {}
    for mebibytes in (200, 400):
        script = textwrap.dedent(LIMITED)
        told = subprocess.run(
            [sys.executable, "-c", script, str(mebibytes)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        clips, tried = json.loads(told.stdout)
        assert not all(fits for _, fits in tried)
        assert max(size for size, fits in tried if fits) == clips
        assert [clips + 1, False] in tried, "the search ends between two neighbours"
        found[mebibytes] = clips
    assert 8 < found[200] < 60  # at 4 to 16 MiB a clip
    assert 1.6 < found[400] / found[200] < 2.6


@pytest.mark.slow
def test_the_search_is_bounded_and_lets_other_errors_through() -> None:
    from asrdq.training.nemo.batch_finder import largest_batch

    tried: list[int] = []
    found = largest_batch(tried.append, asked=3, bound=20, longest_s=1.0)
    assert (found.clips, tried) == (20, [3, 6, 12, 20])

    tried.clear()
    found = largest_batch(tried.append, asked=3, bound=20, longest_s=1.0, seconds=0.0)
    assert (found.clips, tried) == (3, [3])

    def broken(clips: int) -> None:
        raise RuntimeError(f"shapes of {clips} clips do not match")

    with pytest.raises(RuntimeError, match="do not match"):
        largest_batch(broken, asked=3, bound=20, longest_s=1.0)


@pytest.mark.slow
def test_a_machine_too_small_for_one_clip_is_told() -> None:
    from asrdq.training.nemo.batch_finder import largest_batch

    def never(clips: int) -> None:
        raise MemoryError

    found = largest_batch(never, asked=4, bound=20, longest_s=1.0)
    assert (found.clips, found.fits) == (0, False)
    assert found.tried == ((4, False), (2, False), (1, False))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("family", "lhotse"), [("tdt", True), ("ctc", False)])
def test_it_looks_at_a_job(family: str, lhotse: bool, digits: Rows, tmp_path: Path) -> None:
    base = tiny_model(family, [row["text"] for row in digits], tmp_path / "base")  # type: ignore[arg-type]
    longest = max(row["duration"] for row in digits)
    by_seconds = {"batch_size": None, "batch_duration_s": 2.5 * longest, "buckets": 3}
    data = by_seconds if lhotse else {"batch_size": 2}
    job = make_job(tmp_path, digits, base, model={"family": family}, data=data)
    found = NemoBackend().preflight(job)
    assert found.batch.longest_s == pytest.approx(longest, abs=0.01)
    assert (found.batch.asked, found.batch.clips, found.batch.bound) == (2, 4, 4)
    assert found.rates is not None
    assert found.rates.loader > 0 and found.rates.steps > 0
    if lhotse:
        durations = sorted(row["duration"] for row in digits)
        assert len(found.bins) == 2
        third = sum(durations) / 3
        in_first = sum(each for each in durations if each < found.bins[0])
        assert in_first == pytest.approx(third, abs=longest)
    else:
        assert found.bins == ()
    assert not (job.run_dir / "checkpoints").exists()


def test_the_report_says_what_is_wrong() -> None:
    small = BatchFound(2, 20.0, asked=4, bound=1024, tried=((4, False), (2, True)))
    report = PreflightReport("a GPU", small, (3.0, 7.5), None)
    assert not report.ready
    assert report.summary().splitlines() == [
        "on a GPU a batch of 2 clips of 20 s fits; the recipe asks for 4",
        "the batches of the recipe do not fit: make them smaller, and accumulate",
        "buckets begin at 3, 7.5 s",
    ]
    enough = BatchFound(8, 20.0, asked=4, bound=8, tried=((4, True), (8, True)))
    slow = PreflightReport("a GPU", enough, (), Rates(loader=10.0, steps=9.5, workers=2))
    assert not slow.ready
    assert slow.summary().splitlines() == [
        "on a GPU a batch of 8 clips of 20 s or more fits; the recipe asks for 4",
        "the loader gives 10 clips/s with 2 workers, and training takes 9.5",
        "training would wait for its data: more data.workers, or faster storage",
    ]
    fast = PreflightReport("a GPU", enough, (), Rates(loader=11.0, steps=9.5, workers=2))
    assert fast.ready
    assert json.loads(fast.to_json())["rates"] == {"loader": 11.0, "steps": 9.5, "workers": 2}
