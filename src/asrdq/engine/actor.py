"""A worker on Ray: an actor that prepares itself once and answers items in their order."""

from __future__ import annotations

import os
import pickle
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from asrdq.engine.outcome import T
from asrdq.engine.process import ONE_THREAD, Task
from asrdq.engine.worker import NotReady, answer, describe
from asrdq.version import __version__


@dataclass(slots=True)
class Parcel(Task[T]):
    """An item as bytes, and how often the node went that worked on it."""

    packed: bytes = b""
    losses: int = 0


@dataclass(slots=True, eq=False)
class Actor(Generic[T]):
    """The parent's hold on a worker: parcels given and not answered, oldest first, by reference.

    `node_id` is None until the worker has started.
    """

    handle: Any
    starting: Any
    node_id: str | None = None
    held: deque[tuple[Parcel[T], Any]] = field(default_factory=deque)
    begun: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether an answer is to come: it starts, or holds parcels."""
        return self.node_id is None or bool(self.held)

    @property
    def next_answer(self) -> Any:
        """The reference that is settled next: its start, or its oldest parcel."""
        return self.held[0][1] if self.node_id else self.starting


class Worker:
    """What Ray runs; its methods are called one after the other."""

    def start(
        self, job: bytes, version: str, cpus: float, gpus: float, paths: Sequence[str]
    ) -> str | NotReady:
        """Prepare for a pickled `Job`; return the id of the node.

        Args:
            job: The job.
            version: The version of asrdq that the command has.
            cpus: As many threads as it has CPUs.
            gpus: With 0 it sees no GPU; otherwise Ray says which it sees.
            paths: Where the command imports from.
        """
        if version != __version__:
            return NotReady(f"the node has asrdq {__version__}, the command {version}")
        for name in ONE_THREAD:
            os.environ.setdefault(name, str(max(1, int(cpus))))
        if not gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        sys.path.extend(path for path in paths if path not in sys.path)
        try:
            self._job = pickle.loads(job)
            if self._job.initializer is not None:
                self._job.initializer(*self._job.initargs)
        except BaseException as error:
            return NotReady(describe(error))
        import ray

        return str(ray.get_runtime_context().get_node_id())

    def work(self, packed: bytes) -> bytes:
        """Answer a pickled item with a pickled `Returned` or `Raised`."""
        return bytes(answer(self._job.function, packed))
