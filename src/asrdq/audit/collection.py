"""Evidence for many clips: from the cache where it is known, else from worker processes."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.alignment import Aligner, AlignerOptions, AlignmentStatus
from asrdq.audio import AudioReason, unread_reason
from asrdq.audit.batches import Batch, batches
from asrdq.audit.examination import ClipEvidence, ClipTask, examine, start_worker
from asrdq.audit.faults import AUDIO_FAULTS, Fault, PlantedClip
from asrdq.audit.selection import Clip
from asrdq.engine import Failure, FailureKind, Outcome, commit_in_pieces, run_tasks

if TYPE_CHECKING:
    from asrdq.settings import RaySettings
    from asrdq.workspace import Workspace

CACHE: Final = "alignments"
_MEASURE_VERSION: Final = 3
_TIMEOUT_S: Final = 600.0
_PASSING: Final = [
    AlignmentStatus.CRASHED.value,
    AlignmentStatus.FAILED.value,
    AudioReason.MISSING.value,
]
"""Endings that say nothing lasting about the content of a clip."""

SPAN = pa.struct(
    [
        ("word", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("score", pa.float64()),
        ("lowest", pa.float64()),
        ("kept", pa.float64()),
        ("plausible", pa.bool_()),
    ]
)
EVIDENCE_TABLE = pa.schema(
    [
        ("key", pa.string()),
        ("status", pa.string()),
        ("detail", pa.string()),
        ("duration_s", pa.float64()),
        ("voiced_s", pa.float64()),
        ("text_coverage", pa.float64()),
        ("speech_coverage", pa.float64()),
        ("evidence", pa.map_(pa.string(), pa.float64())),
        ("spans", pa.list_(SPAN)),
    ]
)

Run = Callable[[Iterable[Batch]], Iterator[Outcome[Batch, list[ClipEvidence]]]]

OnClip = Callable[[float | None], None]
"""Told after each clip how many seconds of audio were worked on; None: known before."""


def clip_task(clip: Clip, planted: PlantedClip, aligner: Aligner, seed: int) -> ClipTask:
    """Describe the examination of a clip, or of its copy with a planted fault."""
    parts = [
        clip.audio_hash or clip.path,
        clip.offset_s,
        clip.length_s,
        aligner.name,
        aligner.version,
    ]
    about = [clip.language, *([] if aligner.aligns_copies else [clip.utt_id, clip.path])]
    damage = [planted.fault, seed, clip.utt_id] if planted.fault in AUDIO_FAULTS else []
    content = "\x1f".join(map(str, [_MEASURE_VERSION, *parts, *about, *damage, *planted.words]))
    key = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return ClipTask(
        key=key,
        utt_id=clip.utt_id,
        path=clip.path,
        offset_s=clip.offset_s,
        length_s=clip.length_s,
        words=planted.words,
        language=clip.language,
        fault=planted.fault if planted.fault in AUDIO_FAULTS else Fault.UNTOUCHED,
        seed=seed,
        readable=clip.audio_hash is not None,
        stated_s=clip.stated_s,
    )


def collect_evidence(
    workspace: Workspace,
    aligner: Aligner,
    options: AlignerOptions,
    tasks: Sequence[ClipTask],
    *,
    workers: int,
    on_clip: OnClip,
    cluster: RaySettings | None = None,
) -> pa.Table:
    """Return one row of `EVIDENCE_TABLE` a task, in the order of the tasks.

    On a cluster too this process alone writes, and with GPUs for its workers the aligner has to
    run on them.

    What was added to the cache is never worked on again. A killed run loses the batches that
    are worked on, and of the answers those of its last two seconds and of a commit that it was
    at; at Ctrl-C the answers are committed first. What may go otherwise the next time is not
    kept: a crash, which the lack of memory causes too, a time-out, an exception, a file that is
    not there.
    """
    cache = workspace.cache(CACHE)
    keys = [task.key for task in tasks]
    known = cache.lookup(pa.array(keys, pa.string()))
    tables = [known.cast(EVIDENCE_TABLE)] if known.num_rows else []
    have = set(known["key"].to_pylist()) if known.num_rows else set()
    for _ in range(sum(key in have for key in keys)):
        on_clip(None)
    pending = {task.key: task for task in tasks if task.key not in have}
    work = [task for task in pending.values() if task.readable]
    unread = [task for task in pending.values() if not task.readable]
    closed = [_row(ClipEvidence(task.key, unread_reason(task.path).value)) for task in unread]
    tables.append(pa.Table.from_pylist(closed, schema=EVIDENCE_TABLE))
    if cluster is None:
        workers = min(workers or aligner.processes, aligner.processes) or workers
    elif cluster.gpus_per_worker:
        options = dataclasses.replace(options, device="cuda")
    run = functools.partial(
        run_tasks,
        functools.partial(examine, options),
        workers=workers,
        initializer=start_worker,
        initargs=(options,),
        timeout_s=_TIMEOUT_S,
        cluster=cluster,
    )
    together = batches(work, aligner.batch_size, workspace.settings.audit.batch_seconds)

    def commit(piece: list[ClipEvidence]) -> None:
        rows = pa.Table.from_pylist([_row(one) for one in piece], schema=EVIDENCE_TABLE)
        cache.add(rows.filter(~pc.field("status").isin(_PASSING)))
        tables.append(rows)

    commit_in_pieces(_examined(run, together, on_clip), commit)
    evidence = pa.concat_tables(tables)
    place = {key: index for index, key in enumerate(evidence["key"].to_pylist())}
    return evidence.take(pa.array([place[key] for key in keys], pa.int64()))


def _examined(run: Run, together: Iterable[Batch], on_clip: OnClip) -> Iterator[ClipEvidence]:
    """Examine clips in worker processes; those of a batch that failed again, one by one."""
    alone: list[Batch] = []
    for outcome in run(together):
        if outcome.value is None and len(outcome.item) > 1:
            alone += [(task,) for task in outcome.item]
            continue
        for found in outcome.value or [_failed(outcome.item[0], outcome.failure)]:
            on_clip(found.duration_s or 0.0)
            yield found
    if alone:
        yield from _examined(run, alone, on_clip)


def _failed(task: ClipTask, failure: Failure | None) -> ClipEvidence:
    assert failure is not None
    crashed = failure.kind is FailureKind.CRASHED
    status = AlignmentStatus.CRASHED if crashed else AlignmentStatus.FAILED
    return ClipEvidence(task.key, status.value, failure.detail)


def _row(found: ClipEvidence) -> dict[str, Any]:
    spans = [
        {
            "word": span.word,
            "start_s": span.start_s,
            "end_s": span.end_s,
            "score": span.score,
            "lowest": span.lowest,
            "kept": span.kept,
            "plausible": plausible,
        }
        for span, plausible in zip(found.spans, found.coverage.plausible, strict=True)
    ]
    return {
        "key": found.key,
        "status": found.status,
        "detail": found.detail,
        "duration_s": found.duration_s,
        "voiced_s": found.voiced_s,
        "text_coverage": found.coverage.text,
        "speech_coverage": found.coverage.speech,
        "evidence": list(found.evidence.items()),
        "spans": spans,
    }
