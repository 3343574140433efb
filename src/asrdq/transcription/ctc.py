"""A CTC model by the address that the aligner `ctc` takes, whichever library it is of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from asrdq.errors import ToolError, UsageError
from asrdq.models.location import find_model, read_config
from asrdq.models.nemo_file import read_nemo_file
from asrdq.transcription.hf import HuggingFaceTranscriber
from asrdq.transcription.nemo import NemoTranscriber
from asrdq.transcription.protocol import TranscriberOptions

_EXAMPLE: Final = "--with ctc:facebook/mms-1b-all, or --with ctc:model.nemo"


def ctc_transcriber(options: TranscriberOptions) -> NemoTranscriber | HuggingFaceTranscriber:
    """Return `nemo` for a `.nemo` file, otherwise `hf`; hybrids decode as they are set to.

    Raises:
        UsageError: There is no address.
        ToolError: There is no such model, or it has no CTC decoder; or as the two raise.
    """
    if not options.address:
        raise UsageError("which CTC model?", hint=_EXAMPLE)
    path = find_model(options.address, _EXAMPLE)
    found = replace(options, address=str(path))
    if path.is_file():
        kind = read_nemo_file(path).target.rpartition(".")[2]
        _check(kind, "CTC" in kind, str(path))
        return NemoTranscriber(found)
    kinds = read_config(path).get("architectures") or []
    _check(", ".join(kinds), any(one.endswith("ForCTC") for one in kinds), str(path))
    return HuggingFaceTranscriber(found)


def _check(kind: str, is_ctc: bool, where: str) -> None:
    if not is_ctc:
        raise ToolError(
            f"has no CTC decoder: {kind or 'no class named'}",
            where=where,
            hint="nemo:MODEL and hf:MODEL take other families too",
        )
