"""Options of audits out of fold that say nothing, or two things, are refused before work starts."""

from __future__ import annotations

import pytest

from asrdq.cli.out_of_fold import OutOfFold
from asrdq.errors import UsageError


@pytest.mark.parametrize(
    "asked",
    [
        OutOfFold(models="folds.yaml"),
        OutOfFold(unknown_origin=True),
        OutOfFold(recipe="smoke"),
        OutOfFold(folder="judges"),
        OutOfFold(count=3),
    ],
)
def test_options_of_folds_alone_are_refused(asked: OutOfFold) -> None:
    with pytest.raises(UsageError, match="are for audits out of fold") as refused:
        asked.check()
    assert refused.value.hint == "--out-of-fold speaker"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (OutOfFold("speaker"), "which models judge out of fold"),
        (OutOfFold("speaker", recipe="smoke"), "which models judge out of fold"),
        (OutOfFold("speaker", models="m", recipe="smoke"), "one of them"),
        (OutOfFold("speaker", models="m", count=3), "one of them"),
    ],
)
def test_models_are_either_taken_or_trained(asked: OutOfFold, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        asked.check()


@pytest.mark.parametrize(
    "asked",
    [
        OutOfFold(),
        OutOfFold("speaker", models="m", unknown_origin=True),
        OutOfFold("speaker", recipe="smoke", validation="val", count=3),
    ],
)
def test_what_can_be_meant_passes(asked: OutOfFold) -> None:
    asked.check()


def test_an_aligner_without_models_of_folds_is_refused() -> None:
    from asrdq.audit import AuditPlan
    from asrdq.folds import audit_out_of_fold

    for wanted in ("pocketsphinx", "import:folder", "ctc:model.nemo"):
        with pytest.raises(UsageError, match="out of fold, an aligner takes the models") as refused:
            audit_out_of_fold(None, None, AuditPlan(wanted), [])  # type: ignore[arg-type]
        assert "--aligner ctc --out-of-fold speaker" in str(refused.value)
