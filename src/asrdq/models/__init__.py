"""Neural models of others: what they need installed, where they run, how they are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.models.devices import DEVICES, device_of
    from asrdq.models.requirements import needs

__all__ = ["DEVICES", "device_of", "needs"]

__getattr__ = lazy_names(
    __name__,
    {
        "devices": ["DEVICES", "device_of"],
        "requirements": ["needs"],
    },
)
