"""Learning rates of each schedule at the true steps, by its formula; and of each layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.training.nemo.conftest import make_job

from asrdq.errors import UsageError
from asrdq.training.nemo.settings import settings_of, validation_interval
from asrdq.training.nemo.tiny import tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

ROW = {"audio_filepath": "/no/clip.wav", "duration": 1.0, "text": "one two"}
LR, LEAST, WARM, STEPS, WIDTH = 1e-2, 1e-4, 4, 20, 64


def cosine(step: int) -> float:
    return LEAST + (LR - LEAST) * 0.5 * (1 + math.cos(math.pi * (step - WARM) / (STEPS - WARM)))


AFTER_WARM_UP: dict[str, Callable[[int], float]] = {
    "CosineAnnealing": cosine,
    "InverseSquareRootAnnealing": lambda step: LR / math.sqrt((step + 1) / (WARM + 1)),
    "NoamAnnealing": lambda step: LR / math.sqrt(WIDTH) / math.sqrt(step),
    "NoamHoldAnnealing": lambda step: LR * math.sqrt(WARM) / math.sqrt(step),
    "WarmupAnnealing": lambda s: LEAST + (LR - LEAST) * (1 - (s - WARM) / (STEPS - WARM)),
    "WarmupHoldPolicy": lambda step: LR,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("ctc", ["one two"], tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize("name", AFTER_WARM_UP)
def test_a_schedule_runs_over_the_true_steps(name: str, base: Path, tmp_path: Path) -> None:
    optimiser, schedule = _built(base, tmp_path, name)
    rates = []
    for _ in range(STEPS):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    formula = AFTER_WARM_UP[name]
    for step in (WARM + 1, 11, STEPS - 1):
        assert rates[step] == pytest.approx(formula(step), rel=1e-6), step
    assert rates[1] < rates[2] < rates[3]


def test_layers_learn_slower_from_top_to_bottom(base: Path, tmp_path: Path) -> None:
    optimiser, _ = _built(base, tmp_path, "WarmupHoldPolicy", optimiser={"layer_decay": 0.5})
    rates = [group["initial_lr"] for group in optimiser.param_groups]
    assert rates == [LR, LR / 2, LR / 4, LR / 8]  # decoder, two layers, what is under them
    sizes = [sum(p.numel() for p in group["params"]) for group in optimiser.param_groups]
    assert sizes[1] == sizes[2]
    assert sum(sizes) == sum(
        p.numel() for p in _model(base, tmp_path, "WarmupHoldPolicy").parameters()
    )


def test_a_decay_to_less_than_the_least_rate_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"optimiser\.layer_decay 0\.1 leaves 1e-05"):
        _built(base, tmp_path, "CosineAnnealing", optimiser={"layer_decay": 0.1})


@pytest.mark.parametrize(
    ("given", "accumulation", "per_epoch", "wanted"),
    [
        (40, 4, 100.0, 40),
        (0.5, 1, 30.0, 15),
        (0.5, 4, 30.0, 16),  # 15 passes are 3.75 steps
        (0.01, 2, 30.0, 2),
        (500, 2, 30.0, 40),  # the run has 20 steps: its end
    ],
)
def test_validation_comes_after_whole_steps(
    given: float, accumulation: int, per_epoch: float, wanted: int, tmp_path: Path
) -> None:
    figures = {"val_check_interval": given, "accumulation": accumulation}
    job = make_job(tmp_path, [ROW], "tiny.nemo", steps=STEPS, figures=figures)
    assert validation_interval(job, per_epoch) == wanted


def _model(base: Path, folder: Path, name: str, **sections: Any) -> Any:
    from asrdq.training.nemo.base import build_model

    optimiser = {"lr": LR, **sections.get("optimiser", {})}
    job = make_job(
        folder,
        [ROW],
        base,
        steps=STEPS,
        optimiser=optimiser,
        schedule={"name": name, "min_lr": LEAST},
        figures={"warmup_steps": WARM},
    )
    return build_model(job, settings_of(job, job.train, job.validation), on_cpu=True)


def _built(base: Path, folder: Path, name: str, **sections: Any) -> tuple[Any, Any]:
    """Return optimiser and schedule as Lightning asks the model for them."""
    import lightning.pytorch as pl

    model = _model(base, folder, name, **sections)
    model.set_trainer(pl.Trainer(accelerator="cpu", max_steps=STEPS, logger=False))
    (optimiser,), (schedule,) = model.configure_optimizers()
    return optimiser, schedule["scheduler"]
