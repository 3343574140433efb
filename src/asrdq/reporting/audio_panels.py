"""What a probe measured about the audio, condensed to a few panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from asrdq.audio.findings import (
    CLIPPED,
    DUPLICATE,
    NARROW,
    NARROW_SHARE,
    NOTABLE_CLIPPING,
    NOTABLE_DIFFERENCE_S,
    OFF_DURATION,
)
from asrdq.reporting.plots import Histogram, histogram, value_scale

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

_BINS: Final = 32


@dataclass(frozen=True)
class Panel:
    """The distribution of one measure over all clips of the manifest."""

    title: str
    unit: str
    note: str
    histogram: Histogram


@dataclass(frozen=True)
class AudioFacts:
    """What is known about the audio of a manifest.

    Attributes:
        run_id: The probe.
        clips: Clips that were probed.
        hours: Of decoded audio.
        panels: Distributions.
        faults: Clips whose audio is not as it should be: status and count.
        findings: Counts worth knowing, each with a sentence.
        formats: Codec, sample rate, channels and count, the most frequent first.
    """

    run_id: str
    clips: int
    hours: float
    panels: tuple[Panel, ...]
    faults: tuple[tuple[str, int], ...]
    findings: tuple[tuple[int, str], ...]
    formats: tuple[dict[str, Any], ...]


_PANELS: Final = (
    ("duration_s", "Duration", "s", "seconds a clip, as decoded", 1.0, True),
    (
        "snr_db",
        "Signal to noise",
        "dB",
        "estimate over the whole clip; below 10 dB is noisy",
        1.0,
        False,
    ),
    ("bandwidth_hz", "Bandwidth", "kHz", "3.5 kHz or so is a telephone line", 0.001, True),
    ("level_dbfs", "Level", "dBFS", "root mean square; 0 dBFS is full scale", 1.0, False),
)


def audio_facts(workspace: Workspace, manifest: ManifestVersion) -> AudioFacts | None:
    """Return the facts of the newest probe of this content, None where it was not probed."""
    run_id = _probe_run(workspace, manifest)
    if run_id is None:
        return None
    rows = _query(workspace, run_id, _OVERVIEW)[0]
    names = ", ".join(panel[0] for panel in _PANELS)
    measured = workspace.query(
        f"SELECT {names} FROM audio_facts WHERE run_id = $run AND duration_s IS NOT NULL",
        {"run": run_id},
    )
    panels = []
    for name, title, unit, note, factor, whole in _PANELS:
        values = measured[name].to_numpy().astype(np.float64) * factor
        shape = histogram(values, value_scale(values, whole=whole), _BINS)
        panels.append(Panel(title, unit, note, shape))
    return AudioFacts(
        run_id=run_id,
        clips=rows["clips"],
        hours=rows["hours"],
        panels=tuple(panels),
        faults=tuple((row["status"], row["clips"]) for row in _query(workspace, run_id, _STATUSES)),
        findings=_findings(rows),
        formats=tuple(_query(workspace, run_id, _FORMATS)),
    )


def _probe_run(workspace: Workspace, manifest: ManifestVersion) -> str | None:
    """Return the newest probe whose rows are there: of two at once, one replaces the other's."""
    if not workspace.table_exists("audio_facts"):
        return None
    runs = workspace.query(
        "SELECT run_id FROM runs SEMI JOIN audio_facts USING (run_id) WHERE command = 'probe' "
        "AND state = 'done' AND fingerprint = $fingerprint AND manifest = $name "
        "ORDER BY started DESC LIMIT 1",
        {"fingerprint": manifest.fingerprint, "name": manifest.name},
    )["run_id"].to_pylist()
    return str(runs[0]) if runs else None


def _query(workspace: Workspace, run_id: str, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = workspace.query(sql, {"run": run_id}).to_pylist()
    return rows


_OVERVIEW: Final = f"""
    SELECT count(*) AS clips,
        coalesce(sum(duration_s), 0) / 3600 AS hours,
        count(*) FILTER ({OFF_DURATION}) AS off,
        count(*) FILTER ({CLIPPED}) AS clipped,
        count(*) FILTER ({NARROW}) AS narrow,
        count(*) FILTER ({DUPLICATE}) AS duplicates
    FROM audio_facts WHERE run_id = $run
"""

_STATUSES: Final = """
    SELECT status, count(*) AS clips FROM audio_facts
    WHERE run_id = $run AND status <> 'ok' GROUP BY status ORDER BY clips DESC, status
"""

_FORMATS: Final = """
    SELECT codec, sample_format, sample_rate, channels, count(*) AS clips FROM audio_facts
    WHERE run_id = $run AND codec IS NOT NULL
    GROUP BY ALL ORDER BY clips DESC, codec, sample_rate LIMIT 8
"""


def _findings(counts: dict[str, Any]) -> tuple[tuple[int, str], ...]:
    told: Sequence[tuple[int, str]] = (
        (
            counts["off"],
            f"are more than {NOTABLE_DIFFERENCE_S:g} s off the duration the manifest states",
        ),
        (
            counts["narrow"],
            f"hold less than {100 * NARROW_SHARE:g} % of the speech band that their rate can hold",
        ),
        (
            counts["clipped"],
            f"are clipped (over {100 * NOTABLE_CLIPPING:g} % of their samples at full scale)",
        ),
        (counts["duplicates"], "repeat the audio of another clip, sample by sample"),
    )
    return tuple((count, sentence) for count, sentence in told if count)
