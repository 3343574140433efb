"""Losses of transducers on a CPU, where NeMo has none with durations, and a slow one without.

NeMo computes it with a CUDA kernel and has a reference in plain loops, which needs a GPU too. Here
the lattice is swept along its anti-diagonals: a cell (t, u) is reached by a blank from (t − d, u)
and by a label from (t − d, u − 1), all of them on earlier ones, so that each is computed at once
for all clips and labels. Source: Xu et al., Efficient Sequence Transduction by Jointly Predicting
Tokens and Durations, 2023, https://arxiv.org/abs/2304.06795, equation 7.

Importing this module imports torch: it is imported where a model is there already.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from asrdq.errors import UsageError

NEVER = -1e30
"""Log-probability of what cannot be; finite, so that no gradient becomes NaN."""


class TdtLoss(torch.nn.Module):  # type: ignore[misc]
    """NeMo's TDT loss in PyTorch, in the place of its CUDA kernel.

    Args:
        blank: Index of the blank among the labels.
        durations: What the duration outputs stand for, in frames; 0 and 1 among them.
        sigma: What is taken off each label's log-probability, against short durations.
        omega: Share of batches that get the loss of a plain transducer instead, drawn with
            Python's `random` as NeMo does.

    Raises:
        UsageError: 0 or 1 is missing among the durations: the kernel demands them too.
    """

    def __init__(
        self, blank: int, durations: Sequence[int], sigma: float = 0.0, omega: float = 0.0
    ) -> None:
        super().__init__()
        if not {0, 1} <= set(durations):
            raise UsageError(f"durations of a TDT model hold 0 and 1, and these are {durations}")
        self.blank, self.durations = blank, tuple(durations)
        self.sigma, self.omega = sigma, omega
        self.reduction: str | None = None
        """Set by NeMo, which reduces by itself."""

    def forward(
        self,
        acts: torch.Tensor,
        labels: torch.Tensor,
        act_lens: torch.Tensor,
        label_lens: torch.Tensor,
    ) -> torch.Tensor:
        """Return the negative log-likelihood of each clip, shape (batch,).

        Args:
            acts: Logits of the joint, shape (batch, frames, labels + 1, tokens + blank +
                durations).
            labels: Shape (batch, labels).
            act_lens: Frames of each clip.
            label_lens: Labels of each clip.
        """
        acts, count = _in_full(acts), len(self.durations)
        tokens = acts[..., :-count].log_softmax(-1)
        blank = tokens[..., self.blank]
        emitted = _of_labels(tokens, labels)
        if random.uniform(0, 1) < self.omega:
            return -_log_likelihood({1: blank}, {0: emitted}, act_lens, label_lens)
        lasting = acts[..., -count:].log_softmax(-1).unbind(-1)
        blanks, emissions = {}, {}
        for duration, log_probability in zip(self.durations, lasting, strict=True):
            emissions[duration] = emitted - self.sigma + log_probability
            if duration > 0:
                blanks[duration] = blank - self.sigma + log_probability
        return -_log_likelihood(blanks, emissions, act_lens, label_lens)


class RnntLoss(torch.nn.Module):  # type: ignore[misc]
    """NeMo's loss of a plain transducer in PyTorch, several times as fast as its CPU code.

    Args:
        blank: Index of the blank among the labels.
    """

    def __init__(self, blank: int) -> None:
        super().__init__()
        self.blank = blank
        self.reduction: str | None = None
        """Set by NeMo, which reduces by itself."""

    def forward(
        self,
        acts: torch.Tensor,
        labels: torch.Tensor,
        act_lens: torch.Tensor,
        label_lens: torch.Tensor,
    ) -> torch.Tensor:
        """Return the negative log-likelihood of each clip, as `TdtLoss` does."""
        tokens = _in_full(acts).log_softmax(-1)
        blanks, emissions = {1: tokens[..., self.blank]}, {0: _of_labels(tokens, labels)}
        return -_log_likelihood(blanks, emissions, act_lens, label_lens)


def _in_full(acts: torch.Tensor) -> torch.Tensor:
    return acts.float() if acts.dtype in (torch.float16, torch.bfloat16) else acts


def _of_labels(tokens: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the log-probability of the next label of each cell; none follows the last one."""
    batch, frames, width, _ = tokens.shape
    index = labels[:, None, :, None].expand(batch, frames, width - 1, 1)
    found = tokens[:, :, :-1].gather(3, index).squeeze(3)
    return torch.nn.functional.pad(found, (0, 1), value=NEVER)


