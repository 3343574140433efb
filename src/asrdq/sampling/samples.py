"""Samples in the workspace: drawn, stored, and found again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import AsrdqError
from asrdq.results import Result
from asrdq.sampling.allocation import Allocated
from asrdq.sampling.draw import draw, strata_of_sample, stratum_sizes
from asrdq.sampling.plan import SamplingPlan
from asrdq.sampling.tables import SAMPLES, STRATA

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class SampleResult(Result):
    """A drawn sample.

    Attributes:
        run_id: The run that drew it.
        manifest: The manifest version it was drawn from, as `train@3`.
        fingerprint: Its content.
        plan: How it was drawn.
        asked: Whether a person asked for this plan, or the settings stood for one.
        strata: One row a stratum of the manifest (schema `STRATA`).
        clips: One row a drawn clip (schema `SAMPLES`), by stratum and rank.
    """

    main_table: ClassVar[str] = "strata"

    run_id: str
    manifest: str
    fingerprint: str
    plan: SamplingPlan
    asked: bool
    strata: pa.Table
    clips: pa.Table

    def unmatched_rules(self) -> list[str]:
        """Return the names of stratum rules under which no row falls."""
        found = set(self.strata["stratum"].to_pylist())
        return [rule.name for rule in self.plan.rules() if rule.name not in found]

    def summary(self) -> str:
        """Return asked against drawn, a line a stratum."""
        lines = [f"{self.clips.num_rows:,} clips of {self.manifest}, seed {self.plan.seed}"]
        lines += [
            f"  {row['stratum']}: asked {row['asked_rows']:,.1f}, drew {row['drawn_rows']:,} "
            f"of {row['population_rows']:,}"
            for row in self.strata.to_pylist()
        ]
        return "\n".join(lines)


def draw_sample(
    workspace: Workspace, manifest: ManifestVersion, plan: SamplingPlan, *, asked: bool = True
) -> SampleResult:
    """Draw a sample and store it in the tables `samples` and `strata`.

    Args:
        workspace: Where the manifest is.
        manifest: The version to draw from.
        plan: What to draw.
        asked: Whether a person asked for this plan; otherwise it is what the settings say.

    Raises:
        UsageError: A column or condition is wrong, or rows fall under no rule.
        DataError: The manifest has no rows, or not one of them is drawn.
    """
    with workspace.run("sample", manifest, {**plan.parameters(), "asked": asked}) as run:
        return _store(workspace, manifest, plan, asked, run.run_id)


def standing_sample(
    workspace: Workspace, manifest: ManifestVersion, default: SamplingPlan
) -> SampleResult:
    """Return the newest sample of this content where it still holds, else draw one.

    Args:
        workspace: Where the manifest is.
        manifest: The version to audit.
        default: What the settings say; a sample that nobody asked for holds only as long as
            they say the same.

    Raises:
        UsageError: A column or condition is wrong, or rows fall under no rule.
        DataError: The manifest has no rows, or not one of them is drawn.
    """
    found = latest_sample(workspace, manifest)
    if found and (found.asked or found.plan == default):
        return found
    return draw_sample(workspace, manifest, default, asked=False)


def latest_sample(workspace: Workspace, manifest: ManifestVersion) -> SampleResult | None:
    """Return the newest sample that `asrdq sample` drew from this content, if it still holds.

    It holds while the strata have the rows they had: metadata that makes strata may change
    without the fingerprint.
    """
    if not workspace.table_exists("runs"):
        return None
    found = workspace.query(
        "SELECT run_id, parameters FROM runs WHERE command = 'sample' AND state = 'done' "
        "AND manifest = $name AND fingerprint = $print ORDER BY started DESC, run_id DESC LIMIT 1",
        {"name": manifest.name, "print": manifest.fingerprint},
    ).to_pylist()
    if not found:
        return None
    sample = _stored(workspace, manifest, found[0])
    return sample if strata_hold(workspace, manifest, sample.plan, sample.strata) else None


def strata_hold(
    workspace: Workspace, manifest: ManifestVersion, plan: SamplingPlan, strata: pa.Table
) -> bool:
    """Return whether a manifest still has the strata of a sample.

    They must have as many rows as then, and each clip of the sample must lie where it lay.

    Args:
        workspace: Where the manifest is.
        manifest: The version asked about.
        plan: How the sample was drawn.
        strata: The strata as they were then (schema `STRATA`).
    """
    then = zip(strata["stratum"].to_pylist(), strata["population_rows"].to_pylist(), strict=True)
    run_id = strata["run_id"][0].as_py()
    try:
        now = stratum_sizes(workspace, manifest, plan.strata)
        clips = strata_of_sample(workspace, manifest, plan.strata, run_id)
    except AsrdqError:
        return False
    drawn = workspace.read("samples", f"run_id = '{run_id}'").select(["utt_id", "stratum"])
    same_sizes = dict(then) == {size.name: size.rows for size in now}
    return same_sizes and clips.sort_by("utt_id").equals(drawn.sort_by("utt_id"))


def _store(
    workspace: Workspace, manifest: ManifestVersion, plan: SamplingPlan, asked: bool, run_id: str
) -> SampleResult:
    allocated, clips = draw(workspace, manifest, plan)
    keys = {
        "run_id": run_id,
        "manifest": manifest.name,
        "manifest_version": manifest.version,
        "fingerprint": manifest.fingerprint,
    }
    strata = _strata_table(keys, allocated, clips)
    samples = _samples_table(keys, strata, clips)
    workspace.replace("strata", strata, run_id=run_id)
    workspace.replace("samples", samples, run_id=run_id)
    return SampleResult(run_id, str(manifest), manifest.fingerprint, plan, asked, strata, samples)


def _strata_table(keys: dict[str, Any], allocated: list[Allocated], clips: pa.Table) -> pa.Table:
    drawn = clips.group_by("stratum").aggregate([("duration_s", "sum")]).to_pylist()
    seconds = {row["stratum"]: row["duration_s_sum"] or 0.0 for row in drawn}
    rows = [
        {
            **keys,
            "stratum": each.stratum.name,
            "population_rows": each.stratum.rows,
            "population_hours": each.stratum.hours,
            "asked_rows": each.asked_rows,
            "drawn_rows": each.drawn_rows,
            "drawn_hours": seconds.get(each.stratum.name, 0.0) / 3600,
            "inclusion_probability": each.drawn_rows / each.stratum.rows,
        }
        for each in allocated
    ]
    return pa.Table.from_pylist(rows, schema=STRATA)


def _samples_table(keys: dict[str, Any], strata: pa.Table, clips: pa.Table) -> pa.Table:
    position = pc.index_in(clips["stratum"], strata["stratum"].combine_chunks())
    columns = {
        **{name: pa.repeat(value, clips.num_rows) for name, value in keys.items()},
        "utt_id": clips["utt_id"],
        "stratum": clips["stratum"],
        "inclusion_probability": strata["inclusion_probability"].take(position),
        "rank": clips["rank"],
    }
    return pa.table(columns).cast(SAMPLES)


def _stored(workspace: Workspace, manifest: ManifestVersion, run: dict[str, Any]) -> SampleResult:
    condition = f"run_id = '{run['run_id']}'"
    strata = workspace.read("strata", condition, schema=STRATA).sort_by("stratum")
    clips = workspace.read("samples", condition, schema=SAMPLES)
    clips = clips.sort_by([("stratum", "ascending"), ("rank", "ascending")])
    parameters = json.loads(run["parameters"])
    plan, asked = SamplingPlan.from_parameters(parameters), parameters["asked"]
    name, content = str(manifest), manifest.fingerprint
    return SampleResult(run["run_id"], name, content, plan, asked, strata, clips)
