from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import UsageError
from asrdq.training.nemo.tiny import tiny_model, train_tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DURATIONS = (0, 1, 2, 3, 4)


def random_batch(seed: int, frames: int = 9, labels: int = 5, tokens: int = 7) -> tuple[Any, ...]:
    """Return logits and labels of three clips of different lengths, in single precision."""
    import torch

    torch.manual_seed(seed)
    acts = torch.randn(3, frames, labels + 1, tokens + 1 + len(DURATIONS)) * 3
    targets = torch.randint(0, tokens, (3, labels))
    act_lens = torch.tensor([frames, frames - 2, frames // 2])
    label_lens = torch.tensor([labels, labels - 2, 1])  # one of them may be empty
    return acts, targets, act_lens, label_lens


@pytest.mark.parametrize(
    ("seed", "sigma", "durations"),
    [(0, 0.0, DURATIONS), (1, 0.05, DURATIONS), (2, 0.02, (0, 1)), (3, 0.02, (4, 2, 1, 0))],
)
def test_it_agrees_with_nemos_reference_in_loss_and_gradient(
    seed: int, sigma: float, durations: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from nemo.collections.asr.losses.rnnt_pytorch import TDTLossPytorch

    from asrdq.training.nemo.transducer_loss import TdtLoss

    monkeypatch.setattr(torch.Tensor, "cuda", lambda self, *_, **__: self)
    acts, targets, act_lens, label_lens = random_batch(seed)
    acts = acts[..., : 8 + len(durations)].clone().requires_grad_()
    weights = torch.tensor([1.0, -2.0, 0.5])
    found = []
    for loss in (
        TDTLossPytorch(blank=7, durations=list(durations), reduction="none", sigma=sigma),
        TdtLoss(7, durations, sigma),
    ):
        values = loss(acts=acts, labels=targets, act_lens=act_lens, label_lens=label_lens)
        (gradient,) = torch.autograd.grad((values * weights).sum(), acts)
        found.append((values.detach(), gradient))
    (wanted, wanted_gradient), (got, gradient) = found
    assert torch.allclose(got, wanted, rtol=0, atol=1e-4)
    assert torch.allclose(gradient, wanted_gradient, rtol=0, atol=1e-4)
    assert gradient.abs().max() > 0.1


def test_it_is_the_sum_over_all_paths() -> None:
    import torch

    from asrdq.training.nemo.transducer_loss import TdtLoss

    torch.manual_seed(3)
    acts = torch.randn(1, 3, 3, 3 + 3, dtype=torch.float64)
    found = TdtLoss(2, (0, 1, 2), 0.1)(
        acts, torch.tensor([[1, 0]]), torch.tensor([3]), torch.tensor([2])
    )
    tokens, lasting = acts[0, ..., :3].log_softmax(-1) - 0.1, acts[0, ..., 3:].log_softmax(-1)
    total = sum(_paths(tokens, lasting, [1, 0], 3))
    assert found.item() == pytest.approx(-math.log(total), abs=1e-9)


def _paths(tokens: Any, lasting: Any, labels: Sequence[int], frames: int) -> list[float]:
    """Give the probability of each way of 2 labels and 1 to 3 blanks through 3 frames."""
    found = []
    for blanks in range(1, frames + 1):
        for order in set(itertools.permutations("B" * blanks + "L" * len(labels))):
            for durations in itertools.product((0, 1, 2), repeat=len(order)):
                frame = label = 0
                log_probability = 0.0
                for index, (symbol, duration) in enumerate(zip(order, durations, strict=True)):
                    if frame >= frames or (symbol == "B" and duration == 0):
                        break
                    token = 2 if symbol == "B" else labels[label]
                    log_probability += float(tokens[frame, label, token])
                    log_probability += float(lasting[frame, label, duration])
                    frame += duration
                    label += symbol == "L"
                    ends = index == len(order) - 1 and symbol == "B" and frame == frames
                    if ends:
                        found.append(math.exp(log_probability))
    return found


def test_its_gradient_is_that_of_its_values() -> None:
    import torch

    from asrdq.training.nemo.transducer_loss import TdtLoss

    acts, targets, act_lens, label_lens = random_batch(1, frames=4, labels=2, tokens=2)
    acts = acts.double().requires_grad_()
    loss = TdtLoss(2, DURATIONS, 0.05)
    assert torch.autograd.gradcheck(lambda x: loss(x, targets, act_lens, label_lens), (acts,))


def test_omega_draws_the_loss_of_a_plain_transducer() -> None:
    import torch
    from nemo.collections.asr.losses.rnnt_pytorch import RNNTLossPytorch

    from asrdq.training.nemo.transducer_loss import RnntLoss, TdtLoss

    acts, targets, act_lens, label_lens = random_batch(2)
    plain = RNNTLossPytorch(blank=7, reduction="none")(
        acts=acts[..., :8], labels=targets, act_lens=act_lens, label_lens=label_lens
    )
    own = RnntLoss(7)(acts[..., :8], targets, act_lens, label_lens)
    assert torch.allclose(own, plain, atol=1e-4)
    lasting = TdtLoss(7, DURATIONS)(acts, targets, act_lens, label_lens)
    random.seed(0)
    loss = TdtLoss(7, DURATIONS, omega=0.5)
    drawn = [loss(acts, targets, act_lens, label_lens) for _ in range(8)]
    random.seed(0)
    for one in drawn:
        wanted = plain if random.uniform(0, 1) < 0.5 else lasting
        assert torch.allclose(one, wanted, atol=1e-4)
    assert not torch.allclose(plain, lasting, atol=0.1)


def test_half_precision_is_computed_in_single() -> None:
    import torch

    from asrdq.training.nemo.transducer_loss import TdtLoss

    acts, targets, act_lens, label_lens = random_batch(4)
    rounded = acts.bfloat16()
    got = TdtLoss(7, DURATIONS)(rounded, targets, act_lens, label_lens)
    assert got.dtype == torch.float32
    wanted = TdtLoss(7, DURATIONS)(rounded.float(), targets, act_lens, label_lens)
    assert torch.equal(got, wanted)


def test_durations_without_0_or_1_are_refused() -> None:
    from asrdq.training.nemo.transducer_loss import TdtLoss

    with pytest.raises(UsageError, match="hold 0 and 1"):
        TdtLoss(7, (1, 2))


def test_a_tdt_model_gets_it_on_a_cpu_and_keeps_its_settings(tdt: Any) -> None:
    from asrdq.training.nemo.transducer_loss import TdtLoss, run_on_cpu

    assert run_on_cpu(tdt)
    loss = tdt.joint.loss._loss
    assert isinstance(loss, TdtLoss)
    assert (loss.blank, loss.durations) == (tdt.tokenizer.vocab_size, DURATIONS)
    assert (loss.sigma, loss.omega) == (0.02, 0.1)


def test_what_it_cannot_do_is_refused(tdt: Any) -> None:
    from asrdq.training.nemo.transducer_loss import run_on_cpu

    tdt.loss._loss.fastemit_lambda = 0.01
    with pytest.raises(UsageError, match=r"fastemit_lambda 0\.01"):
        run_on_cpu(tdt)


def test_a_new_vocabulary_takes_the_loss_away_and_it_is_rebuilt(tdt: Any, tmp_path: Path) -> None:
    from nemo.collections.asr.parts.numba.rnnt_loss import RNNTLossNumba, TDTLossNumba

    from asrdq.training.nemo.transducer_loss import rebuild_loss

    folder = train_tokenizer(["alpha bravo charlie delta"], tmp_path, pieces=24)
    tdt.change_vocabulary(str(folder), "bpe")
    assert isinstance(tdt.loss._loss, RNNTLossNumba), "NeMo has mended this: rebuild no longer"
    assert rebuild_loss(tdt)
    assert isinstance(tdt.joint.loss._loss, TDTLossNumba)
    assert tdt.joint.loss._loss.blank == 24
    assert tdt.joint.loss is tdt.loss


@pytest.fixture
def tdt(tmp_path: Path) -> Any:
    import torch

    from asrdq.models.nemo import load_nemo

    path = tiny_model("tdt", ["zero one two three"], tmp_path / "model")
    return load_nemo(str(path), torch.device("cpu"))
