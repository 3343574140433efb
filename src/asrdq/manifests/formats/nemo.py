"""NeMo manifests: one JSON object a line."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from asrdq.manifests.columns import ID_NAMES, Aliases
from asrdq.manifests.formats.json_lines import JsonLines, first_object

_ALIASES: Final[Aliases] = {
    "utt_id": ID_NAMES,
    "audio_path": ("audio_filepath", "audio_path", "audio_file"),
    "text": ("text", "transcript"),
    "duration_s": ("duration", "duration_s"),
    "offset_s": ("offset", "offset_s"),
    "language": ("lang", "language", "source_lang"),
    "speaker": ("speaker", "speaker_id"),
}


class NemoFormat(JsonLines):
    """NeMo JSON lines: `audio_filepath`, `duration`, `text`, and any fields besides."""

    name: ClassVar[str] = "nemo"
    description: ClassVar[str] = "JSON lines as NeMo reads them"
    aliases: Aliases = _ALIASES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the first line that is not blank begins as a JSON object."""
        return first_object(head) is not None
