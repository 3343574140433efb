"""Thresholds that `asrdq calibrate` fitted: written beside `asrdq.yaml`, read back and verified."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from asrdq.audit.calibration.detectors import Detector
from asrdq.audit.calibration.fitting import Calibration
from asrdq.audit.calibration.halves import speaker_key
from asrdq.audit.calibration.threshold import Threshold, find_threshold
from asrdq.audit.faults import GROSS
from asrdq.audit.trials import Flags, Group, Names, Numbers, Trials
from asrdq.calibration_settings import CalibrationEntry, CalibrationRecord
from asrdq.errors import UsageError
from asrdq.results import plain
from asrdq.settings import SETTINGS_FILE
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

FOLDER: Final = "calibrations"
_FORMAT: Final = 1

GroupName = tuple[str, str | None]
"""A language and a value of the column that divides it; None where nothing does."""


@dataclass(frozen=True)
class StoredInstrument:
    """The instrument of one stratum, whose clips may belong to several calibrated groups.

    Scores are those above the threshold of the clip's group, so that 0 is the threshold of all.

    Attributes:
        fitted_on: Which records of `asrdq.yaml` it is.
        groups: The calibrated groups.
        group_of: Group of each clip by its id.
        seed: Seed that the names of speakers were hashed with, by language.
        threshold: 0, with the share of faulty clips estimated on the data that is judged.
    """

    fitted_on: str
    groups: Mapping[GroupName, Calibration]
    group_of: Mapping[str, GroupName]
    seed: Mapping[str, int]
    threshold: Threshold

    def score(self, trials: Trials, rows: Flags) -> Numbers:
        """Return how far each of the chosen rows lies above its threshold, (n,)."""
        scores = np.full(len(trials.clips), np.nan)
        names = [self.group_of[str(utt_id)] for utt_id in trials.utt_ids[rows]]
        places = np.flatnonzero(rows)
        for group in sorted(set(names), key=str):
            mine = np.zeros(len(trials.clips), dtype=np.bool_)
            mine[places[[name == group for name in names]]] = True
            known = self.groups[group]
            own = dataclasses.replace(
                known, fold_of=_own_folds(known, trials, mine, self.seed[group[0]])
            )
            scores[mine] = own.score(trials, mine) - known.threshold.value
        return scores[rows]

    def to_json(self) -> str:
        """Return the detectors and thresholds of all groups as JSON."""
        groups = [
            {"language": language, "value": value, **json.loads(known.to_json())}
            for (language, value), known in self.groups.items()
        ]
        return json.dumps({"stored": self.fitted_on, "groups": groups})


def _own_folds(known: Calibration, trials: Trials, rows: Flags, seed: int) -> dict[str, int]:
    """Return the fold of each speaker that the detectors learned from, by name again."""
    names: Names = (trials.utt_ids if known.by_clip else trials.speakers)[rows]
    keys = {name: speaker_key(name, seed) for name in set(names.tolist())}
    return {name: known.fold_of[key] for name, key in keys.items() if key in known.fold_of}


def stored_instruments(
    trials: Trials,
    groups: Mapping[GroupName, Calibration],
    group_of: Mapping[str, GroupName],
    seed: Mapping[str, int],
    fitted_on: str,
    budget: float,
) -> dict[Group, StoredInstrument]:
    """Return an instrument for each group; planted copies say how many clips are faulty."""
    found = {}
    for group in trials.groups:
        start = StoredInstrument(fitted_on, groups, group_of, seed, Threshold(0.0, 0.0))
        rows = trials.usable & trials.of(group)
        scores = start.score(trials, rows)
        untouched = trials.untouched[rows]
        gross = np.isin(trials.faults[rows], [fault.value for fault in GROSS])
        hidden = 0.0
        if gross.any() and untouched.any():
            hidden = find_threshold(scores[untouched], scores[gross], budget).hidden_share
        found[group] = dataclasses.replace(start, threshold=Threshold(0.0, hidden))
    return found


def write_file(
    workspace: Workspace,
    record: CalibrationRecord,
    names: Sequence[str],
    groups: Mapping[str | None, Calibration],
) -> CalibrationEntry:
    """Write the detectors beside `asrdq.yaml`; return the record with the hash of the file.

    Names of speakers are written as hashes: the file goes where the settings go.

    Args:
        workspace: Where to.
        record: What `asrdq.yaml` will say.
        names: Names of the evidence that the detectors read.
        groups: The fitted instrument of each group of the record.
    """
    content = {
        "format": _FORMAT,
        "record": record.model_dump(),
        "evidence": list(names),
        "groups": [
            {
                "value": group.value,
                "by_clip": groups[group.value].by_clip,
                "folds": plain(groups[group.value].folds),
                "fold_of": {
                    speaker_key(name, record.seed): fold
                    for name, fold in sorted(groups[group.value].fold_of.items())
                },
            }
            for group in record.groups
        ],
    }
    data = json.dumps(content, ensure_ascii=False, sort_keys=True).encode("utf-8")
    digest = hashlib.sha256(data).hexdigest()
    path = f"{FOLDER}/{_file_stem(record)}-{digest[:12]}.json"
    with whole_file(workspace.place(path)) as file:
        file.write(data)
    return CalibrationEntry(**record.model_dump(), file=path, sha256=digest)


def _file_stem(record: CalibrationRecord) -> str:
    plain_name = "".join(letter if letter.isalnum() else "-" for letter in record.aligner)
    return f"{plain_name}-{record.language}"


def read_groups(
    workspace: Workspace, entry: CalibrationEntry, names: Sequence[str]
) -> dict[str | None, Calibration]:
    """Return the instruments of an entry of `asrdq.yaml`.

    Raises:
        UsageError: The file is missing, was changed, or says something else than `asrdq.yaml`, or
            its detectors read other evidence than the aligner gives.
    """
    content = _verified(workspace, entry)
    if content["evidence"] != list(names):
        raise _unfit(entry, "its detectors read other evidence than the aligner gives")
    by_value = {group.value: group for group in entry.groups}
    return {
        one["value"]: Calibration(
            fitted_on=by_value[one["value"]].fitted_on,
            folds=tuple(tuple(map(Detector.from_dict, fold)) for fold in one["folds"]),
            fold_of=one["fold_of"],
            threshold=Threshold(by_value[one["value"]].threshold, 0.0),
            clips=by_value[one["value"]].clips.fitted,
            planted=0,
            speakers=by_value[one["value"]].speakers.fitted,
            by_clip=one["by_clip"],
        )
        for one in content["groups"]
    }


def _verified(workspace: Workspace, entry: CalibrationEntry) -> dict[str, Any]:
    try:
        data = workspace.place(entry.file).read_bytes()
    except OSError as error:
        raise _unfit(entry, f"the file cannot be read: {error.strerror or error}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry.sha256:
        raise _unfit(entry, f"the file was changed: its SHA-256 is {digest}, not {entry.sha256}")
    content: dict[str, Any] = json.loads(data)
    if content["format"] != _FORMAT:
        raise _unfit(entry, f"it is of format {content['format']}, not {_FORMAT}")
    if content["record"] != json.loads(entry.record().model_dump_json()):
        told = entry.record().model_dump(mode="json")
        changed = [key for key, value in told.items() if content["record"].get(key) != value]
        raise _unfit(entry, f"{SETTINGS_FILE} says otherwise about {', '.join(changed)}")
    return content


def _unfit(entry: CalibrationEntry, why: str) -> UsageError:
    return UsageError(
        f"the thresholds for {entry.aligner} and {entry.language} cannot be taken: {why}",
        where=f"{SETTINGS_FILE}: {entry.file}",
        hint="asrdq calibrate writes them anew, `asrdq audit --calibration` fits others on the "
        "data it judges, and without the entry nothing is taken from it",
    )
