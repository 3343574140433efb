"""CTC models of NeMo, and the CTC head of its hybrids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import ToolError
from asrdq.models.nemo import load_nemo, quiet_nemo
from asrdq.models.nemo_file import read_nemo_file
from asrdq.models.posteriors import LogPosteriors, Samples

if TYPE_CHECKING:
    import torch

_WORD_MARK: Final = "▁"
_CONTINUED: Final = "##"
_SPECIAL: Final = re.compile("<.+>")
"""Such as `<unk>`: what is not text."""


class NemoCtcModel:
    """The CTC decoder of a `.nemo` file.

    Args:
        file: The file.
        device: Where its weights go.

    Raises:
        ToolError: NeMo is not installed, or the file is broken, or it has no CTC decoder.
    """

    delimiter: int | None

    def __init__(self, file: Path, device: torch.device) -> None:
        self._where, self._device = str(file), device
        self.sample_rate = read_nemo_file(file).sample_rate
        self._model = load_nemo(str(file), device).eval()
        model = self._model
        self._decoder = _ctc_decoder(model)
        if self._decoder is None:
            raise ToolError(
                f"has no CTC decoder: {type(model).__name__}",
                where=self._where,
                hint="a CTC or a hybrid model, such as nvidia/parakeet-tdt_ctc-110m",
            )
        self.blank = int(self._decoder.num_classes_with_blank) - 1
        hop_s = float(model.cfg.preprocessor.window_stride)
        self.frame_s = hop_s * int(model.encoder.subsampling_factor)
        self._language = ""
        self._tokenizer: Any = getattr(model, "tokenizer", None)
        pieces = [str(piece) for piece in self._decoder.vocabulary]
        self._ids = {piece: index for index, piece in enumerate(pieces)}
        self.delimiter = self._ids.get(" ")
        written = [piece for piece in pieces if not _SPECIAL.fullmatch(piece)]
        known = "".join(piece.removeprefix(_CONTINUED) for piece in written)
        self.characters = frozenset(known) - {_WORD_MARK, " "}

    def use_language(self, code: str) -> None:
        """Tell a tokenizer that is made up of one for each language which to use."""
        self._language = code

    def tokens(self, text: str) -> list[int]:
        """Return the pieces of a word; see `CtcModel.tokens`."""
        if self._tokenizer is None:
            return [self._ids[character] for character in text]
        if hasattr(self._tokenizer, "tokenizers_dict"):
            return [int(token) for token in self._tokenizer.text_to_ids(text, self._language)]
        return [int(token) for token in self._tokenizer.text_to_ids(text)]

    def log_posteriors(self, clips: Sequence[Samples]) -> list[LogPosteriors]:
        """Return log posteriors of clips; see `CtcModel.log_posteriors`."""
        import torch

        lengths = torch.tensor([len(clip) for clip in clips])
        padded = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(clip) for clip in clips], batch_first=True
        )
        with quiet_nemo(), torch.inference_mode():
            signal, sizes = self._model.preprocessor(
                input_signal=padded.to(self._device), length=lengths.to(self._device)
            )
            encoded, frames = self._model.encoder(audio_signal=signal, length=sizes)[:2]
            found = self._decoder(encoder_output=encoded).float().log_softmax(-1).cpu()
        return [
            posteriors[: int(count)].numpy()
            for posteriors, count in zip(found, frames.cpu(), strict=True)
        ]


def _ctc_decoder(model: Any) -> Any:
    """Return the CTC decoder of a model, None of one that has none, such as a transducer."""
    if hasattr(model, "ctc_decoder"):
        return model.ctc_decoder
    decoder = None if hasattr(model, "joint") else getattr(model, "decoder", None)
    return decoder if hasattr(decoder, "num_classes_with_blank") else None
