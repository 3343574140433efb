"""Provenance: who ran which command on which content, and how it ended."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import platform
import secrets
import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError
from asrdq.places import S3Path
from asrdq.results import plain
from asrdq.version import __version__
from asrdq.workspace.locks import LifeSign, is_alive

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa

    from asrdq.workspace.store import TableStore
    from asrdq.workspace.versions import ManifestVersion

RUNS = "runs"

RUNNING, DONE, FAILED, INTERRUPTED = "running", "done", "failed", "interrupted"

LATEST_STATE = """
    SELECT * REPLACE (
        CASE WHEN state = 'running' AND run_id IN ({dead}) THEN 'interrupted' ELSE state END
        AS state)
    FROM ({rows})
    QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY state = 'running') = 1
"""
"""The table `runs` has a row when a run starts and one when it ends; people see the last."""


def runs_schema() -> pa.Schema:
    """Return the columns of the table `runs`; times are UTC."""
    import pyarrow as pa

    moment, text = pa.timestamp("us", "UTC"), pa.string()
    names = ("run_id", "command", "argv", "parameters", "manifest")
    after = ("fingerprint", "asrdq_version", "python", "platform", "user", "host")
    return pa.schema(
        [
            *((name, text) for name in names),
            ("manifest_version", pa.int64()),
            *((name, text) for name in after),
            ("pid", pa.int64()),
            ("started", moment),
            ("ended", moment),
            ("state", text),
            ("detail", text),
        ]
    )


class Run:
    """A run in progress; leaving its block writes how it ended.

    An exception makes it `failed`, Ctrl-C `interrupted`. A process that dies without a word
    leaves it `running`; since nobody holds its life sign then, readers see `interrupted`.
    """

    def __init__(
        self,
        store: TableStore,
        command: str,
        manifest: ManifestVersion | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        now = dt.datetime.now(dt.UTC)
        self.run_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self._store = store
        self._row = _started(self.run_id, command, manifest, parameters or {}, now)
        self._finished = False

    def __enter__(self) -> Run:
        try:
            self._sign = LifeSign(life_sign(self._store, self.run_id))
        except OSError as error:
            raise ToolError(
                f"the workspace cannot be written: {error.strerror}", where=str(error.filename)
            ) from error
        self._write()
        return self

    def finish(self, state: str = DONE, detail: str | None = None) -> None:
        """Write how the run ended; the first call counts."""
        if self._finished:
            return
        self._finished = True
        self._row |= {"ended": dt.datetime.now(dt.UTC), "state": state, "detail": detail}
        self._write()

    def answers_for(self, manifest: ManifestVersion) -> None:
        """Note the manifest version of a run that only makes it or finds it on the way."""
        self._row |= _content(manifest)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.finish()
            elif issubclass(kind, (KeyboardInterrupt, GeneratorExit, SystemExit)):
                self.finish(INTERRUPTED, kind.__name__)
            else:
                self.finish(FAILED, f"{kind.__name__}: {error}"[:2000])
        except BaseException:
            self._sign.fall_silent()
            raise
        self._sign.end()

    def _write(self) -> None:
        import pyarrow as pa

        self._store.append(RUNS, pa.Table.from_pylist([self._row], schema=runs_schema()))


def _started(
    run_id: str,
    command: str,
    manifest: ManifestVersion | None,
    parameters: Mapping[str, Any],
    now: dt.datetime,
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "command": command,
        "argv": json.dumps(sys.argv, ensure_ascii=True),
        "parameters": json.dumps(plain(parameters), ensure_ascii=True, sort_keys=True),
        **(_content(manifest) if manifest else {}),
        "asrdq_version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "user": user_name(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": now,
        "state": RUNNING,
    }


def _content(manifest: ManifestVersion) -> dict[str, Any]:
    return {
        "manifest": manifest.name,
        "manifest_version": manifest.version,
        "fingerprint": manifest.fingerprint,
    }


def user_name() -> str:
    """Return who runs this process, as a number where there is no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def life_sign(store: TableStore, run_id: str) -> Path:
    """Return the file whose lock a run holds while it lives."""
    return store.layout.lock(f"run-{run_id}")


def dead_runs(store: TableStore, running: list[tuple[str, str]]) -> list[str]:
    """Return those of (run_id, host) that ran on this machine and are no longer alive.

    Where the tables are on S3, others may share the name of this machine and not its files: a run
    is dead then only if the sign that it left is here.
    """
    here, shared = socket.gethostname(), isinstance(store.layout.root, S3Path)
    signs = {run_id: life_sign(store, run_id) for run_id, host in running if host == here}
    return [
        run_id
        for run_id, sign in signs.items()
        if not is_alive(sign) and (sign.exists() or not shared)
    ]
