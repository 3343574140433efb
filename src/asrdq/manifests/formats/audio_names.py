"""Where the audio of a data set lies, when its manifest gives names only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

AUDIO_SUFFIXES = (".wav", ".flac", ".sph", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aiff", ".wv")


def find_audio(folder: Path, stem: str, below: Iterable[str] = ("",)) -> str | None:
    """Return the relative path of the audio file of a name, None where there is none.

    Args:
        folder: Where to look.
        stem: Its name without the suffix.
        below: Folders in it to look in.
    """
    for each in below:
        for suffix in AUDIO_SUFFIXES:
            name = f"{each}/{stem}{suffix}" if each else f"{stem}{suffix}"
            if (folder / name).is_file():
                return name
    return None


def shown_name(name: str) -> str:
    """Return a name as text; bytes that are not UTF-8, surrogates to Python, are escaped."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
