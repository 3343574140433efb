"""How often something may be done beside the training without slowing it down."""

from __future__ import annotations

import time


class Pace:
    """At most every so often, and never more than a small share of the time.

    Args:
        least_s: Seconds between two times.
        most_share: Share of the time that it may take in all.
    """

    def __init__(self, least_s: float, most_share: float) -> None:
        self._least_s, self._most_share = least_s, most_share
        self._next = 0.0

    def due(self) -> bool:
        """Return whether it may be done now."""
        return time.monotonic() >= self._next

    def took(self, seconds: float) -> None:
        """Note that it was done just now, and how long that took."""
        self._next = time.monotonic() + max(self._least_s, seconds / self._most_share)
