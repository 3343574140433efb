"""Providers of machines: the commands that rent, use and end one, as settings, and none run."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from asrdq.errors import UsageError
from asrdq.recipes.layers import read_layer, read_layers
from asrdq.shipped import shipped_file
from asrdq.strict import Strict

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

FOLDER, FILE = "hardware", "providers.yaml"
STEPS = ("create", "copy", "copy_audio", "run", "fetch", "stop", "delete")

Commands = tuple[Annotated[str, Field(min_length=1)], ...]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class Provider(Strict):
    """A provider of machines.

    Attributes:
        title: What people call it.
        documentation: Where its commands are documented.
        command: The program that has to be there.
        stop_keeps_disk: Whether a machine can be stopped without losing its disk.
        gpus: Names of GPUs in `hardware.yaml` to those of the provider.
        create: Commands that rent a machine.
        copy: Commands that copy the bundle to it.
        copy_audio: Commands that copy a folder of audio to where the run looks for it.
        run: Commands that train on it.
        fetch: Commands that copy the outcome back.
        stop: Commands that stop it.
        delete: Commands that end it, with its disk.
        stop_from_inside: What a launch script runs on the machine when all is done; null: nothing.
    """

    title: str
    documentation: str
    command: str
    stop_keeps_disk: bool
    gpus: Mapping[str, str]
    create: Commands
    copy_: Annotated[Commands, Field(alias="copy")]
    copy_audio: Commands
    run: Commands
    fetch: Commands
    stop: Commands = ()
    delete: Commands
    stop_from_inside: str | None = None

    @model_validator(mode="after")
    def _keeps_what_was_trained(self) -> Provider:
        if self.stop_from_inside is not None and not self.stop_keeps_disk:
            raise ValueError("stop_from_inside would delete the model: the disk is not kept")
        return self

    def commands(self, step: str) -> Commands:
        """Return the commands of one of `STEPS`."""
        found: Commands = getattr(self, "copy_" if step == "copy" else step)
        return found


class Providers(Strict):
    """Everything `providers.yaml` may say."""

    checked: dt.date
    providers: Mapping[Name, Provider | None]

    @model_validator(mode="after")
    def _commands_can_be_filled_in(self) -> Providers:
        for name, provider in self.known().items():
            for step in STEPS:
                for command in provider.commands(step):
                    try:
                        fill_in(command, dict.fromkeys(_words(step), "x"))
                    except (KeyError, ValueError, IndexError) as error:
                        raise ValueError(f"{name}.{step}: {{{error}}} is not filled in") from error
        return self

    def known(self) -> dict[str, Provider]:
        """Return the providers that were not taken away, by name."""
        return {name: found for name, found in self.providers.items() if found is not None}


_WORDS = ("bundle", "machine", "gpus", "gpu", "vram_gb", "disk_gb", "script", "image")
_OF_AUDIO = ("here", "there")


def _words(step: str) -> tuple[str, ...]:
    """Return the words that the commands of a step may have."""
    return (*_WORDS, *_OF_AUDIO) if step == "copy_audio" else _WORDS


def read_providers(workspace: Workspace | None = None) -> Providers:
    """Read the shipped settings, with those of the workspace laid over them.

    Raises:
        UsageError: Keys or values are wrong; all problems are listed with file and line.
    """
    layers = [read_layer(shipped_file(FOLDER, FILE))]
    if workspace is not None and (workspace.root / FILE).is_file():
        layers.append(read_layer(workspace.root / FILE))
    return read_layers(layers, Providers)


def fill_in(command: str, words: Mapping[str, str]) -> str:
    """Return a command with its words in the place of braces, each quoted for the shell.

    >>> fill_in("ssh {machine} ls {bundle}", {"machine": "m1", "bundle": "/a b"})
    "ssh m1 ls '/a b'"
    """
    return command.format_map({name: shlex.quote(word) for name, word in words.items()})


@dataclass(frozen=True)
class Machine:
    """The machine that a hand-off is planned for.

    Attributes:
        gpu: Its GPU as `hardware.yaml` calls it; None where none was named.
        gpus: How many.
        vram_gb: Memory of all of them together.
        nodes: Machines of that kind.
        disk_gb: Disk for container, audio, checkpoints and models.
        hours: How long it is needed; None where nobody could say.
        mounts: Folders with audio, as they are here and where the run is.
        prices: Provider to USD an hour of one machine, with the day it was seen.
    """

    gpu: str | None
    gpus: int
    vram_gb: int
    nodes: int
    disk_gb: int
    hours: float | None
    mounts: Sequence[tuple[str, str]]
    prices: Mapping[str, tuple[float, dt.date]]


def provisioning_text(
    providers: Providers, machine: Machine, bundle_name: str, image: str, script: str
) -> str:
    """Return the page of commands for each provider, each step with what it costs."""
    words = {
        "bundle": f"./{bundle_name}",
        "machine": machine_name(bundle_name),
        "gpus": str(machine.gpus),
        "vram_gb": str(machine.vram_gb),
        "disk_gb": str(machine.disk_gb),
        "script": script,
        "image": image,
    }
    known = providers.known()
    parts = [_head(providers, machine)]
    for name, provider in sorted(known.items()):
        parts += _section(name, provider, machine, words)
    return "\n".join(parts)


def machine_name(bundle_name: str) -> str:
    """Return a name for a machine that every provider takes.

    >>> machine_name("Round 2: $(reboot)")
    'asrdq-round-2-reboot'
    """
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in bundle_name)
    words = [word for word in kept.lower().split("-") if word]
    return "-".join(["asrdq", *words])[:40].rstrip("-")


def _head(providers: Providers, machine: Machine) -> str:
    hours = "not estimated" if machine.hours is None else f"{machine.hours:.1f} h"
    gpu = f"{machine.nodes} × {machine.gpus} {machine.gpu or 'GPU'}"
    return _HEAD.format(checked=providers.checked, gpu=gpu, disk=machine.disk_gb, hours=hours)


_HEAD = """\
# Machines for this run

