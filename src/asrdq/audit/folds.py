"""The aligner of each clip: one for all, or out of fold one that never heard its speaker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from asrdq.alignment import Aligner, AlignerOptions, build_aligner
from asrdq.audit.collection import EVIDENCE_TABLE, clip_task, collect_evidence
from asrdq.audit.tables import AUDIT_FOLDS
from asrdq.errors import DataError, UsageError, first_few

if TYPE_CHECKING:
    from asrdq.audit.collection import OnClip
    from asrdq.audit.faults import PlantedClip
    from asrdq.audit.selection import Clip
    from asrdq.settings import RaySettings
    from asrdq.workspace import Workspace

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of what a model has heard.

    Attributes:
        proof: `proven` by the manifests that it was trained on, or `accepted` by a person.
        detail: Why it could not be proven; empty where it is.
        run_dir: Folder of its training run.
        bundle_id: What it was trained on, as a hand-off.
        train: The training manifest.
        validation: The manifest that chose among its checkpoints.
        base: The model that its training began with.
        base_proof: The same of that: `proven`, or `unknown`.
    """

    proof: str
    detail: str = ""
    run_dir: str | None = None
    bundle_id: str | None = None
    train: str | None = None
    validation: str | None = None
    base: str | None = None
    base_proof: str | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """Speakers, and the aligner whose model has not heard them."""

    name: str
    speakers: frozenset[str]
    options: AlignerOptions
    origin: Origin


class Judges:
    """The aligner of each clip.

    Args:
        options: What the one aligner is built from.
        folds: Speakers with an aligner each; empty: the one is for all.

    Attributes:
        first: An aligner that stands for all: name, languages and evidence are the same.

    Raises:
        UsageError: A speaker is in two folds, or the aligners of folds do not go together.
    """

    def __init__(self, options: AlignerOptions, folds: Sequence[Fold] = ()) -> None:
        self.folds = tuple(folds)
        self._options = [fold.options for fold in self.folds] or [options]
        self._aligners = [build_aligner(one) for one in self._options]
        self.first: Aligner = self._aligners[0]
        self._place: dict[str | None, int] = {}
        for at, fold in enumerate(self.folds):
            for speaker in sorted(fold.speakers):
                if speaker in self._place:
                    other = self.folds[self._place[speaker]].name
                    raise UsageError(f"the speaker '{speaker}' is in {other} and in {fold.name}")
                self._place[speaker] = at
        self._check_alike()

    @property
    def version(self) -> str:
        """The version of the one aligner, or a digest of all and of whom each has not heard."""
        if not self.folds:
            return self.first.version
        parts = sorted(
            "\x1f".join([aligner.version, *sorted(fold.speakers)])
            for fold, aligner in zip(self.folds, self._aligners, strict=True)
        )
        digest = hashlib.blake2b("\x1e".join(parts).encode("utf-8"), digest_size=8)
        return f"folds@{digest.hexdigest()}"

    def version_of(self, clip: Clip) -> str:
        """Return the version of the aligner that judges a clip."""
        return self._aligners[self._of(clip)].version

    def fold_of(self, clip: Clip) -> str:
        """Return the name of the fold of a clip; empty where one aligner is for all."""
        return self.folds[self._of(clip)].name if self.folds else ""

    def check(self, clips: Sequence[Clip]) -> None:
        """See that each clip has a fold.

        Raises:
            DataError: Clips have no speaker, or one that is in no fold.
        """
        if not self.folds:
            return
        nameless = sum(clip.speaker is None for clip in clips)
        if nameless:
            raise DataError(
                f"{nameless:,} sampled clips have no speaker, and so no model that is sure not "
                "to have heard them",
                hint="derive a manifest without them, or audit without --out-of-fold",
            )
        strange = sorted({str(clip.speaker) for clip in clips if clip.speaker not in self._place})
        if strange:
            raise DataError(
                f"{len(strange):,} sampled speakers are in no fold: {first_few(strange, _NAMED)}",
                hint="name them in the file of the folds, with a model that has not heard them",
            )

    def collect(
        self,
        workspace: Workspace,
        clips: Sequence[Clip],
        copies: Sequence[PlantedClip],
        seed: int,
        *,
        workers: int,
        on_clip: OnClip,
        cluster: RaySettings | None = None,
    ) -> pa.Table:
        """Return a row of evidence a clip, each by its aligner, in their order."""
        places = [self._of(clip) for clip in clips]
        tables, order = [EVIDENCE_TABLE.empty_table()], []
        for at, (aligner, options) in enumerate(zip(self._aligners, self._options, strict=True)):
            own = [row for row, place in enumerate(places) if place == at]
            if not own:
                continue
            tasks = [clip_task(clips[row], copies[row], aligner, seed) for row in own]
            tables.append(
                collect_evidence(
                    workspace,
                    aligner,
                    options,
                    tasks,
                    workers=workers,
                    on_clip=on_clip,
                    cluster=cluster,
                )
            )
            order += own
        back = {row: position for position, row in enumerate(order)}
        positions = pa.array([back[row] for row in range(len(order))], pa.int64())
        return pa.concat_tables(tables).take(positions)

    def rows(self, clips: Sequence[Clip], run_id: str) -> pa.Table:
        """Return a row a fold (schema `AUDIT_FOLDS`), none where one aligner is for all."""
        speakers = [clip.speaker for clip in clips]
        rows = [
            {
                "run_id": run_id,
                "fold": fold.name,
                "speakers": sorted(fold.speakers),
                "clips": sum(speaker in fold.speakers for speaker in speakers),
                "aligner": aligner.name,
                "aligner_version": aligner.version,
                "model": fold.options.address,
                **asdict(fold.origin),
            }
            for fold, aligner in zip(self.folds, self._aligners, strict=False)
        ]
        return pa.Table.from_pylist(rows, schema=AUDIT_FOLDS)

    def _of(self, clip: Clip) -> int:
        return self._place[clip.speaker] if self.folds else 0

    def _check_alike(self) -> None:
        traits: list[tuple[str, Callable[[Aligner], object]]] = [
            ("names", lambda aligner: aligner.name),
            ("languages", lambda aligner: aligner.languages),
            ("evidence", lambda aligner: aligner.evidence_names),
        ]
        for what, of in traits:
            if len({of(aligner) for aligner in self._aligners}) > 1:
                raise UsageError(
                    f"the aligners of the folds differ in their {what}",
                    hint="models of one kind, trained alike on different speakers",
                )
