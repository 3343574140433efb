"""A second aligner on the sample of an audit: what it judges by, and how far both agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.alignment import Aligner
from asrdq.audit.agreement import agreement_tables
from asrdq.audit.calibration.thresholds import Thresholds, choose_thresholds
from asrdq.audit.conclusion import conclude
from asrdq.audit.folds import Judges
from asrdq.audit.judgement import Judgement
from asrdq.audit.plan import AuditPlan, Stage
from asrdq.audit.selection import Clip, check_languages
from asrdq.audit.trials import Trials
from asrdq.errors import UsageError
from asrdq.settings import AuditSettings

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class SecondInstrument:
    """A second aligner with its thresholds.

    Attributes:
        judges: The aligner, for every clip.
        plan: What is done with it.
        thresholds: What it judges by, chosen as for the first.
    """

    judges: Judges
    plan: AuditPlan
    thresholds: Thresholds

    @property
    def aligner(self) -> Aligner:
        """The aligner."""
        return self.judges.first

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
    workspace: Workspace, manifest: ManifestVersion, plan: AuditPlan, clips: Sequence[Clip]
) -> SecondInstrument | None:
    """Build the second aligner of an audit, None where it has none.

    One that cannot be asked about planted faults is not calibrated.

    Raises:
        UsageError: It does not exist, is the first, or does not know a language of the clips; or
            as for `choose_thresholds`.
    """
    if plan.second is None:
        return None
    own = replace(plan, aligner=plan.second, folds=())
    if not plan.folds and (own.options.name, own.options.address) == (
        plan.options.name,
        plan.options.address,
    ):
        raise UsageError(
            "the second aligner is the first: it would agree with itself",
            hint="--second with another aligner, or another model",
        )
    judges = Judges(own.options)
    if not judges.first.aligns_copies:
        own = replace(own, calibrate=False, plant=False)
    check_languages(judges.first, {clip.language for clip in clips})
    thresholds = choose_thresholds(workspace, manifest, judges.first, clips, own.calibrate)
    return SecondInstrument(judges, own, thresholds)
