"""A model of a fold is taken where its run proves that it has not heard the fold's speakers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.folds.conftest import CLIPS, Runs, fold_of

from asrdq.audit.folds import Origin
from asrdq.errors import DataError
from asrdq.folds import FoldModel
from asrdq.folds.proof import model_of, origin_of

pytestmark = pytest.mark.slow


def proof(runs: Runs, fold: FoldModel, *, accept: bool = False) -> Origin:
    return origin_of(runs.workspace, runs.workspace.manifest("train"), fold, accept=accept)


def test_a_run_without_the_speakers_is_proof(runs: Runs) -> None:
    run_dir = runs.run("r1", runs.without("ann", "ben"))
    wanted = Origin(
        "proven",
        run_dir=str(run_dir),
        bundle_id="4f1c",
        train="without_ann_ben@0",
        validation="val@0",
        base="hub/base",
        base_proof="unknown",
    )
    assert proof(runs, fold_of(run_dir, "ann", "ben")) == wanted
    assert proof(runs, fold_of(run_dir / "adapted_model.nemo", "ann")) == wanted
    assert model_of(fold_of(run_dir, "ann")) == run_dir / "adapted_model.nemo"


def test_a_run_that_was_moved_has_its_model_beside_it(runs: Runs) -> None:
    moved = runs.run("r1", runs.without("ann")).rename(runs.folder / "moved")
    assert model_of(fold_of(moved, "ann")) == moved / "adapted_model.nemo"
    assert proof(runs, fold_of(moved, "ann")).proof == "proven"


def test_a_run_that_was_copied_is_judged_by_the_model_beside_it(runs: Runs) -> None:
    run_dir = runs.run("r1", runs.without("ann"))
    copied = Path(shutil.copytree(run_dir, runs.folder / "copied"))
    (copied / "adapted_model.nemo").write_bytes(b"other weights")
    with pytest.raises(DataError, match="not the one that its training run has made"):
        proof(runs, fold_of(copied, "ann"))


@pytest.mark.parametrize("accept", [False, True])
def test_a_model_that_has_heard_a_speaker_is_refused_whoever_answers(
    runs: Runs, accept: bool
) -> None:
    fold = fold_of(runs.run("r1", runs.without("ann")), "ann", "ben")
    told = f"fold-1 has heard {CLIPS} clips of its speakers: they are in without_ann@0"
    with pytest.raises(DataError, match=told):
        proof(runs, fold, accept=accept)


def test_checkpoints_chosen_on_a_speaker_are_heard_too(runs: Runs) -> None:
    validation = runs.derived("own", "SELECT * FROM train WHERE utt_id = 'ann-0'")
    fold = fold_of(runs.run("r1", runs.without("ann"), validation), "ann")
    with pytest.raises(DataError, match="has heard 1 clip of its speakers: they are in own@0"):
        proof(runs, fold)


def test_a_clip_of_theirs_under_another_name_is_heard(runs: Runs) -> None:
    query = (
        "SELECT * REPLACE ('zoe' AS speaker, utt_id || '-x' AS utt_id) FROM train "
        "WHERE speaker = 'ann'"
    )
    fold = fold_of(runs.run("r1", runs.derived("renamed", query)), "ann")
    with pytest.raises(DataError, match=f"has heard {CLIPS} clips"):
        proof(runs, fold)


def test_another_place_in_the_same_recording_is_another_clip(runs: Runs) -> None:
    query = (
        "SELECT * REPLACE ('zoe' AS speaker, utt_id || '-x' AS utt_id, 60.0 AS offset_s) "
        "FROM train WHERE speaker = 'ann'"
    )
    fold = fold_of(runs.run("r1", runs.derived("later", query)), "ann")
    assert proof(runs, fold).proof == "proven"


def unfit(runs: Runs, what: str) -> tuple[Path, str]:
    """A model of which nobody can say what it heard, and the reason."""
    run_dir = runs.run(what, runs.without("ann"))
    model = run_dir / "adapted_model.nemo"
    match what:
        case "alone":
            copy = runs.folder / "copies"
            copy.mkdir()
            return Path(shutil.copy(model, copy)), "there is no training_run_info.json beside it"
        case "changed":
            model.write_bytes(b"other weights")
            return run_dir, "the model is not the one that its training run has made"
        case "stopped":
            stopped = runs.run("killed", runs.without("ann"), state="running")
            return stopped, "its training run has not made it to its end: running"
        case "nameless":
            nobody = "CAST(NULL AS VARCHAR) AS speaker"
            query = f"SELECT * REPLACE ({nobody}) FROM train WHERE speaker = 'ben'"
            manifest = runs.derived("nameless", query)
            return runs.run("r2", manifest), f"{CLIPS} rows of nameless@0 have no speaker"
        case "elsewhere":
            manifest = runs.without("ben")
            side = {"manifest": "unheard-of@3", "fingerprint": manifest.fingerprint}
            info = runs.run("r2", manifest)
            return _with_train(info, side), "the workspace has no unheard-of@3"
        case _:
            side = {"fingerprint": "f" * 8}
            told = "without_ann@0 has other content here than where it was trained"
            return _with_train(run_dir, side), told


def _with_train(run_dir: Path, values: dict[str, str]) -> Path:
    from asrdq.training.run_info import read_info, write_info

    info = read_info(run_dir)
    assert info is not None
    side = info.train.model_copy(update=values)
    write_info(run_dir, info.model_copy(update={"train": side}))
    return run_dir


@pytest.mark.parametrize(
    "what", ["alone", "changed", "stopped", "nameless", "elsewhere", "other content"]
)
def test_what_cannot_be_found_out_is_refused_unless_a_person_answers(runs: Runs, what: str) -> None:
    model, reason = unfit(runs, what)
    with pytest.raises(DataError, match="cannot be found out: ") as refused:
        proof(runs, fold_of(model, "ann"))
    assert reason in str(refused.value)
    assert "--unknown-origin" in str(refused.value)
    assert proof(runs, fold_of(model, "ann"), accept=True) == Origin("accepted", reason)


def test_the_base_of_a_training_is_looked_at_too(runs: Runs) -> None:
    base = runs.run("base", runs.without("ann", "ben"), base="hub/base")
    first = runs.run("first", runs.without("ann"), base=str(base / "adapted_model.nemo"))
    second = runs.run("second", runs.without("ann"), base=str(first))
    assert proof(runs, fold_of(second, "ann")).base_proof == "unknown"  # the hub's says nothing

    heard = runs.run("heard", runs.without("cal"))
    later = runs.run("later", runs.without("ann"), base=str(heard / "adapted_model.nemo"))
    with pytest.raises(DataError, match=f"has heard {CLIPS} clips .* in without_cal@0"):
        proof(runs, fold_of(later, "ann"))
