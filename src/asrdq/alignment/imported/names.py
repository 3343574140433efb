"""Which clip a file of alignments is of, by the name of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from asrdq.manifests.formats.audio_names import AUDIO_SUFFIXES
from asrdq.text.languages import language_name

_SUBTITLES: Final = (".srt", ".vtt")


def clip_name(file: Path) -> str:
    """Return the name of a file without the ending of its format.

    >>> clip_name(Path("call.2.TextGrid")), clip_name(Path("call.json.gz"))
    ('call.2', 'call')
    """
    return file.with_suffix("").stem if file.suffix.lower() == ".gz" else file.stem


def shorter_name(file: Path) -> str | None:
    """Return the name without what tools put before the ending, None where nothing is.

    That is the ending of the audio, `words`, and in subtitles the language. Anything else, such as
    a number, is part of the name of another clip.

    >>> shorter_name(Path("call.wav.json")), shorter_name(Path("talk.pt-BR.vtt"))
    ('call', 'talk')
    >>> shorter_name(Path("call.2.json")) is None
    True
    """
    name, _, last = clip_name(file).rpartition(".")
    ending = last.lower()
    beside = ending == "words" or f".{ending}" in AUDIO_SUFFIXES or _is_language(file, ending)
    return name if name and beside else None


def _is_language(file: Path, ending: str) -> bool:
    kind = file.name.lower().removesuffix(".gz")
    return kind.endswith(_SUBTITLES) and language_name(ending.partition("-")[0]) is not None
