"""What the loaders use is counted from the loaders themselves, and taken up where it was left."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.training.nemo.conftest import Rows, make_job

from asrdq.errors import DataError, UsageError
from asrdq.training.job import TrainingJob
from asrdq.training.nemo.backend import NemoBackend
from asrdq.training.nemo.gathering import gather
from asrdq.training.nemo.tiny import tiny_model, train_tokenizer
from asrdq.training.run_writer import RunWriter

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

LHOTSE = {"batch_size": None, "batch_duration_s": 4.0, "buckets": 2}


@pytest.fixture(scope="module")
def bases(digits: Rows, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, texts = tmp_path_factory.mktemp("bases"), [row["text"] for row in digits]
    made = ("ctc", "tdt", "aed")
    return {family: tiny_model(family, texts, folder / family) for family in made}  # type: ignore[arg-type]


def feeds(job: TrainingJob, *, skip: int = 0, rank: int = 0, world: int = 1) -> Any:
    from asrdq.training.nemo.base import build_model
    from asrdq.training.nemo.feeding import Ranks, feeds_of

    gathered = gather(job)
    model = build_model(job, gathered.settings, on_cpu=True)
    materials = (gathered.train, gathered.validation)
    ranks = Ranks(rank, world)
    return feeds_of(job, model, gathered.settings, materials, ranks, skip=skip, pin=False)


def heard(batches: Iterator[Any], count: int) -> list[list[int]]:
    """Return the samples of each clip of some batches: no two clips are equally long."""
    found = [[int(each) for each in batch[1]] for batch in islice(batches, count)]
    assert len(found) == count
    return found


@pytest.mark.parametrize("data", [{"batch_size": 3}, LHOTSE], ids=["clips", "lhotse"])
def test_the_order_is_taken_up_where_it_was_left(
    data: dict[str, Any], digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    job = make_job(tmp_path, digits, bases["ctc"], data={**data, "max_duration_s": 3.0})
    whole = heard(iter(feeds(job).train), 14)
    assert heard(iter(feeds(job).train), 14) == whole
    for skip in (5, 6, 7):
        assert heard(iter(feeds(job, skip=skip).train), 14 - skip) == whole[skip:]
    reseeded = job.recipe.model_copy(
        update={"trainer": job.recipe.trainer.model_copy(update={"seed": 7})}
    )
    assert heard(iter(feeds(dataclasses.replace(job, recipe=reseeded)).train), 14) != whole


def test_every_clip_comes_once_an_epoch_over_all_ranks(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    job = make_job(tmp_path, digits, bases["ctc"], data={"batch_size": 3})
    ranks = [feeds(job, rank=rank, world=2) for rank in (0, 1)]
    assert [each.per_epoch for each in ranks] == [3, 3]  # 16 clips: 8 each, 3 + 3 + 2
    epochs = [[*heard(iter(each.train), 6)] for each in ranks]
    for epoch in (0, 1):
        clips = [n for each in epochs for batch in each[3 * epoch : 3 * epoch + 3] for n in batch]
        assert len(clips) == 16
        assert len(set(clips)) == len({round(row["duration"] * 16000) for row in digits})
    assert epochs[0][:3] != epochs[0][3:]


@pytest.mark.parametrize("data", [{"batch_size": 3}, LHOTSE], ids=["clips", "lhotse"])
def test_rows_and_hours_are_those_of_the_loader(
    data: dict[str, Any], digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    durations = sorted(row["duration"] for row in digits)
    limits = {"min_duration_s": durations[2], "max_duration_s": durations[-4]}
    rows = [*digits, {**digits[0], "text": ""}]
    found = feeds(make_job(tmp_path, rows, bases["ctc"], data={**data, **limits}))
    assert found.used_train.rows == 11
    assert found.used_train.dropped == {"too_short": 2, "too_long": 3, "empty_text": 1}
    assert found.used_train.hours == pytest.approx(sum(durations[2:-3]) / 3600, rel=1e-3)
    assert (found.used_validation.rows, found.used_validation.dropped) == (17, {})
    assert sum(len(b) for b in heard(iter(found.validation), len(found.validation))) == 17
    assert len(list(found.validation)) == len(found.validation)


def test_groups_are_heard_as_often_as_they_weigh_and_each_row_is_counted_once(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    """All alike: two clips of one group are heard as often as fourteen of the other."""
    rows = [{**row, "speaker": "few" if i < 2 else "many"} for i, row in enumerate(digits)]
    mixed = {**LHOTSE, "max_duration_s": 3.0, "mix_by": ["speaker"], "temperature": 0.0}
    found = feeds(make_job(tmp_path, rows, bases["ctc"], data=mixed))
    assert (found.used_train.rows, found.used_train.dropped) == (16, {})
    few = [row["duration"] * 16000 for row in rows[:2]]
    clips = [each for batch in heard(iter(found.train), 80) for each in batch]
    share = sum(min(abs(each - one) for one in few) < 100 for each in clips) / len(clips)
    assert share == pytest.approx(0.5, abs=0.12)


def test_other_rows_than_were_handed_off_fail_before_the_first_step(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    rows = [*digits[1:], {**digits[0], "audio_filepath": str(broken)}]
    job = make_job(tmp_path, rows, bases["ctc"], validation=digits)
    with RunWriter(job) as log, pytest.raises(DataError, match="unreadable: 1 dropped, 0 expected"):
        NemoBackend().train(job, log)
    assert not (job.run_dir / "metrics.csv").exists()


def test_what_lhotse_would_leave_out_silently_stops_the_run(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    """Its header is whole, and its samples are not there."""
    cut = tmp_path / "cut.wav"
    whole = Path(digits[0]["audio_filepath"]).read_bytes()
    cut.write_bytes(whole)
    rows = [*digits[1:], {**digits[0], "audio_filepath": str(cut)}]
    job = make_job(tmp_path, rows, bases["ctc"], data=LHOTSE, validation=digits)
    found = feeds(job)
    cut.write_bytes(whole[:200])
    with pytest.raises(DataError, match="1 clips of a batch cannot be decoded"):
        heard(iter(found.train), 20)


def test_a_base_of_another_family_is_refused(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    job = make_job(tmp_path, digits, bases["ctc"], model={"family": "tdt"})
    with pytest.raises(UsageError, match="of the family ctc, the recipe is for tdt"):
        feeds(job)


def test_a_language_that_canary_has_no_token_for_is_refused(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    rows = [{**row, "lang": "he"} for row in digits]
    job = make_job(tmp_path, rows, bases["aed"], model={"family": "aed"}, data=LHOTSE)
    with RunWriter(job) as log, pytest.raises(UsageError, match="no token for the language he"):
        NemoBackend().train(job, log)


def test_a_new_vocabulary_keeps_the_loss_and_trains(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    folder = train_tokenizer([row["text"] for row in digits], tmp_path / "tok", pieces=30)
    job = make_job(
        tmp_path,
        digits,
        bases["tdt"],
        steps=2,
        model={"family": "tdt", "tokenizer": str(folder)},
    )
    with RunWriter(job) as log:
        trained = NemoBackend().train(job, log)
    import torch

    from asrdq.models.nemo import load_nemo
    from asrdq.training.nemo.base import family_of

    model = load_nemo(str(trained.model), torch.device("cpu"))
    assert family_of(model) == "tdt"
    assert model.tokenizer.vocab_size == model.loss._loss.blank == 30
    assert type(model.loss._loss).__name__ == "TDTLossNumba"
