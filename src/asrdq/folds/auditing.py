"""`asrdq audit --out-of-fold`: models taken or trained, proven not to have heard, and asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from asrdq.audit import AuditPlan, AuditResult, audit
from asrdq.audit.folds import Fold
from asrdq.console import silent
from asrdq.errors import UsageError
from asrdq.folds.proof import model_of, origin_of
from asrdq.folds.training import FoldTraining, train_folds

if TYPE_CHECKING:
    from asrdq.audit.plan import Stage as AuditStage
    from asrdq.console import Stage
    from asrdq.folds.file import FoldModel
    from asrdq.training import TrainingResult
    from asrdq.workspace import ManifestVersion, Workspace

_OWN_MODELS: Final = ("ctc",)
"""Aligners that take the model of a fold."""


def audit_out_of_fold(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: AuditPlan,
    models: Sequence[FoldModel] | FoldTraining,
    *,
    accept_unknown: bool = False,
    workers: int = 0,
    stage: AuditStage | None = None,
    training_stage: Stage = silent,
) -> AuditResult | TrainingResult:
    """Audit a sample, each clip by a model that never heard its speaker.

    Args:
        workspace: Where the manifest is and the results go.
        manifest: The version to audit.
        plan: What to do; its aligner names the kind alone, such as `ctc`.
        models: The models, or how they are trained.
        accept_unknown: Whether a person answers for models of which nobody knows what they heard.
        workers: Processes of the audit; 0 is one a core.
        stage: Opens a progress display for each stage of the audit.
        training_stage: The same for trainings.

    Returns:
        The audit; or the training that was stopped, with which the same call goes on.

    Raises:
        UsageError: The aligner takes no model of a fold, or names one.
        DataError: A model has heard a speaker whom it is to judge, or nobody knows; or anything
            of `audit` and `train`.
    """
    if plan.options.name not in _OWN_MODELS or plan.options.address:
        raise UsageError(
            f"out of fold, an aligner takes the models of the folds: {', '.join(_OWN_MODELS)}",
            hint="--aligner ctc --out-of-fold speaker, without a model",
        )
    if isinstance(models, FoldTraining):
        found = train_folds(workspace, manifest, models, stage=training_stage)
        if not isinstance(found, list):
            return found
        models = found
    folds = tuple(
        Fold(
            name=model.name,
            speakers=frozenset(model.speakers),
            options=replace(plan.options, address=str(model_of(model))),
            origin=origin_of(workspace, manifest, model, accept=accept_unknown),
        )
        for model in models
    )
    more = {} if stage is None else {"stage": stage}
    return audit(workspace, manifest, replace(plan, folds=folds), workers=workers, **more)
