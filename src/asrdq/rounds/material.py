"""What a comparison is made from, read before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from asrdq import console
from asrdq.errors import unknown
from asrdq.manifests.columns import DURATION, UTT_ID
from asrdq.rounds.blocks import block_rows
from asrdq.rounds.deltas import Changes
from asrdq.rounds.evaluation import Evaluation
from asrdq.rounds.exposure import HELD_OUT, Exposure, find_exposure
from asrdq.rounds.groups import Grouping, by_column, by_duration
from asrdq.rounds.pairing import Pairing, pair
from asrdq.rounds.ruler import Measured, by_one_ruler
from asrdq.scoring.plan import DURATION_BUCKET

if TYPE_CHECKING:
    from asrdq.rounds.plan import ComparePlan
    from asrdq.rounds.scored import Round
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class Material:
    """Two rounds and everything that is known of their utterances.

    Attributes:
        older: The older round.
        newer: The newer round.
        measured: Both rounds under the ruler of the newer one.
        pairing: Their utterances, side by side.
        columns: Partition of the utterances by duration and by each column asked for.
        exposure: What the training data hold of them; None where no training data were named.
    """

    older: Round
    newer: Round
    measured: Measured
    pairing: Pairing
    columns: dict[str, Grouping]
    exposure: Exposure | None

    def changes(self, plan: ComparePlan, pairing: Pairing | None = None) -> Changes:
        """Return changes of the utterances, or of the rows of another pairing."""
        pairing = pairing or self.pairing
        blocking = block_rows(pairing.after["block"], seed=plan.seed)
        return Changes(pairing, blocking, plan.replicates, plan.seed)

    def exposed(self) -> Grouping | None:
        """Return held-out rows apart from those of the training data."""
        return self.exposure.grouping(self.pairing.utt_ids) if self.exposure else None

    def evaluation(self, changes: Changes) -> Evaluation:
        """Return what decisions are made on: the rows that the model was not trained on."""
        exposed = self.exposed()
        if exposed is None:
            every = np.ones(len(self.pairing), np.bool_)
            return Evaluation(changes, self.columns, every, restricted=False)
        held_out = exposed.of_row == exposed.names.index(HELD_OUT)
        return Evaluation(changes, self.columns, held_out, restricted=True)


def read_material(
    workspace: Workspace, older: Round, newer: Round, plan: ComparePlan, stage: console.Stage
) -> Material:
    """Read two rounds, the columns of their utterances, and what the training data hold.

    Raises:
        UsageError: A column or the training manifest is not there.
        DataError: The rounds have other utterances, or a normaliser has changed since.
    """
    train = workspace.manifest(plan.train) if plan.train else None
    with stage("read", None, "rounds") as bar:
        measured = by_one_ruler(workspace, older, newer)
        pairing = pair(measured.before.utterances, measured.after.utterances, ids=plan.ids)
        columns = _columns(workspace, newer.manifest, pairing, plan)
        bar.advance(2)
    exposure = None
    if train is not None:
        terms = pc.unique(measured.after.terms["term"]).to_pylist()
        with stage("look into the training data", None, "manifests") as bar:
            exposure = find_exposure(
                workspace, train, newer.manifest, pairing.after, terms, newer.normaliser()
            )
            bar.advance(1)
    return Material(older, newer, measured, pairing, columns, exposure)


def _columns(
    workspace: Workspace, manifest: ManifestVersion, pairing: Pairing, plan: ComparePlan
) -> dict[str, Grouping]:
    asked = [name for name in plan.columns() if name != DURATION_BUCKET]
    for name in asked:
        if name not in manifest.columns:
            raise unknown("column", name, [*manifest.columns, DURATION_BUCKET], where=str(manifest))
    rows = workspace.scan(manifest, list(dict.fromkeys([UTT_ID, DURATION, *asked])))
    rows = rows.take(pc.index_in(pairing.utt_ids, rows[UTT_ID]))
    seconds = rows[DURATION].to_numpy().astype(np.float64)
    found = {DURATION_BUCKET: by_duration(seconds)}
    return found | {name: by_column(name, rows[name]) for name in asked}
