"""What a report is about: the newest finished audit of a manifest, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.errors import Problem, UndecidedError
from asrdq.gates.evidence import UNUSABLE, Evidence, gather
from asrdq.gates.measures import Measures, measure

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class Subject:
    """The audit that a report shows.

    Attributes:
        asked: The manifest version that was asked about.
        evidence: The audit; its manifest has another content than `asked` where `stale`.
        parameters: The settings the audit ran with.
    """

    asked: ManifestVersion
    evidence: Evidence
    parameters: dict[str, Any]

    @property
    def coverage_minimum(self) -> float:
        """Coverage below which a clip is of low quality."""
        return float(self.parameters["coverage_minimum"])

    @property
    def confidence_minimum(self) -> float:
        """Confidence below which a clip is of low quality."""
        return float(self.parameters["confidence_minimum"])

    @property
    def manifest(self) -> ManifestVersion:
        """The manifest version that was audited."""
        return self.evidence.manifest

    @property
    def stale(self) -> bool:
        """Whether the manifest asked about has changed since the audit."""
        return self.asked != self.manifest

    @property
    def run(self) -> dict[str, Any]:
        """The row of the audit in `runs`."""
        assert self.evidence.run is not None
        return self.evidence.run

    @property
    def run_id(self) -> str:
        """The audit's run."""
        return str(self.run["run_id"])

    def measures(self, confidence: float) -> Measures:
        """Return the figures of the audit with intervals of that coverage."""
        return measure(self.evidence, confidence)


def find_subject(workspace: Workspace, reference: str) -> Subject:
    """Return the audit that answers for a manifest, or else the newest one of its name.

    Raises:
        UsageError: There is no such manifest.
        UndecidedError: It was never audited to the end, or the tables of the audit are broken.
    """
    asked = workspace.manifest(reference)
    evidence = gather(workspace, asked)
    if evidence.run is None:
        audited = _newest_audited(workspace, asked)
        if audited is not None:
            evidence = gather(workspace, audited)
    broken = [fault for fault in evidence.faults if fault.code in UNUSABLE]
    if evidence.run is None:
        broken = evidence.faults
    if broken:
        raise UndecidedError(
            f"there is nothing to report about {asked}",
            problems=[Problem(fault.message) for fault in broken],
            hint="; ".join(dict.fromkeys(fault.hint for fault in broken if fault.hint)),
        )
    assert evidence.run is not None
    parameters = {**workspace.settings.audit.model_dump(), **evidence.parameters}
    return Subject(asked, evidence, parameters)


def _newest_audited(workspace: Workspace, asked: ManifestVersion) -> ManifestVersion | None:
    """Return the version that the newest finished audit of this name was about."""
    if not workspace.table_exists("runs"):
        return None
    runs = workspace.query(
        "SELECT manifest_version FROM runs WHERE command = 'audit' AND state = 'done' "
        "AND manifest = $name ORDER BY started DESC LIMIT 1",
        {"name": asked.name},
    ).to_pylist()
    return workspace.manifest(f"{asked.name}@{runs[0]['manifest_version']}") if runs else None
