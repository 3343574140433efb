"""What a probe of a manifest found, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.audio.findings import (
    CLIPPED,
    DUPLICATE,
    NARROW,
    NARROW_SHARE,
    NOTABLE_CLIPPING,
    NOTABLE_DIFFERENCE_S,
    OFF_DURATION,
)
from asrdq.results import Result, plain

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

WORST_ROWS = 5
DECILES = tuple(round(0.1 * step, 1) for step in range(11))


@dataclass(frozen=True)
class ProbeResult(Result):
    """The facts of every clip of one manifest version.

    Attributes:
        run_id: The run that wrote the rows of table `audio_facts`.
        manifest: Name and version.
        fingerprint: Content of the manifest that these facts are about.
        wall_s: Seconds the probe took.
        decoded: Clips decoded now; the others were known.
        decoded_s: Seconds of audio decoded now.
        facts: The rows written, schema `asrdq.audio.facts.AUDIO_FACTS`.
    """

    main_table: ClassVar[str] = "facts"

    run_id: str
    manifest: str
    fingerprint: str
    wall_s: float
    decoded: int
    decoded_s: float
    facts: pa.Table = field(repr=False)

    @cached_property
    def overview(self) -> dict[str, Any]:
        """What stands out, as JSON types; the lists hold the worst five clips each."""
        import polars as pl

        facts = pl.DataFrame(self.facts)
        read = facts.filter(pl.col("duration_s").is_not_null())
        return {
            "clips": facts.height,
            "statuses": _counts(facts, "status"),
            "faults": _worst(facts.filter(pl.col("status") != "ok"), "utt_id", "status", "detail"),
            "hours": _hours(facts, "duration_s"),
            "manifest_hours": _hours(facts, "manifest_duration_s"),
            "sample_rates": _counts(read, "sample_rate"),
            "channels": _counts(read, "channels"),
            "codecs": _counts(read, "codec"),
            "voiceless": read.filter(pl.col("voiced_s") == 0).height,
            "voiced_share": _share(read),
            "snr_db_deciles": [read["snr_db"].quantile(share, "linear") for share in DECILES],
            **_suspicious(read),
        }

    @property
    def nothing_readable(self) -> bool:
        """Whether not one clip could be decoded: a wrong audio root rather than bad clips."""
        return bool(self.facts["duration_s"].null_count == self.facts.num_rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the overview as JSON types; the rows are in the table `audio_facts`."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "facts"}
        body = {"schema_version": self.schema_version, **kept, **self.overview}
        plain_body: dict[str, Any] = plain(body)
        return plain_body

    def summary(self) -> str:
        """Return what stands out, in about fifteen lines."""
        seen = self.overview
        lines = [
            f"{self.manifest}: {seen['clips']:,} clips, {_pairs(seen['statuses'])}",
            *_rows(seen["faults"], "{utt_id}: {status}: {detail}"),
            f"  length       {seen['hours']:.2f} h measured, {seen['manifest_hours']:.2f} h in the "
            f"manifest; {seen['durations_differ']:,} clips differ by more than "
            f"{NOTABLE_DIFFERENCE_S:g} s",
            *_rows(
                seen["largest_differences"],
                "{utt_id}: {manifest_duration_s:.2f} s stated, {duration_s:.2f} s measured",
            ),
            f"  sample rates {_pairs(seen['sample_rates'], ' Hz')}",
            f"  coding       {_pairs(seen['codecs'])}; {_pairs(seen['channels'], ' channel')}",
            f"  bandwidth    {seen['narrow_band']:,} clips hold less than "
            f"{NARROW_SHARE:.0%} of the speech band that their rate can hold",
            *_rows(seen["narrowest"], "{utt_id}: {bandwidth_hz:,.0f} Hz at {sample_rate:,} Hz"),
            f"  clipping     {seen['clipped']:,} clips with more than {NOTABLE_CLIPPING:.1%} of "
            "their samples",
            *_rows(seen["most_clipped"], "{utt_id}: {clipping_share:.2%} of the samples"),
            f"  voice        {_percent(seen['voiced_share'])} of the time; "
            f"{seen['voiceless']:,} clips without any",
            f"  duplicates   {seen['duplicates']:,} clips repeat the audio of another",
            *_rows(seen["copies"], "{utt_id} = {duplicate_of}"),
            f"  SNR deciles  {_decibels(seen['snr_db_deciles'])}",
            self._speed(),
        ]
        return "\n".join(lines)

    def _speed(self) -> str:
        known = self.facts.num_rows - self.decoded
        speed = f", {self.decoded_s / self.wall_s:,.0f} × real time" if self.decoded_s else ""
        cached = f", {known:,} known before" if known > 0 else ""
        return f"  {self.decoded:,} clips decoded in {self.wall_s:.1f} s{speed}{cached}"


def _suspicious(read: pl.DataFrame) -> dict[str, Any]:
    """Return how many clips stand out in each way, and the worst of them."""
    import polars as pl

    difference = pl.col("duration_difference_s").abs()
    differing = read.filter(pl.sql_expr(OFF_DURATION)).sort(-difference, "utt_id")
    narrow = read.filter(pl.sql_expr(NARROW)).sort("bandwidth_hz", "utt_id")
    clipped = read.filter(pl.sql_expr(CLIPPED)).sort(-pl.col("clipping_share"), "utt_id")
    copies = read.filter(pl.sql_expr(DUPLICATE))
    return {
        "durations_differ": differing.height,
        "largest_differences": _worst(differing, "utt_id", "manifest_duration_s", "duration_s"),
        "narrow_band": narrow.height,
        "narrowest": _worst(narrow, "utt_id", "sample_rate", "bandwidth_hz"),
        "clipped": clipped.height,
        "most_clipped": _worst(clipped, "utt_id", "clipping_share"),
        "duplicates": copies.height,
        "copies": _worst(copies, "utt_id", "duplicate_of"),
    }


def _counts(rows: pl.DataFrame, column: str) -> dict[str, int]:
    """Return how often each value stands there, the most frequent first."""
    counted = rows[column].value_counts(sort=True).sort("count", column, descending=[True, False])
    return {str(value): count for value, count in counted.iter_rows()}


def _worst(rows: pl.DataFrame, *columns: str) -> list[dict[str, Any]]:
    return rows.select(columns).head(WORST_ROWS).to_dicts()


def _hours(rows: pl.DataFrame, column: str) -> float:
    return float(rows[column].sum() or 0.0) / 3600


def _share(rows: pl.DataFrame) -> float | None:
    total = float(rows["duration_s"].sum() or 0.0)
    return float(rows["voiced_s"].sum() or 0.0) / total if total else None


def _rows(rows: list[dict[str, Any]], template: str) -> list[str]:
    return [f"    {template.format(**row)}" for row in rows]


def _pairs(counts: dict[str, int], unit: str = "") -> str:
    return ", ".join(f"{count:,} {value}{unit}" for value, count in counts.items()) or "none"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _decibels(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return " ".join(f"{value:.0f}" for value in known) + " dB" if known else "none measured"
