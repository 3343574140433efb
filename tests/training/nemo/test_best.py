"""Which checkpoint is the best one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.training.nemo.conftest import make_job

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize(
    ("wers", "losses", "best"),
    [
        ([0.5, 0.25, 0.25, 0.25], [9.0, 3.0, 1.0, 2.0], 3),
        ([0.5, 0.25, 0.25], [9.0, 3.0, float("nan")], 2),
        ([0.5, 0.25, 0.25], [9.0, float("inf"), 300.0], 3),
        ([1 / 3, 0.3333332, 0.5], [1.0, 90.0, 0.1], 2),
    ],
)
def test_of_two_with_the_same_wer_the_lower_loss_is_the_better_one(
    wers: list[float], losses: list[float], best: int, tmp_path: Path
) -> None:
    import lightning.pytorch as pl
    import torch

    from asrdq.training.nemo.checkpoints import best_of

    class Said(pl.LightningModule):
        """Validates after each step, and logs what it is told to."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch: torch.Tensor, _: int) -> torch.Tensor:
            return (self.weight * batch).sum()

        def validation_step(self, batch: torch.Tensor, _: int) -> None:
            step = self.global_step - 1
            self.log("val_wer", torch.tensor(wers[step]))
            self.log("val_loss", torch.tensor(losses[step]))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    job = make_job(tmp_path, [{"duration": 1.0}], "tiny.nemo")
    keeper = best_of(dataclasses.replace(job, run_dir=tmp_path / "run"))
    assert keeper is not None
    data = torch.utils.data.DataLoader(torch.ones(len(wers), 1))
    trainer = pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        val_check_interval=1,
        num_sanity_val_steps=0,
        callbacks=[keeper],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Said(), data, torch.utils.data.DataLoader(torch.ones(1, 1)))
    assert Path(keeper.best_model_path).name == f"step={best}-val_wer={wers[best - 1]:.4f}.ckpt"
    assert keeper.told() == {keeper.best_model_path: round(wers[best - 1], 7)}
