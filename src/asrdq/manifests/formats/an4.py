"""AN4 and other data for the Sphinx trainer: lists in etc/, audio in wav/; folder or archive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from asrdq.errors import UsageError
from asrdq.manifests.columns import AUDIO_PATH, DURATION, SPEAKER, TEXT, UTT_ID, Aliases
from asrdq.manifests.formats.archive import open_archive
from asrdq.manifests.formats.audio_headers import parse_with_durations
from asrdq.manifests.formats.audio_names import AUDIO_SUFFIXES, find_audio
from asrdq.manifests.formats.embedded import ClipRow, Clips, clip_chunks, clip_of, parse_clips
from asrdq.manifests.formats.opening import read_whole
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import record_chunks, text_of
from asrdq.manifests.rejects import Reject, RejectReason, shorten

_LISTS = (".fileids", ".transcription")
_LARGEST_LIST = 256 << 20
_LINE = re.compile(r"^(?:<s>)?\s*(?P<text>.*?)\s*(?:</s>)?\s*\((?P<utt_id>[^()\s]+)\)$")
_SUBSET = "subset"


@dataclass(frozen=True)
class _Utterance:
    """An utterance of the lists: where it stands, its audio under wav/ without a suffix."""

    file: str
    line: int
    audio: str
    row: dict[str, Any]

    def reject(self, reason: RejectReason, detail: str) -> Reject:
        return Reject(self.line, reason, detail, self.audio, self.file)


class An4Format:
    """Pairs of `etc/*.fileids` and `etc/*.transcription`; the folder of a clip is its speaker."""

    name: ClassVar[str] = "an4"
    description: ClassVar[str] = "AN4: etc/*.fileids, etc/*.transcription and wav/, or its tar.gz"
    typed: ClassVar[bool] = True
    aliases: Aliases = {  # noqa: RUF012
        name: (name,) for name in (UTT_ID, AUDIO_PATH, TEXT, DURATION, SPEAKER)
    }

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether there are such lists in the folder, or the name is that of an archive."""
        if path.is_dir():
            return any(path.glob("etc/*.fileids"))
        return "an4" in path.name.lower() and path.name.endswith((".tar", ".tar.gz", ".tgz"))

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read the lists, then the audio."""
        if path.is_dir():
            found = {
                f"etc/{file.name}": read_whole(file, _LARGEST_LIST)
                for file in sorted((path / "etc").glob("*.*"))
                if file.suffix in _LISTS
            }
            lists = _Lists(found, f"{path}/", path)
            for chunk in record_chunks(_in_folder(lists, path)):
                yield replace(chunk, context=(chunk.context, path))
        else:
            yield from _in_archive(path)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table, with how long each clip is."""
        if isinstance(chunk.context, Clips):
            return parse_clips(chunk.context, DURATION)
        return parse_with_durations(*chunk.context)


class _Lists:
    """The utterances of all lists, and what is wrong with the lists."""

    def __init__(self, files: Mapping[str, bytes], prefix: str, path: Path) -> None:
        self.rejects: list[Reject] = []
        self.utterances: list[_Utterance] = []
        names = [name for name in files if name.endswith(".fileids")]
        if not names:
            raise UsageError("has no etc/*.fileids", where=str(path))
        for name in names:
            other = name.removesuffix(".fileids") + ".transcription"
            if other not in files:
                raise UsageError(f"has {name}, but no {other}", where=str(path))
            self._add(files, name, other, prefix)

    def _add(self, files: Mapping[str, bytes], name: str, other: str, prefix: str) -> None:
        texts = self._texts(files[other], prefix + other)
        subset = PurePosixPath(name).stem.rpartition("_")[2]
        for line, audio in self._lines(files[name], prefix + name):
            path = PurePosixPath(audio)
            row = {UTT_ID: path.name, SPEAKER: path.parent.name or None, _SUBSET: subset}
            utterance = _Utterance(prefix + name, line, audio, row)
            found = texts.pop(path.name, None)
            if found is None:
                detail = f"'{path.name}' has no transcription"
                self.rejects.append(utterance.reject(RejectReason.MISSING_PART, detail))
            else:
                self.utterances.append(replace(utterance, row={**row, TEXT: found[1]}))
        for utt_id, (line, text) in texts.items():
            detail = f"'{utt_id}' is not in {name}"
            reject = Reject(line, RejectReason.MISSING_PART, detail, text, prefix + other)
            self.rejects.append(reject)

    def _texts(self, content: bytes, file: str) -> dict[str, tuple[int, str]]:
        texts: dict[str, tuple[int, str]] = {}
        for line, text in self._lines(content, file):
            found = _LINE.match(text)
            if found:
                texts[found["utt_id"]] = (line, found["text"])
            else:
                detail = "not TEXT (ID)"
                raw = shorten(text.encode())
                self.rejects.append(Reject(line, RejectReason.BAD_LINE, detail, raw, file))
        return texts

    def _lines(self, content: bytes, file: str) -> Iterator[tuple[int, str]]:
        for line, raw in enumerate(content.split(b"\n"), 1):
            text = text_of(raw, line, file)
            if isinstance(text, Reject):
                self.rejects.append(text)
            elif text.strip():
                yield line, text.strip()


def _in_folder(lists: _Lists, folder: Path) -> Iterator[tuple[int, dict[str, Any]] | Reject]:
    yield from lists.rejects
    for each in lists.utterances:
        audio = find_audio(folder, each.audio, ("wav",))
        if audio is None:
            detail = f"there is no audio file wav/{each.audio}.*"
            yield each.reject(RejectReason.MISSING_PART, detail)
        else:
            yield each.line, {**each.row, AUDIO_PATH: audio}


def _in_archive(path: Path) -> Iterator[Chunk]:
    """Read an archive twice: the lists may come after the audio."""
    found: dict[str, bytes] = {}
    with open_archive(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if name.parent.name == "etc" and name.suffix in _LISTS:
                found[f"etc/{name.name}"] = member.read()
    lists = _Lists(dict(sorted(found.items())), f"{path}!", path)
    waiting = {each.audio: each for each in lists.utterances}

    def items() -> Iterator[ClipRow | Reject]:
        yield from lists.rejects
        for member in archive:
            _, _, audio = f"/{member.name}".partition("/wav/")
            if audio.endswith(AUDIO_SUFFIXES):
                each = waiting.pop(audio.rpartition(".")[0], None)
                if each is not None:
                    yield each.line, each.row, clip_of(member.read(), audio)
        for each in waiting.values():
            detail = f"there is no audio file wav/{each.audio}.* in the archive"
            yield each.reject(RejectReason.MISSING_PART, detail)

    with open_archive(path) as archive:
        yield from clip_chunks(items(), archive.consumed)
