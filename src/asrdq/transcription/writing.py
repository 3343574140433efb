"""Answers written down as they come: into the cache, and into the set they make up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.audio import AudioReason
from asrdq.hypotheses import HYPOTHESES, TABLE
from asrdq.transcription.clips import Clip
from asrdq.transcription.protocol import Transcriber, TranscriptionStatus
from asrdq.transcription.tables import FAILURES, FAILURES_TABLE, HYPOTHESIS_WORDS, WORDS_TABLE
from asrdq.transcription.work import Answer

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

CACHE: Final = "transcriptions"
_COMPACT_EVERY: Final = 32
_LOOKED_UP_AT_ONCE: Final = 50_000
_PASSING: Final = frozenset(
    {
        TranscriptionStatus.CRASHED.value,
        TranscriptionStatus.FAILED.value,
        TranscriptionStatus.SERVER_FAILED.value,
        TranscriptionStatus.REFUSED.value,
        AudioReason.MISSING.value,
    }
)
"""Endings that may be otherwise the next time: they are not cached."""

_WORD: Final = pa.struct(
    [
        ("word", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("confidence", pa.float64()),
    ]
)
ANSWERS: Final = pa.schema(
    [
        ("key", pa.string()),
        ("status", pa.string()),
        ("text", pa.string()),
        ("confidence", pa.float64()),
        ("words", pa.list_(_WORD)),
        ("detail", pa.string()),
    ]
)
"""What is cached of an answer."""


class SetWriter:
    """Writes one set; whatever was there under its name makes room when it begins.

    Attributes:
        transcribed: How many clips have a hypothesis.
        statuses: How many clips ended how.
    """

    def __init__(
        self,
        workspace: Workspace,
        manifest: ManifestVersion,
        name: str,
        transcriber: Transcriber,
        clips: Sequence[Clip],
        run_id: str,
    ) -> None:
        self._workspace = workspace
        self._cache = workspace.cache(CACHE)
        self._set = {"hyps": name, "manifest": manifest.name}
        self._constants = {
            **self._set,
            "transcriber": transcriber.name,
            "transcriber_version": transcriber.version,
            "run_id": run_id,
        }
        self._owners: dict[str, list[str]] = defaultdict(list)
        for clip in clips:
            self._owners[clip.task.key].append(clip.utt_id)
        self._pieces = 0
        self._failures: list[dict[str, Any]] = []
        self.transcribed = 0
        self.statuses: set[str] = set()

    def begin(self) -> set[str]:
        """Put what is known already in the place of the set, and return its keys.

        Killed in between, the set holds a part of what is known; the same call makes it right.
        """
        for name, schema in ((TABLE, HYPOTHESES), (WORDS_TABLE, HYPOTHESIS_WORDS)):
            if self._workspace.table_exists(name):
                self._workspace.replace(name, schema.empty_table(), **self._set)
        keys = list(self._owners)
        known: set[str] = set()
        for at in range(0, len(keys), _LOOKED_UP_AT_ONCE):
            wanted = pa.array(keys[at : at + _LOOKED_UP_AT_ONCE], pa.string())
            rows = self._cache.lookup(wanted).to_pylist()
            self._append(rows)
            known.update(row["key"] for row in rows)
        return known

    def add(self, piece: Sequence[Answer]) -> None:
        """Write what has come since the last time."""
        if not piece:
            return
        rows = [_row(answer) for answer in piece]
        kept = pa.Table.from_pylist(rows, schema=ANSWERS)
        passing = pa.array(sorted(_PASSING), pa.string())
        self._cache.add(kept.filter(pc.invert(pc.is_in(kept["status"], passing))))
        self._append(rows)
        self._pieces += 1
        if self._pieces % _COMPACT_EVERY == 0:
            for name in filter(self._workspace.table_exists, (TABLE, WORDS_TABLE)):
                self._workspace.store.compact(name)

    def finish(self) -> pa.Table:
        """Write which clips have no hypothesis, and return them (schema `FAILURES`)."""
        failures = pa.Table.from_pylist(self._failures, schema=FAILURES).sort_by("utt_id")
        if failures.num_rows or self._workspace.table_exists(FAILURES_TABLE):
            self._workspace.replace(FAILURES_TABLE, failures, **self._set)
        return failures

    def _append(self, answers: Sequence[dict[str, Any]]) -> None:
        for name, rows in zip((TABLE, WORDS_TABLE), self._rows(answers), strict=True):
            if rows.num_rows:
                self._workspace.append(name, rows)

    def _rows(self, answers: Sequence[dict[str, Any]]) -> tuple[pa.Table, pa.Table]:
        """Return answers as rows of `hypotheses` and of `hypothesis_words`; note the others."""
        texts, words = [], []
        for answer in answers:
            self.statuses.add(answer["status"])
            for utt_id in self._owners[answer["key"]]:
                own = {**self._constants, "utt_id": utt_id}
                if answer["status"] != TranscriptionStatus.TRANSCRIBED:
                    why = {"reason": answer["status"], "detail": answer["detail"]}
                    self._failures.append({**own, **why})
                    continue
                self.transcribed += 1
                given = {"hypothesis": answer["text"], "confidence": answer["confidence"]}
                texts.append({**own, **given})
                words += [
                    {**own, **word, "index": index} for index, word in enumerate(answer["words"])
                ]
        return (
            pa.Table.from_pylist(texts, schema=HYPOTHESES),
            pa.Table.from_pylist(words, schema=HYPOTHESIS_WORDS),
        )


def _row(answer: Answer) -> dict[str, Any]:
    words = [
        {
            "word": word.word,
            "start_s": word.start_s,
            "end_s": word.end_s,
            "confidence": word.confidence,
        }
        for word in answer.words
    ]
    return {
        "key": answer.key,
        "status": answer.status,
        "text": answer.text,
        "confidence": answer.confidence,
        "words": words,
        "detail": answer.detail,
    }
