"""A function over many items, in processes of this machine or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from asrdq.engine.local import run_here
from asrdq.engine.outcome import Outcome, R, T
from asrdq.engine.worker import Job
from asrdq.errors import UsageError

if TYPE_CHECKING:
    from asrdq.settings import RaySettings


def run_tasks(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int,
    initializer: Callable[..., None] | None = None,
    initargs: tuple[Any, ...] = (),
    timeout_s: float | None = None,
    cluster: RaySettings | None = None,
) -> Iterator[Outcome[T, R]]:
    """Call `function` on every item in worker processes that may crash.

    Items are drawn lazily, a few ahead of the answers, so an endless iterable is fine. A worker
    that dies costs the item it was working on, which is tried once more alone in another worker
    and then reported as crashed; every other item is answered exactly once. Closing the
    iterator, Ctrl-C or the death of this process stops the workers. What workers print goes
    nowhere, except that its end stands in the detail of a crash on this machine.

    Args:
        function: An importable function of one item; item and value must pickle. Keep items
            small (a path, not samples).
        items: What to work on.
        workers: Number of processes; 0 is one for each core, or as many as the cluster has
            room for.
        initializer: Called once in each worker before its first item, to load a model.
        initargs: Arguments of the initializer.
        timeout_s: Seconds an item may take; its worker is then killed. No limit by default.
        cluster: Run on Ray, where items that a lost node had are done again; None: here.

    Returns:
        An iterator of one outcome an item, in the order in which they are done. It raises
        ToolError where a worker cannot start: its initializer raises, or it dies there.

    Raises:
        UsageError: A negative number of workers.
    """
    if workers < 0:
        raise UsageError(
            f"{workers} workers", hint="give a number of processes, or 0 for all cores"
        )
    job = Job(function, initializer, initargs)
    if cluster is None:
        return run_here(job, items, workers, timeout_s)
    from asrdq.engine.distributed import run_there

    return run_there(job, items, workers, timeout_s, cluster)
