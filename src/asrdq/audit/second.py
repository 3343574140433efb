"""A second aligner on the sample of an audit: what it judges by, and how far both agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.alignment import Aligner, AlignerOptions, build_aligner
from asrdq.audit.agreement import agreement_tables
from asrdq.audit.calibration.thresholds import Thresholds, choose_thresholds
from asrdq.audit.conclusion import conclude
from asrdq.audit.judgement import Judgement
from asrdq.audit.plan import Stage
from asrdq.audit.selection import Clip, check_languages
from asrdq.audit.trials import Trials
from asrdq.settings import AuditSettings

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class SecondInstrument:
    """A second aligner with its thresholds.

    Attributes:
        aligner: The aligner.
        thresholds: What it judges by, chosen as for the first.
    """

    aligner: Aligner
    thresholds: Thresholds

    @property
    def name(self) -> str:
        """Name and version."""
        return f"{self.aligner.name} {self.aligner.version}"

    def stage(self, stage: Stage) -> Stage:
        """Return stages that say which aligner is at work."""
        return lambda name, clips: stage(f"{name}, {self.aligner.name}", clips)

    def compare(
        self,
        trials: Trials,
        judgement: Judgement,
        theirs: Trials,
        settings: AuditSettings,
        run_id: str,
        first: str,
    ) -> tuple[pa.Table, pa.Table]:
        """Judge what the second aligner examined, and hold it against the first one's judgement."""
        concluded = conclude(theirs, self.aligner, self.thresholds, settings, run_id)
        return agreement_tables(
            trials,
            judgement,
            theirs,
            concluded.judgement,
            run_id=run_id,
            aligners=(first, self.name),
        )


def second_instrument(
    workspace: Workspace,
    manifest: ManifestVersion,
    wanted: str | AlignerOptions,
    clips: Sequence[Clip],
    fit: bool | None,
) -> SecondInstrument:
    """Build the second aligner of an audit.

    Raises:
        UsageError: It does not exist or does not know a language of the clips; or as for
            `choose_thresholds`.
    """
    aligner = build_aligner(wanted)
    check_languages(aligner, {clip.language for clip in clips})
    return SecondInstrument(aligner, choose_thresholds(workspace, manifest, aligner, clips, fit))
