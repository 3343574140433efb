"""A stand-in for a builder of images: the steps of a Dockerfile, replayed in a folder."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

KNOWN = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}


@dataclass
class Image:
    """What a Dockerfile makes.

    Attributes:
        root: The folder that stands for `/`.
        base: The image that it begins with.
        workdir: The working folder, from the root.
        environment: What `ENV` and the builder set.
        user: What `USER` says.
        entrypoint: The command.
        arguments: Its arguments by default.
        users: The user of each `RUN`.
    """

    root: Path
    environment: dict[str, str]
    base: str = ""
    workdir: str = "/"
    user: str = ""
    entrypoint: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder that stands for the working folder."""
        return self.root / self.workdir.lstrip("/")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the image with arguments, as its user where this process may become another."""
        user, _, group = self.user.partition(":")
        become = {"user": int(user), "group": int(group)} if os.geteuid() == 0 else {}
        return subprocess.run(
            [*self.entrypoint, *(arguments or self.arguments)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **become,  # type: ignore[call-overload]
        )


def steps(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Give each instruction with what it says; one that is not known here is an error."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"), flags=re.M)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            assert name in KNOWN, f"the replay does not know {name}"
            yield name, rest.strip()


def build(source: Path, root: Path, environment: Mapping[str, str]) -> Image:
    """Replay the Dockerfile of a folder; a step that fails is an error with what it wrote.

    Args:
        source: The folder with `Dockerfile` and `.dockerignore`.
        root: Where the image is made.
        environment: What the base image has in its environment.
    """
    image = Image(root, dict(environment))
    for name, rest in steps(source / "Dockerfile"):
        if name == "FROM":
            image.base = rest
        elif name == "ENV":
            image.environment |= dict(pair.split("=", 1) for pair in rest.split())
        elif name == "WORKDIR":
            image.workdir = rest
            image.folder.mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            *wanted, target = rest.split()
            copy(source, wanted, image.folder / target)
        elif name == "RUN":
            image.users.append(image.user)
            done = subprocess.run(
                ["/bin/sh", "-c", rest],
                cwd=image.folder,
                env=image.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"RUN {rest}\n{done.stdout}\n{done.stderr}"
        elif name == "USER":
            image.user = rest
        elif name == "ENTRYPOINT":
            image.entrypoint = json.loads(rest)
        else:
            image.arguments = json.loads(rest)
    return image


def copy(source: Path, wanted: list[str], target: Path) -> None:
    """Copy files and the content of folders, without what `.dockerignore` leaves out."""
    patterns = (source / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in patterns if line and not line.startswith("#")]
    for name in wanted:
        path = source / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        taken = [file for file in files if file.is_file() and not ignored(file, source, patterns)]
        assert taken, f"COPY {name}: there is no such file in what the builder is sent"
        for file in taken:
            place = target / (file.relative_to(path) if path.is_dir() else file.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)


def ignored(file: Path, source: Path, patterns: list[str]) -> bool:
    """Return whether the last pattern that fits a file, or a folder above it, leaves it out."""
    path = PurePosixPath(file.relative_to(source))
    names = [str(path), *map(str, path.parents)]
    out = False
    for pattern in patterns:
        plain = pattern.removeprefix("!")
        anywhere = plain.removeprefix("**/")
        fits = any(
            fnmatch.fnmatchcase(name, plain) and name.count("/") == plain.count("/")
            for name in names
        ) or (anywhere != plain and any(PurePosixPath(name).match(anywhere) for name in names))
        if fits:
            out = not pattern.startswith("!")
    return out
