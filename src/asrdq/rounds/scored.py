"""The rounds of a workspace: their rows, and what they were measured with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import DataError, UsageError
from asrdq.scoring.plan import ScorePlan
from asrdq.scoring.reading import joined
from asrdq.scoring.scorings import newest_scoring, scorings
from asrdq.scoring.tables import SCORES, TERM_SCORES, TERMS, UTTERANCES
from asrdq.scoring.utterances import score_utterances
from asrdq.scoring.vocabulary import Vocabulary
from asrdq.text.normalisers import Normaliser, normaliser
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True, slots=True)
class Round:
    """A round: a finished scoring of a set of hypotheses.

    Attributes:
        scoring: The scoring.
        manifest: The manifest version with the references.
    """

    scoring: Scoring
    manifest: ManifestVersion

    @property
    def run_id(self) -> str:
        """The run that scored it."""
        return self.scoring.run_id

    @property
    def hyps(self) -> str:
        """Name of the hypotheses."""
        return self.scoring.hyps

    @property
    def plan(self) -> ScorePlan:
        """What was scored, and how."""
        return self.scoring.plan

    @property
    def normaliser_hash(self) -> str:
        """Hash of the normaliser as it was then."""
        return self.scoring.normaliser_hash

    @property
    def ruler(self) -> str:
        """Normaliser and references in words."""
        return f"{self.plan.normaliser} ({self.normaliser_hash}) on {self.manifest}"

    def has_normaliser(self) -> bool:
        """Return whether the normaliser is still as it was, with its code and its files."""
        return self._normaliser().hash == self.normaliser_hash

    def normaliser(self) -> Normaliser:
        """Return the normaliser that the scores were made with.

        Raises:
            DataError: Its code or its files have changed since.
        """
        if self.has_normaliser():
            return self._normaliser()
        name = self.plan.normaliser
        more = f" --equivalences {self.plan.equivalences}" if self.plan.equivalences else ""
        raise DataError(
            f"the normaliser '{name}' has changed since '{self.hyps}' was scored",
            hint=f"asrdq score {self.manifest} --hyps {self.hyps} --normaliser {name}{more}",
        )

    def _normaliser(self) -> Normaliser:
        return normaliser(self.plan.normaliser, equivalences=self.plan.equivalences)


def find_rounds(workspace: Workspace, names: Sequence[str], manifest: str | None) -> list[Round]:
    """Return the last finished scoring of each set of hypotheses, on one manifest.

    Args:
        workspace: Where the scores are.
        names: Names of hypotheses.
        manifest: Name of the manifest, with a version or without; None where all of them were
            scored on one only.

    Raises:
        UsageError: One was not scored, or there are several manifests to choose from.
    """
    found = [newest_scoring(workspace, name, manifest) for name in names]
    if manifest is None:
        shared = _shared_manifest(scorings(workspace), names)
        found = [newest_scoring(workspace, name, shared) for name in names]
    return [Round(own, workspace.manifest(own.manifest)) for own in found]


def _shared_manifest(found: Sequence[Scoring], names: Sequence[str]) -> str:
    sets = [{own.manifest_name for own in found if own.hyps == name} for name in names]
    shared = set.intersection(*sets)
    if len(shared) == 1:
        return str(shared.pop())
    listed = "; ".join(
        f"{name} on {', '.join(sorted(manifests))}"
        for name, manifests in zip(names, sets, strict=True)
    )
    if shared:
        raise UsageError(
            f"the rounds were scored on several manifests: {listed}",
            hint=f"--manifest {sorted(shared)[0]}",
        )
    raise UsageError(
        f"the rounds were not scored on one manifest: {listed}", hint="asrdq score scores a round"
    )


@dataclass(frozen=True, slots=True)
class Scored:
    """The rows of a scoring: `utterances` (schema `UTTERANCES`) and `terms` (schema `TERMS`)."""

    utterances: pa.Table
    terms: pa.Table


def read_scored(workspace: Workspace, scoring: Round) -> Scored:
    """Return the rows of a scoring; terms with a fault are left out."""
    mine = f"run_id = {quote_text(scoring.run_id)}"
    return Scored(
        workspace.read(SCORES, mine, schema=UTTERANCES),
        workspace.read(TERM_SCORES, f"{mine} AND fault IS NULL", schema=TERMS),
    )


def rescore(workspace: Workspace, hyps: str, ruler: Round) -> Scored:
    """Score hypotheses as another scoring was made; nothing is written.

    Raises:
        DataError: The normaliser of that scoring has changed since.
    """
    chosen = ruler.normaliser()
    with joined(workspace, ruler.manifest, hyps, ruler.plan) as source:
        vocabulary = Vocabulary(source.distinct_terms(), chosen)
        blocks = [
            score_utterances(utterances, chosen, vocabulary)
            for utterances, _ in source.blocks(ruler.plan)
        ]
    terms = pa.Table.from_batches([block.terms for block in blocks], TERMS)
    return Scored(
        pa.Table.from_batches([block.utterances for block in blocks], UTTERANCES),
        terms.filter(pc.field("fault").is_null()),
    )
