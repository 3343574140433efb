"""What feeds a run: batches in an order that depends on the seed alone and can be taken up again.

Importing this module imports torch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import Any

import torch
from torch.utils.data import DataLoader, DistributedSampler, Sampler

from asrdq.errors import DataError


class ClipPasses(Sampler):  # type: ignore[misc]
    """Batches of a fixed number of clips, epoch after epoch without an end.

    Args:
        sampler: Gives the clips of an epoch, shuffled by its seed and the number of the epoch.
        batch_size: Clips of a batch; the last one of an epoch may have fewer.
        skip: Batches that a run before had already trained on.
    """

    def __init__(self, sampler: DistributedSampler, batch_size: int, skip: int) -> None:
        self._sampler, self._batch_size, self._skip = sampler, batch_size, skip

    @property
    def per_epoch(self) -> int:
        """Batches of an epoch."""
        return -(-len(self._sampler) // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        first, skip = divmod(self._skip, self.per_epoch)
        for epoch in count(first):
            self._sampler.set_epoch(epoch)
            clips = list(self._sampler)
            for batch in range(skip if epoch == first else 0, self.per_epoch):
                yield clips[batch * self._batch_size : (batch + 1) * self._batch_size]


class CutPasses(Sampler):  # type: ignore[misc]
    """Batches of a sampler of Lhotse.

    Args:
        sampler: The sampler; over one manifest it ends after a pass, over mixed ones it does not.
        endless: Whether it is begun again, shuffled by the number of the epoch.
        skip: Batches that a run before had already trained on; they are drawn again, without
            their audio, and left out.

    Attributes:
        drawn: Cuts of each batch that was drawn and has not come out of the loader yet.
    """

    def __init__(self, sampler: Any, *, endless: bool, skip: int = 0) -> None:
        self._sampler, self._endless, self._skip = sampler, endless, skip
        self.drawn: deque[int] = deque()

    def __iter__(self) -> Iterator[Any]:
        self.drawn.clear()
        for index, cuts in enumerate(self._batches()):
            if index >= self._skip:
                self.drawn.append(len(cuts))
                yield cuts

    def _batches(self) -> Iterator[Any]:
        for epoch in count():
            self._sampler.set_epoch(epoch)
            yield from self._sampler
            if not self._endless:
                return


class Feed:
    """Batches for Lightning, with the time that they were waited for.

    Args:
        loader: Where they come from; its sampler is `CutPasses` where Lhotse makes them, which
            silently leaves out clips that it cannot decode: this does not.

    Attributes:
        waited_s: Seconds that were spent waiting for batches.
    """

    def __init__(self, loader: DataLoader) -> None:
        self.loader, self.waited_s = loader, 0.0

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.loader)
        while True:
            began = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            self.waited_s += time.perf_counter() - began
            self._check(batch)
            yield batch

    def _check(self, batch: Any) -> None:
        sampler = self.loader.sampler
        if not isinstance(sampler, CutPasses):
            return
        lost = sampler.drawn.popleft() - clips_of(batch)
        if lost:
            raise DataError(
                f"{lost} clips of a batch cannot be decoded, and Lhotse left them out",
                hint="asrdq probe finds them; leave them out of the manifest, and hand off again",
            )


class FiniteFeed(Feed):
    """A feed that ends after so many batches."""

    def __init__(self, loader: DataLoader, batches: int) -> None:
        super().__init__(loader)
        self._batches = batches

    def __len__(self) -> int:
        return self._batches


def clips_of(batch: Any) -> int:
    """Return the number of clips in a batch of NeMo."""
    return int((batch.audio if hasattr(batch, "audio") else batch[0]).shape[0])


def loader_of(
    dataset: Any,
    sampler: Sampler,
    *,
    collate: Any = None,
    workers: int,
    prefetch: int,
    seed: int,
    pin: bool,
) -> DataLoader:
    """Return a loader that leaves torch's own random numbers alone.

    Args:
        dataset: Of NeMo; it takes what the sampler gives.
        sampler: Gives whole batches.
        collate: Makes a batch of clips; None where the dataset gives whole batches.
        workers: Processes; 0 loads in this one.
        prefetch: Batches that each of them holds ready.
        seed: Of the random numbers in the processes.
        pin: Whether memory is pinned, for a GPU.
    """
    ways: dict[str, Any] = (
        {"sampler": sampler, "batch_size": None}
        if collate is None
        else {"batch_sampler": sampler, "collate_fn": collate}
    )
    return DataLoader(
        dataset,
        **ways,
        num_workers=workers,
        prefetch_factor=prefetch if workers else None,
        persistent_workers=workers > 0,
        pin_memory=pin,
        generator=torch.Generator().manual_seed(seed),
    )
