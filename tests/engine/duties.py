"""What workers do in the tests; in a module of its own because workers import it by name."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from pathlib import Path

LONGEST_S = 60.0

_loaded: list[str] = []


def square(number: int) -> int:
    return number * number


def process_id(_: int) -> int:
    return os.getpid()


def segfault_in_c(number: int) -> int:
    if number == 1:
        print("reading address 0", flush=True)
        ctypes.string_at(0)
    return number


def crash_some(task: tuple[int, str]) -> int:
    """Crash always for items 3, 13 … 43, only the first time for 7, 17 and 27."""
    number, folder = task
    if number % 10 == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number in (7, 17, 27):
        seen = Path(folder) / str(number)
        if not seen.exists():
            seen.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_of_signal(number: int) -> None:
    os.kill(os.getpid(), number)


def exit_quietly(number: int) -> int:
    os._exit(number)


def crash_beside(task: tuple[int, str]) -> list[str]:
    """Note which process saw which item; crash at item 0."""
    number, folder = task
    with (Path(folder) / str(os.getpid())).open("a") as log:
        log.write(f"{number}\n")
    if number == 0:
        os.kill(os.getpid(), signal.SIGSEGV)
    return []


def raise_some(number: int) -> int:
    if number == 1:
        raise ValueError("one is not wanted")
    if number == 2:
        sys.exit("leaving")
    return number


def unpicklable(_: int) -> object:
    return lambda: None


class Unreadable:
    """Pickles, and cannot be read back."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return int, ("not a number",)


def unreadable(_: int) -> object:
    return Unreadable()


def sleep_if_odd(number: int) -> int:
    if number % 2:
        signal.pause()
    return number


def large(size: int) -> bytes:
    return bytes(size)


def length(data: bytes) -> bytes:
    return data


def chatter(number: int) -> int:
    print("to stdout", number)
    os.write(2, b"to stderr\n")
    return number


def environment(name: str) -> str | None:
    return os.environ.get(name)


def load(name: str) -> None:
    _loaded.append(name)


def loaded(_: int) -> list[str]:
    return list(_loaded)


def fail_to_load() -> None:
    raise RuntimeError("the model file is missing")


def die_while_loading() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def load_in_one_worker(folder: str) -> None:
    """Load in the first worker; the other announces itself, waits for a word and fails."""
    try:
        (Path(folder) / "loaded").touch(exist_ok=False)
    except FileExistsError:
        wait_for(Path(folder) / "go")
        note = Path(folder) / "note"
        note.write_text(str(os.getpid()))
        note.rename(Path(folder) / "failing")
        raise RuntimeError("no memory is left") from None


def answer_two(folder: str) -> int:
    """Return 1, and 2 when it is said; announce the third item and wait."""
    _loaded.append(folder)
    if len(_loaded) == 2:
        wait_for(Path(folder) / "go")
    if len(_loaded) == 3:
        (Path(folder) / "two answered").touch()
        signal.pause()
    return len(_loaded)


def wait_for(file: Path) -> None:
    while not file.exists():
        os.sched_yield()


def wait_for_end(process_id: int) -> bool:
    """Return whether a process ended within a minute."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], LONGEST_S)[0])
    finally:
        os.close(descriptor)


def announce_and_wait(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    signal.pause()


def wait_to_be_killed_once(task: tuple[int, str]) -> int:
    """Announce the process at item 0 and wait, the first time; return the process."""
    number, folder = task
    if number == 0 and not any(Path(folder).iterdir()):
        announce_and_wait(folder)
    return os.getpid()


def wait_once_on_node(task: tuple[int, str, str]) -> int:
    """Announce the first item that this node gets and wait; elsewhere wait for that."""
    import ray

    number, folder, node_id = task
    here = ray.get_runtime_context().get_node_id() == node_id
    if here and not any(Path(folder).iterdir()):
        (Path(folder) / str(number)).touch()
        signal.pause()
    while not any(Path(folder).iterdir()):
        os.sched_yield()
    return number


class UnreadableItem:
    """Pickles; every process but the one that made it fails to read it."""

    def __init__(self) -> None:
        self.maker = os.getpid()

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return _only_in, (self.maker,)


def _only_in(maker: int) -> UnreadableItem:
    if os.getpid() != maker:
        raise ValueError("cannot be read here")
    return UnreadableItem()


def name_of_type(item: object) -> str:
    return type(item).__name__
