"""The folder that an export with audio fills: what may be one, and where things lie in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from asrdq.errors import ToolError, UsageError
from asrdq.workspace.locks import locked

MARK = ".asrdq-export"
"""Tells a folder that an export made; locked while one is writing."""

_LOCK_WAIT_S = 10.0
_UNFIT = re.compile(r"[\x00-\x1f\ud800-\udfff]")
_DRAFT = re.compile(r"\.[0-9a-f]{16}\.part")


class ExportFolder:
    """A folder of converted audio and the manifests that name it.

    Attributes:
        path: The folder, absolute.
        audio: Converted files, in 256 folders by the first two digits of their names.
        drafts: Files in the making; nothing in it counts.
    """

    def __init__(self, path: Path) -> None:
        if _UNFIT.search(str(path)):
            raise UsageError(
                f"the folder {str(path)!r} has characters that no path in a manifest may have",
                hint="name another folder with --out",
            )
        self.path = path.expanduser().resolve()
        self.audio = self.path / "audio"
        self.drafts = self.audio / ".drafts"

    def failures(self, name: str) -> Path:
        """Return the list of the clips of a manifest that could not be converted."""
        return self.path / f"{name}.failed.jsonl"

    @contextmanager
    def held(self, sources: Iterable[str]) -> Iterator[None]:
        """Hold the folder alone; what a killed export left half-written is cleared away.

        Args:
            sources: The audio files that are to be converted.

        Raises:
            UsageError: Something else is in the folder, or audio that is to be converted.
            ToolError: It cannot be written, or another export is writing in it.
        """
        try:
            self._refuse_taken()
            self._refuse_sources(sources)
            self.path.mkdir(parents=True, exist_ok=True)
            with locked(self.path / MARK, wait_s=_LOCK_WAIT_S, what="this folder"):
                self._clear()
                self.drafts.mkdir(parents=True)
                try:
                    yield
                finally:
                    self._clear()
        except OSError as error:
            raise ToolError(
                f"cannot be written: {error.strerror or error}",
                where=str(error.filename or self.path),
            ) from error

    def _refuse_taken(self) -> None:
        if not self.path.exists() or (self.path / MARK).is_file():
            return
        if not self.path.is_dir() or any(self.path.iterdir()):
            raise UsageError(
                "is there already, and no export with audio made it",
                where=str(self.path),
                hint="name a folder that is new or empty, or one of a former export with audio",
            )

    def _refuse_sources(self, sources: Iterable[str]) -> None:
        """Refuse to convert the converted files of this very folder."""
        for folder in {Path(source).parent for source in sources}:
            at = folder.resolve()
            if at.is_relative_to(self.path) or at.is_relative_to(self.audio.resolve()):
                raise UsageError(
                    f"audio that is to be converted lies in it: {folder}",
                    where=str(self.path),
                    hint="name another folder with --out; source audio is never written over",
                )

    def _clear(self) -> None:
        shutil.rmtree(self.drafts, ignore_errors=True)
        for left in self.path.iterdir():
            if _DRAFT.fullmatch(left.name):
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
