"""A CTC model by the address that the aligner `ctc` takes, whichever library it is of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from asrdq.errors import UsageError
from asrdq.models.ctc import check_ctc
from asrdq.models.location import find_model
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
    check_ctc(path, "nemo:MODEL and hf:MODEL take other families too")
    kind = NemoTranscriber if path.is_file() else HuggingFaceTranscriber
    return kind(replace(options, address=str(path)))
