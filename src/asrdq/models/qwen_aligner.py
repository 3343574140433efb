"""Qwen3-ForcedAligner: loaded, and asked for the logits behind its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from asrdq.errors import ToolError
from asrdq.models.location import read_config
from asrdq.models.qwen import RATE, SHORTEST_S, quiet_transformers
from asrdq.models.requirements import needs

if TYPE_CHECKING:
    import torch

Samples = npt.NDArray[np.float32]

_KIND: Final = "forced_aligner"


@dataclass(frozen=True)
class Slots:
    """What the model says of one clip: two times for each token.

    Attributes:
        tokens: The text as the model cuts it up, punctuation left out, (n,).
        times_s: Begin and end of each as they come, before any repair, (n, 2).
        repaired_s: The same after the repair of qwen-asr, in order of time, (n, 2).
        peaks: Probability of each time, (n, 2).
        entropies: Entropy in nats of the distribution behind each time, (n, 2).
    """

    tokens: list[str]
    times_s: npt.NDArray[np.float64]
    repaired_s: npt.NDArray[np.float64]
    peaks: npt.NDArray[np.float64]
    entropies: npt.NDArray[np.float64]


def check_forced_aligner(folder: Path) -> None:
    """See whether a folder holds a forced aligner of Qwen3.

    Raises:
        ToolError: It does not.
    """
    config = read_config(folder)
    kind = str((config.get("thinker_config") or {}).get("model_type") or config.get("model_type"))
    if _KIND not in kind or "timestamp_token_id" not in config:
        raise ToolError(
            f"is no forced aligner of Qwen3: {kind}",
            where=str(folder),
            hint="--aligner qwen:Qwen/Qwen3-ForcedAligner-0.6B",
        )
    if not any(folder.glob("*.safetensors")):
        raise ToolError(
            "its weights are no safetensors; files that could run code are not loaded",
            where=str(folder),
        )


class QwenForcedAligner:
    """A loaded Qwen3-ForcedAligner.

    Args:
        folder: Where it lies.
        device: Where its weights go.
        dtype: What they are there.

    Raises:
        ToolError: qwen-asr is not installed, or the model is broken.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        needs("qwen_asr", "the aligner qwen")
        from qwen_asr import Qwen3ForcedAligner

        check_forced_aligner(folder)
        try:
            with quiet_transformers():
                found = Qwen3ForcedAligner.from_pretrained(
                    str(folder), dtype=dtype, use_safetensors=True, local_files_only=True
                )
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ToolError(
                f"Qwen3-ForcedAligner cannot be loaded: {reason}",
                where=str(folder),
                hint="is the folder whole?",
            ) from error
        self._network = found.model.to(device).eval()
        self._processor: Any = found.processor
        self._texts: Any = found.aligner_processor
        self._slot = int(found.timestamp_token_id)
        self._unit_ms = float(found.timestamp_segment_time)

    def slots(
        self, clips: Sequence[Samples], texts: Sequence[str], languages: Sequence[str]
    ) -> list[Slots]:
        """Return what the model says of clips at 16 kHz, as `Qwen3ForcedAligner.align` asks it.

        Args:
            clips: The audio.
            texts: Their transcripts, words parted by blanks.
            languages: Their names, such as `English`.

        Raises:
            torch.OutOfMemoryError: There is not enough memory for these clips together.
        """
        import torch

        cut = [self._texts.encode_timestamp(*pair) for pair in zip(texts, languages, strict=True)]
        inputs = self._processor(
            text=[asked for _, asked in cut],
            audio=[_long_enough(clip) for clip in clips],
            return_tensors="pt",
            padding=True,
        )
        inputs = inputs.to(self._network.device).to(self._network.dtype)
        with torch.inference_mode():
            logits = self._network.thinker(**inputs).logits
        asked_for = inputs["input_ids"] == self._slot
        return [
            self._read(tokens, found[rows].float().log_softmax(-1))
            for (tokens, _), found, rows in zip(cut, logits, asked_for, strict=True)
        ]

    def _read(self, tokens: list[str], posteriors: Any) -> Slots:
        times_ms = (posteriors.argmax(-1) * self._unit_ms).cpu().numpy()
        repaired_ms = self._texts.fix_timestamp(times_ms) if tokens else []
        entropies = -(posteriors.exp() * posteriors).sum(-1).cpu().numpy()
        return Slots(
            tokens=tokens,
            times_s=_pairs(times_ms) / 1000.0,
            repaired_s=_pairs(repaired_ms) / 1000.0,
            peaks=_pairs(posteriors.exp().amax(-1).cpu().numpy()),
            entropies=_pairs(entropies),
        )


def _pairs(values: Any) -> npt.NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64).reshape(-1, 2)


def _long_enough(clip: Samples) -> Samples:
    """Pad a clip that is shorter than the encoder takes with silence."""
    return np.pad(clip, (0, max(0, round(SHORTEST_S * RATE) - len(clip))))