def _log_likelihood(
    blanks: Mapping[int, torch.Tensor],
    emissions: Mapping[int, torch.Tensor],
    act_lens: torch.Tensor,
    label_lens: torch.Tensor,
) -> torch.Tensor:
    """Sum over all paths through the lattice.

    Args:
        blanks: For each duration, the log-probability of a blank that lasts so long, shape
            (batch, frames, labels + 1); it leads from (t, u) to (t + duration, u).
        emissions: The same of the next label; it leads to (t + duration, u + 1).
        act_lens: Frames of each clip; a path ends with a blank that leads to just after them.
        label_lens: Labels of each clip.
    """
    arcs = [(duration, 0, _skewed(arc)) for duration, arc in blanks.items()]
    arcs += [(duration + 1, 1, _skewed(arc)) for duration, arc in emissions.items()]
    first = next(iter(blanks.values()))
    batch, frames, width = first.shape
    start = first.new_full((batch, width), NEVER)
    start[:, 0] = 0.0
    alphas = [start]
    for diagonal in range(1, frames + width - 1):
        reached = [
            _moved(alphas[diagonal - by] + arc[:, diagonal - by], labels)
            for by, labels, arc in arcs
            if by <= diagonal
        ]
        alphas.append(torch.logsumexp(torch.stack(reached), 0))
    lattice = torch.stack(alphas, 1)
    clips = torch.arange(batch, device=first.device)
    ends = []
    for duration, arc in blanks.items():
        frame = act_lens.long() - duration
        held = frame.clamp(min=0)
        end = lattice[clips, held + label_lens, label_lens] + arc[clips, held, label_lens]
        ends.append(torch.where(frame >= 0, end, NEVER))
    return torch.logsumexp(torch.stack(ends), 0)


def _moved(scores: torch.Tensor, labels: int) -> torch.Tensor:
    if not labels:
        return scores
    return torch.nn.functional.pad(scores[:, :-1], (1, 0), value=NEVER)


def _skewed(arc: torch.Tensor) -> torch.Tensor:
    """Return (batch, diagonal, u) of (batch, t, u), where the diagonal is t + u.

    What lies outside of the lattice is filled with its border: no path comes from before the
    first frame, and none that has left the last one comes back.
    """
    batch, frames, width = arc.shape
    diagonals = torch.arange(frames + width - 1, device=arc.device)[:, None]
    frame = (diagonals - torch.arange(width, device=arc.device)).clamp(0, frames - 1)
    return arc.gather(1, frame.expand(batch, -1, -1))


def rebuild_loss(model: Any) -> bool:
    """Give a transducer the loss of its configuration back, which a new vocabulary took away.

    `change_vocabulary` of NeMo 3.0 gives every transducer the loss of RNNT with the reduction and
    the settings of its defaults, a TDT model too.

    Returns:
        Whether the model is a transducer, and was changed.
    """
    joint = getattr(model, "joint", None)
    if joint is None:
        return False
    from nemo.collections.asr.losses.rnnt import RNNTLoss

    name, settings = model.extract_rnnt_loss_cfg(model.cfg.get("loss"))
    classes = joint.num_classes_with_blank - 1
    model.loss = RNNTLoss(
        num_classes=classes - joint.num_extra_outputs if is_tdt(model) else classes,
        loss_name=name,
        loss_kwargs=settings,
        reduction=model.cfg.get("rnnt_reduction", "mean_batch"),
    )
    if joint.fuse_loss_wer:
        joint.set_loss(model.loss)
    return True


def is_tdt(model: Any) -> bool:
    """Return whether a model of NeMo is configured as a TDT model."""
    loss = model.cfg.get("loss")
    return bool(loss) and loss.get("loss_name") == "tdt"


def run_on_cpu(model: Any) -> bool:
    """Put a loss that runs on a CPU in the place of a transducer's own.

    Returns:
        Whether the model has one of those that are known here, and was changed.

    Raises:
        UsageError: The model asks for `fastemit_lambda` or `clamp`, which these losses lack.
    """
    from nemo.collections.asr.parts.numba.rnnt_loss import RNNTLossNumba, TDTLossNumba

    kernel = getattr(getattr(model, "loss", None), "_loss", None)
    if not isinstance(kernel, RNNTLossNumba | TDTLossNumba):
        return False
    for setting in ("fastemit_lambda", "clamp"):
        value = getattr(kernel, setting)
        if value > 0:
            raise UsageError(
                f"this model asks for {setting} {value} in its loss, which is there on a GPU only",
                hint=f"train it on a GPU, or with {setting} 0 in the loss of its configuration",
            )
    model.loss._loss = (
        TdtLoss(kernel.blank, kernel.durations, kernel.sigma, kernel.omega)
        if isinstance(kernel, TDTLossNumba)
        else RnntLoss(kernel.blank)
    )
    return True
