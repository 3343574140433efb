"""The plan of an audit: hours to align, wall time, cost, and how much each size would tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from asrdq.audit.calibration.fitting import CALIBRATION_FROM
from asrdq.audit.faults import PLANTED
from asrdq.errors import UsageError, unknown
from asrdq.planning.audit_speed import AuditSpeed
from asrdq.planning.hardware import PRICES_FILE, Prices
from asrdq.results import Result
from asrdq.sampling import SamplingPlan, StratumCount, population_interval
from asrdq.sampling.allocation import Allocated, StratumSize, allocate
from asrdq.sampling.draw import allocated_by, stratum_sizes

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion, Workspace

FRACTIONS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LIKELY_RATE: Final = 0.10
"""The rate of low quality that intervals are given for: where PROCEED ends."""
COPIES_OF_A_CLIP: Final = len(PLANTED) - 0.5
"""How much audio the faults planted on a clip make of it, at most: one halves it."""


@dataclass(frozen=True, slots=True)
class Machines:
    """What the workers run on.

    Attributes:
        workers: Workers, on all machines together.
        count: Machines.
        usd_per_hour: What each costs; None: not known.
        why: Where the price is from.
    """

    workers: int
    count: int = 1
    usd_per_hour: float | None = None
    why: str = "no price: --machine or --usd-per-hour"

    @classmethod
    def priced(cls, workers: int, count: int, machine: str, prices: Prices) -> Machines:
        """Return machines of that name in `prices.yaml`.

        Raises:
            UsageError: There is none.
        """
        found = prices.machines.get(machine)
        if found is None:
            known = [name for name, item in prices.machines.items() if item is not None]
            raise unknown("machine", machine, [*known, f"(or add it to {PRICES_FILE})"])
        return cls(workers, count, found.usd_per_hour, f"{machine}, {found.entered}")


@dataclass(frozen=True)
class AuditCosts(Result):
    """An audit before it is paid for.

    Attributes:
        subject: The manifest version, or that hours were given.
        clips: Its clips.
        hours: Their audio.
        speed: Of one worker.
        machines: What the workers run on.
        rate: The rate of low quality that the intervals are for.
        samples: One row a size: fraction, clips, hours, hours of copies with planted faults, wall
            time in hours, cost in USD (null: no price), and the 95 % interval of the population
            rate that is expected at this rate: low, high, width.
    """

    main_table: ClassVar[str] = "samples"

    subject: str
    clips: int
    hours: float
    speed: AuditSpeed
    machines: Machines
    rate: float
    samples: pa.Table

    def summary(self) -> str:
        """Return the plan in a few lines."""
        lines = [
            f"{self.subject}: {self.clips:,} clips, {self.hours:,.1f} h",
            f"one worker: {self.speed.times_real_time:,.1f} × real time ({self.speed.why})",
            f"{self.machines.workers:,} workers, as if none slowed another; {self._price()}",
            f"intervals: 95 %, at {100 * self.rate:g} % of low quality",
        ]
        if any(row["copies_hours"] and row["clips"] < CALIBRATION_FROM for row in self._rows()):
            lines.append(
                f"! an audit of fewer than {CALIBRATION_FROM} clips cannot be calibrated by "
                "itself: without thresholds in asrdq.yaml nothing is judged"
            )
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.samples.to_pylist()
        return rows

    def _price(self) -> str:
        if self.machines.usd_per_hour is None:
            return self.machines.why
        each = f"{self.machines.usd_per_hour:.2f} USD an hour ({self.machines.why})"
        return f"{self.machines.count} × {each}"


def plan_audit(
    workspace: Workspace,
    manifest: ManifestVersion,
    speed: AuditSpeed,
    machines: Machines,
    *,
    fractions: Sequence[float] = FRACTIONS,
    rate: float = LIKELY_RATE,
    calibrate: bool = True,
) -> AuditCosts:
    """Plan an audit of a manifest, with the strata and the allocation of the settings.

    Reading audio over a network and writing tables are not in the time; what one writer and a
    network bear is worked out in docs/scale.md.

    Args:
        workspace: Where the manifest is.
        manifest: What to audit.
        speed: Of one worker; `measure_speed` tries it.
        machines: How many workers, and what they cost.
        fractions: Sizes of the sample, shares of the manifest above 0 to 1.
        rate: Share of low quality that the intervals are for.
        calibrate: Whether faults are planted on copies.

    Raises:
        UsageError: A fraction or the rate is none, or the strata of the settings do not fit.
        DataError: The manifest has no rows.
    """
    settings = workspace.settings
    drawing = SamplingPlan.from_settings(settings.sampling)
    sizes = stratum_sizes(workspace, manifest, drawing.strata)

    def drawn(rows: int) -> list[Allocated]:
        plan = SamplingPlan(drawing.strata, drawing.allocation, rows=rows, shares=drawing.shares)
        return allocated_by(workspace, manifest, plan, sizes)

    most = settings.audit.calibration_clips if calibrate else 0
    rows = _sizes(sizes, fractions)
    samples = [_sample(drawn(each), most, speed, machines, rate) for each in rows]
    return _costs(str(manifest), sizes, speed, machines, rate, samples)


def plan_hours(
    hours: float,
    clips: int,
    speed: AuditSpeed,
    machines: Machines,
    *,
    fractions: Sequence[float] = FRACTIONS,
    rate: float = LIKELY_RATE,
    copied_clips: int = 0,
) -> AuditCosts:
    """Plan an audit of data that is not there yet, as one stratum; see `plan_audit`.

    Args:
        hours: Of audio.
        clips: How many clips.
        speed: Of one worker.
        machines: How many workers, and what they cost.
        fractions: Sizes of the sample.
        rate: Share of low quality that the intervals are for.
        copied_clips: Clips that faults are planted on, at most.
    """
    sizes = [StratumSize("all", clips, hours)]
    samples = [
        _sample(allocate(sizes, "proportional", rows=rows), copied_clips, speed, machines, rate)
        for rows in _sizes(sizes, fractions)
    ]
    return _costs("hours as given", sizes, speed, machines, rate, samples)


def _sizes(sizes: Sequence[StratumSize], fractions: Sequence[float]) -> list[int]:
    """Return the clips of each fraction, as `asrdq sample` draws them."""
    for fraction in fractions:
        if not 0.0 < fraction <= 1.0:
            raise UsageError(f"{fraction:g} is no fraction of a manifest", hint="above 0, up to 1")
    clips = sum(size.rows for size in sizes)
    return sorted({max(1, round(fraction * clips)) for fraction in fractions})


def _sample(
    allocated: Sequence[Allocated],
    copied_clips: int,
    speed: AuditSpeed,
    machines: Machines,
    rate: float,
) -> dict[str, Any]:
    """Return the row of one size."""
    if not 0.0 <= rate <= 1.0:
        raise UsageError(f"{rate:g} is no rate", hint="0 to 1: 0.1 for 10 %")
    clips, examined, hours, copies = 0, 0, 0.0, 0.0
    for each in allocated:
        mean_hours = each.stratum.hours / each.stratum.rows
        clips += each.drawn_rows
        hours += each.drawn_rows * mean_hours
        copied = min(copied_clips, each.drawn_rows)
        copies += copied * mean_hours * COPIES_OF_A_CLIP
        examined += each.drawn_rows + copied * len(PLANTED)
    counts = [
        StratumCount(each.stratum.name, each.stratum.rows, each.drawn_rows, rate * each.drawn_rows)
        for each in allocated
    ]
    interval = population_interval(counts)
    busy = min(machines.workers, examined)  # a clip is not divided
    wall = (hours + copies) / (speed.times_real_time * busy)
    price = machines.usd_per_hour
    return {
        "fraction": clips / sum(each.stratum.rows for each in allocated),
        "clips": clips,
        "hours": hours,
        "copies_hours": copies,
        "wall_hours": wall,
        "usd": None if price is None else wall * price * machines.count,
        "low": interval.low,
        "high": interval.high,
        "width": interval.high - interval.low,
    }


def _costs(
    subject: str,
    sizes: Sequence[StratumSize],
    speed: AuditSpeed,
    machines: Machines,
    rate: float,
    samples: list[dict[str, Any]],
) -> AuditCosts:
    import pyarrow as pa

    kinds = {"clips": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in samples[0]])
    return AuditCosts(
        subject=subject,
        clips=sum(size.rows for size in sizes),
        hours=sum(size.hours for size in sizes),
        speed=speed,
        machines=machines,
        rate=rate,
        samples=pa.Table.from_pylist(samples, schema=schema),
    )