Nothing here was run. The commands were compared with what the providers document on {checked};
words in `<angles>` are yours to fill in: the address of the machine, and the id that the hand-off
has shown for this bundle. They are given in the folder that the bundle lies in.

Asked for: {gpu}, {disk} GB of disk, {hours}.
"""


def _section(
    name: str, provider: Provider, machine: Machine, words: Mapping[str, str]
) -> Iterator[str]:
    yield f"## {provider.title}\n\n{provider.documentation}\n"
    if machine.gpu is None:
        yield "Which GPU was not said: hand off with `--gpus 2xa100-40`, and commands stand here.\n"
        return
    gpu = provider.gpus.get(machine.gpu)
    if gpu is None:
        yield f"No GPU here is known as {machine.gpu}: name one under `gpus` in providers.yaml.\n"
        return
    for step in STEPS:
        folders = machine.mounts if step == "copy_audio" else [("", "")]
        commands = [
            fill_in(text, {**words, "gpu": gpu, "here": here, "there": there})
            for here, there in folders
            for text in provider.commands(step)
        ]
        yield f"### {step.replace('_', ' ')}: {_cost(name, provider, machine, step)}\n"
        if commands:
            yield "\n".join(["```sh", *commands, "```", ""])
        else:
            yield "There is no command for it.\n"


def _cost(name: str, provider: Provider, machine: Machine, step: str) -> str:
    """Return what a step costs, in words."""
    price = machine.prices.get(name)
    if step == "delete":
        return "costs end, and the disk is gone: fetch first"
    if step == "stop":
        return "only the disk is paid for" if provider.stop_keeps_disk else "not possible here"
    if price is None:
        return "price not known, see prices.yaml"
    rate = price[0] * machine.nodes
    if step == "create":
        return f"{rate:.2f} USD an hour from here on, until it is stopped (seen {price[1]})"
    if step == "run" and machine.hours is not None:
        return f"about {rate * machine.hours:.2f} USD for {machine.hours:.1f} h"
    return f"{rate:.2f} USD an hour while it lasts"


def stop_script(providers: Providers) -> str:
    """Return the script that stops the machine it runs on, where it can be stopped.

    Raises:
        UsageError: A command is no single line.
    """
    cases = []
    for name, provider in sorted(providers.known().items()):
        if provider.stop_from_inside is None:
            told = (
                f"{provider.title} cannot stop a machine and keep its disk: fetch, then delete it"
            )
            cases.append(f"  {name}) told {shlex.quote(told)} ;;")
            continue
        if "\n" in provider.stop_from_inside:
            raise UsageError(f"{name}.stop_from_inside is more than one line", where=FILE)
        program = shlex.quote(provider.command)
        cases.append(f"  {name})\n    need {program}\n    {provider.stop_from_inside}\n    ;;")
    return _STOP.replace("@CASES@", "\n".join(cases))


_STOP = """\
#!/usr/bin/env bash
# Stops the machine that this runs on, once all is done: it is paid for as long as it runs.
#   ASRDQ_PROVIDER   who rents it out
#   ASRDQ_MACHINE    its name or id there
#   ASRDQ_STOP=no    leaves it running
set -euo pipefail

told() { printf '! the machine keeps running, and is paid for: %s\\n' "$*" >&2; }
need() {
  if ! command -v "$1" >/dev/null 2>&1; then
    told "the program '$1' is not here"
    exit 0
  fi
}

if [ "${ASRDQ_STOP:-}" = no ]; then exit 0; fi
if [ -z "${ASRDQ_PROVIDER:-}" ] && [ -n "${RUNPOD_POD_ID:-}" ]; then
  ASRDQ_PROVIDER=runpod
  ASRDQ_MACHINE=$RUNPOD_POD_ID
fi
if [ -z "${ASRDQ_PROVIDER:-}" ] || [ -z "${ASRDQ_MACHINE:-}" ]; then exit 0; fi
case $ASRDQ_PROVIDER in
@CASES@
  *) told "no provider is known as '$ASRDQ_PROVIDER'" ;;
esac
"""
