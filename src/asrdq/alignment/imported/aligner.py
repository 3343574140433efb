"""Alignments made elsewhere: TextGrid, CTM, WhisperX, Lhotse and subtitles, laid over transcripts.

They say where words are, and nothing about other texts or damaged audio: an audit with them judges
by coverage alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Final

from asrdq.alignment.imported.files import (
    ImportedWords,
    has_many,
    is_alignment,
    read_many,
    read_one,
)
from asrdq.alignment.imported.names import clip_name, shorter_name
from asrdq.alignment.imported.times import (
    damaged_time,
    none_between,
    recording_end_s,
    time_outside,
)
from asrdq.alignment.preparation import spans_by_characters
from asrdq.alignment.protocol import (
    AlignerOptions,
    Alignment,
    AlignmentStatus,
    Utterance,
    WordSpan,
)
from asrdq.audio import MODEL_RATE
from asrdq.errors import AsrdqError, UsageError, counted, first_few
from asrdq.models.content import content_hash
from asrdq.text import spoken_words

_BACKEND_VERSION: Final = 3
_EXAMPLE: Final = "--aligner import:alignments"
_EXAMPLES: Final = 2


class ImportedAligner:
    """Reads a folder, or one file, of alignments.

    A clip's words are looked for under its `utt_id`, and then under the name of its audio file;
    times of the latter, and of Lhotse, count from the start of the recording. The words of the
    alignment are brought to spoken words and laid over those of the transcript; a word that is not
    among them stays without a place.
    """

    name = "import"
    sample_rate = MODEL_RATE
    languages: frozenset[str] | None = None
    longest_s = float("inf")
    evidence_names: tuple[str, ...] = ()
    strain: str | None = None
    batch_size = 1
    processes = 0
    aligns_copies = False

    def __init__(self, options: AlignerOptions) -> None:
        if not options.address:
            raise UsageError("which folder are the alignments in?", hint=_EXAMPLE)
        self._place = Path(options.address).expanduser()
        if not self._place.exists():
            raise UsageError("there is no such folder", where=options.address, hint=_EXAMPLE)
        if not self._files:
            raise UsageError(
                "holds no alignment: no TextGrid, CTM, JSON of WhisperX or Lhotse, SRT or VTT",
                where=options.address,
                hint=_EXAMPLE,
            )
        self._own: dict[str, list[Path]] = {}
        self._shorter: dict[str, list[Path]] = {}
        self._alone: dict[str, list[ImportedWords]] = {}
        self._known: dict[str, ImportedWords] = {}
        self._broken: dict[str, str] = {}
        self._there: list[str] = []
        self._passed_over: list[str] = []
        self._loaded = False

    @cached_property
    def version(self) -> str:
        """The hash of the files, and how they are read here.

        It is asked for before workers start, and files of many clips are read for it: a damaged one
        stops the command.

        Raises:
            DataError: A file of many clips is damaged.
        """
        for file in filter(has_many, self._files):
            read_many(file)
        return f"{content_hash(self._place)}+{_BACKEND_VERSION}"

    @cached_property
    def _files(self) -> list[Path]:
        """All but hidden files, which the version does not cover."""
        if self._place.is_file():
            return [self._place] if is_alignment(self._place) else []
        return [
            file
            for file in sorted(self._place.rglob("*"))
            if is_alignment(file)
            and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(self._place).parts)
        ]

    def load(self) -> None:
        """Read files that hold many clips, and list the others by name.

        Raises:
            DataError: A file of many clips is damaged.
        """
        for file in self._files:
            if has_many(file):
                self._take_all(file)
            else:
                self._list(file)
        self._there = sorted({*self._known, *self._own})
        self._loaded = True

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        """Lay imported words over transcripts; see `Aligner.align`."""
        if not self._loaded:
            self.load()
        return [self._one(each) for each in utterances]

    def _one(self, utterance: Utterance) -> Alignment:
        if not utterance.words:
            return Alignment(AlignmentStatus.NO_ALIGNMENT, detail="nothing to align")
        for name in (utterance.utt_id, Path(utterance.path).stem):
            self._look_up(name, is_id=name == utterance.utt_id)
            if name in self._broken:
                return Alignment(AlignmentStatus.NOT_IMPORTED, detail=self._broken[name])
            if name in self._known:
                return _placed(utterance, self._known[name], is_own=name == utterance.utt_id)
        return Alignment(AlignmentStatus.NOT_IMPORTED, detail=self._absence(utterance))

    def _absence(self, utterance: Utterance) -> str:
        """Say which names were looked for and which there are."""
        names = dict.fromkeys([utterance.utt_id, Path(utterance.path).stem])
        there = first_few(self._there, _EXAMPLES) or "none"
        detail = f"no alignment is called {' or '.join(names)}; there are {there}"
        if not self._passed_over:
            return detail
        count, files = len(self._passed_over), first_few(self._passed_over, _EXAMPLES)
        return f"{detail}; {counted(count, 'file')} passed over, without an alignment: {files}"

    def _list(self, file: Path) -> None:
        self._own.setdefault(clip_name(file), []).append(file)
        if shorter := shorter_name(file):
            self._shorter.setdefault(shorter, []).append(file)

    def _take_all(self, file: Path) -> None:
        found = read_many(file)
        if not found:
            self._passed_over.append(self._shown(file))
        for name, words in found:
            self._take(name, words)
        if len(found) == 1:
            self._alone.setdefault(clip_name(file), []).append(found[0][1])

    def _shown(self, file: Path) -> str:
        return file.name if file == self._place else str(file.relative_to(self._place))

    def _take(self, name: str, words: ImportedWords) -> None:
        first = self._known.setdefault(name, words)
        if first is not words:
            places = f"{first.where} and {words.where}"
            self._broken[name] = f"several alignments of this clip: {places}"

    def _look_up(self, name: str, *, is_id: bool) -> None:
        """Read the file of a clip, once.

        The only clip of a file that names it otherwise is taken for an id alone: under the name
        of a recording it may be another piece of it.
        """
        files = self._own.pop(name, [])
        if not files and name not in self._known:
            files = self._shorter.pop(name, [])
        if not files and name not in self._known and is_id:
            for words in self._alone.pop(name, []):
                self._take(name, words)
        if len(files) > 1:
            listed = ", ".join(map(self._shown, files))
            self._broken[name] = f"several files have this clip: {listed}"
            return
        for file in files:
            try:
                self._known[name] = read_one(file)
            except AsrdqError as error:
                self._broken[name] = str(error).splitlines()[0]


def _placed(utterance: Utterance, imported: ImportedWords, *, is_own: bool) -> Alignment:
    """Lay an alignment over a transcript if its times can be those of the clip.

    That of a recording may have words before and after the clip; its own may not.
    """
    begin_s = utterance.offset_s if imported.of_recording or not is_own else 0.0
    end_s = begin_s + len(utterance.samples) / MODEL_RATE
    heard = [word for word in imported.words if word.end_s > begin_s and word.start_s < end_s]
    wrong = damaged_time(imported.words)
    if not wrong and is_own:
        wrong = time_outside(imported.words, begin_s, end_s)
    elif not wrong:
        last_s = max(end_s, recording_end_s(utterance.path))
        after = [word for word in imported.words if word.start_s > last_s]
        wrong = time_outside([*heard, *after], 0.0, last_s)
    if not wrong and not heard:
        wrong = f"{imported.where}: {none_between(imported.words, begin_s, end_s)}"
    if wrong:
        return Alignment(AlignmentStatus.NOT_IMPORTED, detail=wrong)
    return _laid_over(utterance, heard, begin_s)


def _laid_over(utterance: Utterance, heard: Sequence[WordSpan], offset_s: float) -> Alignment:
    """Match imported words with those of a transcript; those without a match have no length."""
    from rapidfuzz.distance import LCSseq

    placed = [
        one
        for item in _whole_numbers(heard, utterance.language)
        for one in _spoken(item, utterance.language, offset_s)
    ]
    matched: dict[int, WordSpan] = {}
    for block in LCSseq.opcodes([one.word for one in placed], list(utterance.words)):
        if block.tag == "equal":
            own = placed[block.src_start : block.src_end]
            matched.update(enumerate(own, start=block.dest_start))
    if not matched:
        detail = "not one imported word is in the transcript"
        return Alignment(AlignmentStatus.NO_ALIGNMENT, detail=detail)
    spans, here_s = [], 0.0
    for at, word in enumerate(utterance.words):
        span = matched.get(at, WordSpan(word, here_s, here_s))
        here_s = span.end_s
        spans.append(span)
    return Alignment(AlignmentStatus.ALIGNED, tuple(spans))


def _whole_numbers(items: Sequence[WordSpan], language: str) -> list[WordSpan]:
    """Join items that the language reads as one number, such as `1` and `000` in French."""
    found: list[WordSpan] = []
    for figures, run in groupby(items, lambda item: item.word[:1].isdecimal()):
        own = list(run)
        found += _one_number(own, language) if figures and len(own) > 1 else own
    return found


def _one_number(items: Sequence[WordSpan], language: str) -> Sequence[WordSpan]:
    whole = " ".join(item.word for item in items)
    apart = [word for item in items for word in spoken_words(item.word, language)]
    if spoken_words(whole, language) == apart:
        return items
    return [WordSpan(whole, items[0].start_s, items[-1].end_s)]


def _spoken(item: WordSpan, language: str, offset_s: float) -> tuple[WordSpan, ...]:
    """Return an imported item as spoken words, which share its time by their letters."""
    words = spoken_words(item.word, language)
    if not words:
        return ()
    begin = item.start_s - offset_s
    end = max(begin, item.end_s - offset_s)
    whole = WordSpan("".join(words), begin, end, item.score, item.lowest)
    return spans_by_characters(words, [whole], [1.0] * len(words))
