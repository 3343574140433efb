"""How far a stage of an audit is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asrdq import console

if TYPE_CHECKING:
    from asrdq.audit.collection import OnClip


@contextmanager
def stage(name: str, clips: int) -> Iterator[OnClip]:
    """Show the progress of one stage: clips a second, × real time, time left."""
    started, audio_s = time.monotonic(), 0.0
    with console.progress(name, clips, "clips") as bar:

        def on_clip(seconds: float | None) -> None:
            nonlocal audio_s
            if seconds is None:
                bar.skip(1)
                return
            audio_s += seconds
            speed = audio_s / max(time.monotonic() - started, 1e-9)
            bar.advance(1, speed=f"{speed:,.0f} × real time")

        yield on_clip
