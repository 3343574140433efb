"""The manifests of a bundle as NeMo's loaders take them: what they cannot use is counted here."""

from __future__ import annotations

import json
import os
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from asrdq.errors import DataError
from asrdq.planning.kept import Dropped

UNREADABLE: Final = "unreadable"
_THREADS: Final = 8
_CHUNK: Final = 4096
_NEAR_S: Final = 0.02
"""A header and a manifest that agree so far need not be compared again by Lhotse (0.025 s)."""
LANGUAGES: Final = ("lang", "language")
"""Columns of NeMo's manifests that name the language of a clip."""
_WRITTEN: Final = frozenset(string.ascii_uppercase + ".,?!")

Row = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """A manifest that NeMo's loaders can read to its end.

    Attributes:
        path: The manifest.
        rows: Its rows.
        dropped: Rows of the bundle that are not in it, by reason.
        durations: Seconds of each row.
        languages: Languages of Canary's prompts; none for other families.
    """

    path: Path
    rows: int
    dropped: Mapping[str, int]
    durations: tuple[float, ...]
    languages: frozenset[str]

    def counted(self, keep: Callable[[float], str | None]) -> Counter[str]:
        """Return how many rows a filter of durations drops, by reason."""
        return Counter(reason for each in self.durations if (reason := keep(each)) is not None)


def prepare(
    manifest: Path,
    out: Path,
    *,
    keep_empty_text: bool,
    prompts: bool,
    advance: Callable[[int], None] = lambda _: None,
) -> Material:
    """Write a manifest for NeMo from one of a bundle.

    Left out are rows without a duration, without a word (unless they are trained on as silence),
    and those whose audio has no header that can be read; NeMo would train on the former and stop
    at, or silently skip, the latter. Sampling rates are noted, so that Lhotse opens no file twice.

    Args:
        manifest: JSON lines of NeMo.
        out: Where it goes.
        keep_empty_text: Whether rows without a word stay.
        prompts: Whether each row gets what Canary's prompts ask: language, task, punctuation.
        advance: Told of the number of rows looked at.

    Raises:
        DataError: Nothing is left, or a row has no language where prompts need one.
    """
    dropped: Counter[str] = Counter()
    durations: list[float] = []
    languages: set[str] = set()
    punctuated = _punctuated(manifest) if prompts else False
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as file, ThreadPoolExecutor(_THREADS) as threads:
        numbered = enumerate(_read(manifest), start=1)
        while chunk := list(islice(numbered, _CHUNK)):
            looked = threads.map(lambda each: _look(each[1], keep_empty_text), chunk)
            for (number, row), reason in zip(chunk, looked, strict=True):
                if reason is not None:
                    dropped[reason] += 1
                    continue
                if prompts:
                    _prompt(row, manifest, number, punctuated)
                    languages |= {row["source_lang"], row["target_lang"]}
                durations.append(float(row["duration"]))
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            advance(len(chunk))
    if not durations:
        part.unlink()
        why = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items())
        raise DataError(f"nothing can be trained on: {why or 'no rows'}", where=str(manifest))
    part.replace(out)
    return Material(out, len(durations), dropped, tuple(durations), frozenset(languages))


def texts_of(manifest: Path) -> list[str]:
    """Return the transcripts of a manifest."""
    return [row.get("text") or "" for row in _read(manifest)]


def _read(manifest: Path) -> Iterator[Row]:
    with manifest.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _look(row: Row, keep_empty_text: bool) -> str | None:
    """Return why a row cannot be used; give it a sampling rate and a text where it can."""
    import soundfile

    if row.get("duration") is None:
        return str(Dropped.NO_DURATION)
    row["text"] = row.get("text") or ""
    if not keep_empty_text and not row["text"].strip():
        return str(Dropped.EMPTY_TEXT)
    try:
        header = soundfile.info(row["audio_filepath"])
    except (OSError, RuntimeError):
        return None if _others_read(row["audio_filepath"]) else UNREADABLE
    row.pop("sampling_rate", None)
    whole = abs(header.duration - float(row["duration"])) < _NEAR_S
    if whole and not row.get("offset") and header.channels == 1:
        row["sampling_rate"] = header.samplerate
    return None


def _others_read(path: str) -> bool:
    """Return whether Lhotse knows another way to read a file that libsndfile cannot."""
    from lhotse import Recording

    try:
        Recording.from_file(path)
    except Exception:  # each of its readers has errors of its own
        return False
    return True


def _punctuated(manifest: Path) -> bool:
    """Return whether most texts have capitals or marks, which Canary's prompt has to say."""
    texts = [text for text in texts_of(manifest) if text.strip()]
    return 2 * sum(bool(_WRITTEN & set(text)) for text in texts) > len(texts)


def _prompt(row: Row, manifest: Path, number: int, punctuated: bool) -> None:
    """Give a row the slots of Canary's prompts, unless it has its own."""
    language = next((row[name] for name in LANGUAGES if row.get(name)), None)
    for slot in ("source_lang", "target_lang"):
        row[slot] = row.get(slot) or language
        if not row[slot]:
            raise DataError(
                "no language, and Canary is told that of each clip",
                where=f"{manifest}:{number}",
                hint="give the manifest a column lang, as en, and hand off again",
            )
    row["task"] = row.get("task") or row.get("taskname") or "asr"
    row["pnc"] = row.get("pnc") or ("yes" if punctuated else "no")
