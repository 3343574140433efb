"""Where an export goes: a file, a stream or a folder that appears whole or not at all."""

from __future__ import annotations

import gzip
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from asrdq.errors import ToolError, UsageError
from asrdq.places import Place, S3Path
from asrdq.workspace.files import whole_file


class Destination:
    """The path or stream that a user wants the manifest in.

    Args:
        out: The path or the stream.
        replaces: Whether a folder that is there already gives way to the new one.

    Attributes:
        notes: What a person should know about what was written.
    """

    def __init__(self, out: Place | BinaryIO, *, replaces: bool = False) -> None:
        self._out, self._replaces = out, replaces
        self.notes: list[str] = []

    def __str__(self) -> str:
        return str(self._out) if isinstance(self._out, (Path, S3Path)) else "-"

    @property
    def path(self) -> Path | None:
        """The path, None for a stream."""
        return self._out if isinstance(self._out, Path) else None

    def note(self, text: str) -> None:
        """Add to what a person should know; the same is said once."""
        if text not in self.notes:
            self.notes.append(text)

    @contextmanager
    def file(self) -> Iterator[BinaryIO]:
        """Give the one file to write; a name that ends in `.gz` is compressed.

        Raises:
            ToolError: It cannot be written.
        """
        if not isinstance(self._out, (Path, S3Path)):
            yield self._out
            return
        with whole_file(self._out) as plain:
            if self._out.suffix != ".gz":
                yield plain
                return
            with gzip.GzipFile("", "wb", 6, plain, mtime=0) as packed:
                yield cast(BinaryIO, packed)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a draft folder to fill; it takes its place when the block ends without an error.

        Raises:
            UsageError: The place is a stream, or is taken already.
            ToolError: It cannot be written.
        """
        if not isinstance(self._out, (Path, S3Path)):
            raise UsageError("this format is a folder of files", hint="name a folder with --out")
        taken = self._out.exists() and not (self._out.is_dir() and not any(self._out.iterdir()))
        if taken and not self._replaces:
            raise UsageError(
                "is there already", where=str(self._out), hint="name a folder that is new or empty"
            )
        if isinstance(self._out, S3Path):
            raise UsageError(
                "this format is a folder of files, which S3 cannot take as a whole",
                where=str(self._out),
                hint="write it to a disk and copy it, or choose a format of one file: nemo, csv …",
            )
        draft, former = (self._out.parent / f".{secrets.token_hex(8)}.part" for _ in range(2))
        try:
            draft.mkdir(parents=True)
            yield draft
            if taken:
                self._out.replace(former)
            draft.replace(self._out)
        except OSError as error:
            reason = f"cannot be written: {error.strerror or error}"
            raise ToolError(reason, where=str(self._out)) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(former, ignore_errors=True)
