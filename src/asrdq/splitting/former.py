"""The former split of a manifest, whose rows keep their side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import UsageError
from asrdq.sampling.keys import Keys, draw_keys
from asrdq.splitting.cells import NEW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.splitting.plan import SplitPlan
    from asrdq.workspace import Workspace

COMMAND = "split"
TABLE = "splits"
_FRESH = "--fresh makes a new split, in which rows may change sides; --prefix one beside it"


@dataclass(frozen=True, slots=True)
class FormerSplit:
    """A split made before: its run and the manifest version of each side."""

    run_id: str
    manifests: Mapping[str, str]


def find_former(
    workspace: Workspace, names: Mapping[str, str], plan: SplitPlan, *, fresh: bool
) -> FormerSplit | None:
    """Return the newest split that wrote the manifests of these sides.

    Args:
        workspace: Where the manifests are.
        names: The manifest of each side, by side.
        plan: The new split.
        fresh: Whether to leave what is there out of account.

    Raises:
        UsageError: One of the manifests was not made by a split, or the former split had other
            sides or another seed.
    """
    there = [name for name in names.values() if name in workspace.manifests()]
    if not there:
        return None
    _check_made_by_split(workspace, there)
    if fresh or not workspace.table_exists(TABLE):
        return None
    runs = workspace.query(_NEWEST, {"names": there}).to_pylist()
    if not runs:
        return None
    newest = max(runs, key=lambda row: row["started"])["run_id"]
    sides = {row["side"]: row for row in runs if row["run_id"] == newest}
    parameters = json.loads(next(iter(sides.values()))["parameters"])
    former = {parameters["rest"], *(side["name"] for side in parameters["sides"])}
    if former != set(names):
        raise UsageError(f"the former split had the sides {', '.join(sorted(former))}", hint=_FRESH)
    if parameters["seed"] != plan.seed:
        raise UsageError(f"the former split had the seed {parameters['seed']}", hint=_FRESH)
    references = {
        side: f"{row['side_manifest']}@{row['side_version']}" for side, row in sides.items()
    }
    return FormerSplit(newest, references)


def _check_made_by_split(workspace: Workspace, names: Sequence[str]) -> None:
    """Refuse manifests of other origin; one that a killed split left may be written again."""
    runs = {name: workspace.manifest(name).run_id for name in names}
    made = workspace.query(
        "SELECT run_id FROM runs WHERE command = $command AND run_id IN (SELECT unnest($runs))",
        {"command": COMMAND, "runs": list(runs.values())},
    )["run_id"].to_pylist()
    for name, run_id in runs.items():
        if run_id not in made:
            raise UsageError(
                f"the manifest '{name}' is there and was not made by a split",
                hint="give the sides another --prefix",
            )


_NEWEST = """
    SELECT DISTINCT run_id, started, parameters, side, side_manifest, side_version
    FROM splits JOIN runs USING (run_id)
    WHERE side_manifest IN (SELECT unnest($names)) AND state = 'done'
"""


def former_sides(
    workspace: Workspace, former: FormerSplit | None, sides: Sequence[str], keys: Keys, seed: int
) -> NDArray[np.int8]:
    """Return the side that each row had in a former split, `NEW` where it had none.

    Args:
        workspace: Where the manifests are.
        former: The former split, if any.
        sides: Names of the sides in order.
        keys: Key of each row under the seed.
        seed: The seed.
    """
    found = np.full(len(keys), NEW, np.int8)
    if former is None:
        return found
    known = [_keys(workspace, former.manifests[side], seed) for side in sides]
    key = np.concatenate(known)
    side = np.repeat(np.arange(len(sides), dtype=np.int8), [len(each) for each in known])
    place = pc.index_in(pa.array(keys), pa.array(key))
    same = place.is_valid().to_numpy(zero_copy_only=False)
    found[same] = side[place.drop_null().to_numpy()]
    return found


def _keys(workspace: Workspace, reference: str, seed: int) -> Keys:
    with workspace.stream(workspace.manifest(reference), ["utt_id"]) as reader:
        pieces = [draw_keys(batch.column("utt_id"), seed) for batch in reader]
    return np.concatenate([np.empty(0, np.uint64), *pieces])
