"""Has a model heard a speaker? What its training run, and the runs before it, were handed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.audit.folds import Origin
from asrdq.errors import AsrdqError, DataError, counted
from asrdq.models.content import file_digests
from asrdq.monitoring.readers.run_info import RUN_INFO
from asrdq.training.run_info import RunInfo, SideInfo, model_path, read_info, same_files
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from asrdq.folds.file import FoldModel
    from asrdq.workspace import ManifestVersion, Workspace

PROVEN, ACCEPTED, UNKNOWN = "proven", "accepted", "unknown"
ACCEPT: Final = "--unknown-origin"
_PLACE: Final = ("audio_path", "offset_s")
"""What a clip is in its file: two speakers of one recording lie at different offsets."""


class _UnknownError(Exception):
    """What a model has heard cannot be found out."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """Whom the model must not have heard.

    Attributes:
        audited: The manifest that holds the clips to be judged.
        speakers: Of the fold.
    """

    workspace: Workspace
    audited: ManifestVersion
    fold: str
    speakers: tuple[str, ...]


def model_of(fold: FoldModel) -> Path:
    """Return the model of a fold: that of the run where a folder of a run is named.

    Raises:
        DataError: The run has not made one.
    """
    info = read_info(fold.model) if fold.model.is_dir() else None
    if info is None:
        return fold.model
    if info.model is None:
        raise DataError(
            "this training run has not made a model",
            where=str(fold.model),
            hint=f"asrdq train {info.bundle} goes on with it",
        )
    return model_path(fold.model, info.model)


def origin_of(
    workspace: Workspace, audited: ManifestVersion, fold: FoldModel, *, accept: bool
) -> Origin:
    """Find out from its training run that a model has not heard the speakers of a fold.

    The model has to be the one that the run has made, by its hash; the manifests that the run was
    handed have to be in the workspace, by their fingerprints; and in both, no row is of these
    speakers, without a speaker, or a clip of theirs under another name. A base that a run has made
    is looked at in the same way.

    Args:
        workspace: Where the manifests are.
        audited: The manifest that holds the clips to be judged.
        fold: Speakers and model.
        accept: Whether a person answers for what cannot be found out.

    Raises:
        DataError: The model has heard one of them, or that cannot be found out and nobody answers.
        ToolError: A file beside the run cannot be understood.
    """
    heard = _Heard(workspace, audited, fold.name, fold.speakers)
    model = model_of(fold)
    info: RunInfo | None = None
    try:
        info, run_dir = _run_of(model)
        _check_run(heard, info, model)
    except _UnknownError as error:
        if not accept:
            raise DataError(
                f"whether the model of {fold.name} has heard its speakers cannot be found out: "
                f"{error}",
                where=str(model),
                hint=f"{ACCEPT} takes it nevertheless, and the audit says so",
            ) from error
        return Origin(ACCEPTED, str(error))
    base_proof = _base_proof(heard, info, seen={run_dir})
    return Origin(
        PROVEN,
        run_dir=str(run_dir),
        bundle_id=info.bundle_id,
        train=info.train.manifest,
        validation=info.validation.manifest,
        base=info.base,
        base_proof=base_proof,
    )


def _run_of(model: Path) -> tuple[RunInfo, Path]:
    for folder in (model, model.parent):
        info = read_info(folder) if folder.is_dir() else None
        if info is not None:
            return info, folder.resolve()
    raise _UnknownError(f"there is no {RUN_INFO} beside it")


def _check_run(heard: _Heard, info: RunInfo, model: Path) -> None:
    """See that a run has made this model, and was handed nothing of these speakers."""
    if info.rehearsal or info.state != "finished" or info.model is None:
        state = "rehearsal" if info.rehearsal else info.state
        raise _UnknownError(f"its training run has not made it to its end: {state}")
    if not same_files(file_digests(model), info.model):
        raise _UnknownError("the model is not the one that its training run has made")
    for side in (info.train, info.validation):
        _check_side(heard, side)


def _check_side(heard: _Heard, side: SideInfo) -> None:
    try:
        manifest = heard.workspace.manifest(side.manifest)
    except AsrdqError as error:
        raise _UnknownError(f"the workspace has no {side.manifest}") from error
    if manifest.fingerprint != side.fingerprint:
        raise _UnknownError(f"{side.manifest} has other content here than where it was trained")
    own, other = quote_name(str(heard.audited)), quote_name(str(manifest))
    places = " AND ".join(f"h.{name} IS NOT DISTINCT FROM t.{name}" for name in _PLACE)
    query = (
        f"SELECT count(*) FILTER (WHERE t.speaker IS NULL) AS nameless, "
        "count(*) FILTER (WHERE list_contains($speakers, t.speaker)) AS theirs, "
        f"count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {own} h "
        f"WHERE list_contains($speakers, h.speaker) AND {places})) AS same FROM {other} t"
    )
    [row] = heard.workspace.query(query, {"speakers": list(heard.speakers)}).to_pylist()
    if row["theirs"] or row["same"]:
        clips = max(row["theirs"], row["same"])
        raise DataError(
            f"the model of {heard.fold} has heard {counted(clips, 'clip')} of its speakers: they "
            f"are in {manifest}",
            hint="train one without them: asrdq audit … --out-of-fold speaker --recipe …",
        )
    if row["nameless"]:
        raise _UnknownError(f"{row['nameless']:,} rows of {manifest} have no speaker")


def _base_proof(heard: _Heard, info: RunInfo, seen: set[Path]) -> str:
    """Return what is known of the model that a training began with.

    Raises:
        DataError: It has heard one of the speakers.
    """
    base = Path(info.base).expanduser()
    if not base.exists():
        return UNKNOWN
    try:
        before, run_dir = _run_of(base)
        if run_dir in seen:
            return UNKNOWN
        model = base
        if before.model is not None and run_dir == base.resolve():
            model = model_path(run_dir, before.model)
        _check_run(heard, before, model)
    except _UnknownError:
        return UNKNOWN
    return _base_proof(heard, before, {*seen, run_dir})
