"""Where a command works: on this machine, or on the cluster that options and settings name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from asrdq.errors import UsageError

if TYPE_CHECKING:
    from asrdq.settings import Engine, RaySettings, Settings


@contextmanager
def working_on(cluster: RaySettings | None) -> Iterator[None]:
    """Stay connected to a cluster; None is this machine, which needs no connection.

    What Ray prints of dead workers goes to stderr, and not into the result.
    """
    if cluster is None:
        yield
        return
    from asrdq.engine import connected

    with redirect_stdout(sys.stderr), connected(cluster):
        yield


def cluster_of(
    settings: Settings, engine: Engine | None, address: str | None
) -> RaySettings | None:
    """Return the cluster that options and settings name, None for this machine.

    Raises:
        UsageError: There is an address, and the engine is not Ray.
    """
    if (engine or settings.engine) == "ray":
        return settings.ray.model_copy(update={"address": address or settings.ray.address})
    if address is not None:
        raise UsageError(f"the engine local has no address ({address})", hint="--engine ray")
    return None
