"""What a transcription made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class TranscriptionResult(Result):
    """A set of hypotheses that was made.

    Attributes:
        run_id: The run.
        name: Name of the set.
        manifest: The version that was transcribed, as `eval@3`.
        transcriber: What made them, with its version.
        clips: How many clips there were to transcribe.
        transcribed: How many of them have a hypothesis now.
        cached: How many answers were known before.
        audio_s: Seconds of audio that were transcribed now.
        wall_s: Seconds that took.
        failures: One row a clip without a hypothesis (schema `FAILURES`).
    """

    main_table: ClassVar[str] = "failures"

    run_id: str
    name: str
    manifest: str
    transcriber: str
    clips: int
    transcribed: int
    cached: int
    audio_s: float
    wall_s: float
    failures: pa.Table

    @property
    def reasons(self) -> dict[str, int]:
        """Number of clips without a hypothesis by reason, the most frequent first."""
        return dict(Counter(self.failures["reason"].to_pylist()).most_common())

    def summary(self) -> str:
        """Return the set, its size, and why clips have no hypothesis."""
        lines = [
            f"{self.name}: {self.transcribed:,} of {self.clips:,} clips of {self.manifest} "
            f"transcribed by {self.transcriber} ({self.cached:,} known before)"
        ]
        lines += [f"  {count:,} × {reason}" for reason, count in self.reasons.items()]
        return "\n".join(lines)
