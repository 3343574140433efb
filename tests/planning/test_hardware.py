"""Settings of hardware and prices: read strictly, laid over by those of a workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asrdq.errors import UsageError
from asrdq.planning.hardware import Hardware, parse_gpus, read_hardware, read_prices

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

Lay = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2xA100-40", (2, "a100-40", 40)),
        ("8×H100", (8, "h100", 80)),
        ("l40s", (1, "l40s", 48)),
        (" 4 x b200 ", (4, "b200", 192)),
    ],
)
def test_gpus_as_people_write_them(
    hardware: Hardware, text: str, expected: tuple[int, str, float]
) -> None:
    found = parse_gpus(text, hardware)
    assert (found.count, found.name, found.memory_gb) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0xh100", "no number of GPUs"),
        ("two h100", "no number of GPUs"),
        ("2xA100", "there is a100-40 and a100-80"),
        ("h10", "did you mean 'h100'"),
    ],
)
def test_gpus_that_are_not_there(hardware: Hardware, text: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_gpus(text, hardware)
    assert told in str(raised.value)


def test_a_team_adds_changes_and_takes_away(workspace: Workspace, lay: Lay) -> None:
    lay(
        "hardware.yaml",
        "entered: 2027-01-01\ngpus:\n  mi300x: {memory_gb: 192, bf16_tflops: 1307}\n",
    )
    lay(
        "prices.yaml",
        "machines:\n"
        "  ours: {gpu: mi300x, gpus: 8, usd_per_hour: 20, entered: 2027-01-01}\n"
        "  brev-l40s: {usd_per_hour: 1.75, entered: 2027-01-01}\n"
        "  lambda-2xa100-40: null\n",
    )
    hardware, prices = read_hardware(workspace), read_prices(workspace)
    assert hardware.gpu("mi300x").memory_gb == 192
    assert hardware.gpu("h100").memory_gb == 80
    assert prices.machines["lambda-2xa100-40"] is None
    changed = prices.machines["brev-l40s"]
    assert changed and (changed.gpu, changed.usd_per_hour) == ("l40s", 1.75)


def test_a_gpu_that_a_team_took_away_is_unknown(workspace: Workspace, lay: Lay) -> None:
    lay("hardware.yaml", "gpus: {h200: null}\n")
    with pytest.raises(UsageError, match="unknown GPU 'h200'"):
        parse_gpus("h200", read_hardware(workspace))


def test_mistakes_are_told_with_their_line(workspace: Workspace, lay: Lay) -> None:
    lay(
        "prices.yaml",
        "idle_hors: 12\n"
        "machines:\n"
        "  ours: {gpu: h100, gpus: 0, usd_per_hour: 20, entered: yesterday}\n",
    )
    with pytest.raises(UsageError) as raised:
        read_prices(workspace)
    told = [(item.file, item.line, item.message) for item in raised.value.problems]
    assert {(file, line) for file, line, _ in told} == {("prices.yaml", 1), ("prices.yaml", 3)}
    assert any("did you mean 'idle_hours'" in message for *_, message in told)
    assert len(told) == 3


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            618_000_000,
            {
                "l40s": "recommended",
                "a10g": "a smoke run",
                "2xa100-40": "DDP",
                "h100": "in place of DDP",
            },
        ),
        (
            1_100_000_000,
            {"a100-40": "recommended", "2xa100-40": "DDP", "h100": "in place of DDP"},
        ),
        (3_000_000_000, {}),
    ],
)
def test_what_people_take(hardware: Hardware, parameters: int, expected: dict[str, str]) -> None:
    found = hardware.usual("tdt", parameters)
    assert {choice.gpus: choice.use for choice in found} == expected
    assert all(parse_gpus(choice.gpus, hardware) for choice in found)


def test_a_speed_has_one_unit(workspace: Workspace, lay: Lay) -> None:
    lay("hardware.yaml", "speeds: {ours: {family: ctc, gpu: h100, parameters: 1}}\n")
    with pytest.raises(UsageError, match="either clips_per_second or audio_s_per_second"):
        read_hardware(workspace)
