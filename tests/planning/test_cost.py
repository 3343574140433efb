"""Wall time, cost, idle hours and disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from asrdq.planning.cost import Stored, WallTime, cost_findings, cost_of, disk_of, wall_time
from asrdq.planning.hardware import Gpus, Hardware, Prices, parse_gpus
from asrdq.planning.kept import Kept
from asrdq.planning.steps import count_steps
from asrdq.recipes.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
MakeKept = Callable[..., Kept]

TODAY = dt.date(2026, 2, 20)


def timed(recipe: Recipe, gpus: Gpus, hardware: Hardware, kept: Kept) -> WallTime:
    return wall_time(recipe, gpus, hardware, kept, count_steps(recipe, gpus.count, kept))


def test_the_gradual_run_takes_12_hours_and_costs_48_usd(
    recipe: MakeRecipe, kept: MakeKept, hardware: Hardware, prices: Prices
) -> None:
    gpus = parse_gpus("2xA100-40", hardware)
    time = timed(recipe("qwen3-asr-gradual"), gpus, hardware, kept(73_579, 143.0))
    assert time.training_hours == pytest.approx(12.0, abs=0.01)
    assert time.hours == pytest.approx(15.0, abs=0.01)
    cost = cost_of(gpus, prices, time, ())
    assert cost.usd_per_hour == 3.20
    assert cost.usd == pytest.approx(48.00, abs=0.03)
    others = {offer.machine: offer.usd for offer in cost.offers}
    assert others["runpod-2xa100-40"] == pytest.approx(51.00, abs=0.03)
    assert others["huggingface-2xa100-40"] == pytest.approx(45.00, abs=0.03)


def test_an4_takes_12_minutes_on_an_h100(
    recipe: MakeRecipe, kept: MakeKept, hardware: Hardware
) -> None:
    gpus = parse_gpus("h100", hardware)
    time = timed(recipe("parakeet-an4"), gpus, hardware, kept(948, 0.71, longest_s=6.0))
    assert time.training_hours == pytest.approx(0.2, abs=0.005)


def test_longer_clips_take_longer(recipe: MakeRecipe, kept: MakeKept, hardware: Hardware) -> None:
    gpus, made = parse_gpus("h100", hardware), recipe("parakeet-an4")
    short = timed(made, gpus, hardware, kept(948, 0.711))
    long = timed(made, gpus, hardware, kept(948, 7.11))
    assert short.training_hours and long.training_hours
    assert long.training_hours == pytest.approx(10 * short.training_hours, rel=0.01)


def test_speed_is_scaled_by_arithmetic_parameters_and_gpus(
    recipe: MakeRecipe, kept: MakeKept, hardware: Hardware
) -> None:
    rows = kept(500_000, 2000)
    made = recipe("canary-finetune", model={"parameters": 500_000_000})
    base = timed(recipe("canary-finetune"), parse_gpus("4xb200", hardware), hardware, rows)
    other = timed(made, parse_gpus("8xh100", hardware), hardware, rows)
    # Half the parameters; 989 ÷ 2250 of the arithmetic. Twice the GPUs take half the time for an
    # epoch, and the 50,000 steps are twice as many epochs.
    assert base.training_hours and other.training_hours
    assert other.training_hours / base.training_hours == pytest.approx(0.5 * 2250 / 989, rel=0.01)
    assert "scaled from b200 by its arithmetic, scaled by the parameters" in other.why


def test_fp32_takes_twice_as_long(recipe: MakeRecipe, kept: MakeKept, hardware: Hardware) -> None:
    gpus, rows = parse_gpus("h100", hardware), kept(948, 0.71)
    half = timed(recipe("parakeet-an4"), gpus, hardware, rows)
    full = timed(recipe("parakeet-an4", trainer={"precision": "fp32"}), gpus, hardware, rows)
    assert half.training_hours and full.training_hours
    assert full.training_hours == pytest.approx(2 * half.training_hours)


def test_a_measured_speed_is_taken_as_it_is(
    recipe: MakeRecipe, kept: MakeKept, hardware: Hardware
) -> None:
    made, rows = recipe("qwen3-asr-gradual"), kept(72_000, 143.0)
    steps = count_steps(made, 2, rows)
    gpus = parse_gpus("2xt4", hardware)
    time = wall_time(made, gpus, hardware, rows, steps, clips_per_second=10)
    assert time.training_hours == pytest.approx(10.0)  # 72,000 × 5 ÷ 10 s


def test_without_a_speed_time_and_cost_are_not_known(
    recipe: MakeRecipe, kept: MakeKept, hardware: Hardware, prices: Prices
) -> None:
    gpus = parse_gpus("l40s", hardware)
    time = timed(recipe("smoke", model={"family": "ctc"}), gpus, hardware, kept(100, 0.2))
    cost = cost_of(gpus, prices, time, ())
    assert (time.hours, cost.usd) == (None, None)
    found = [str(each) for each in cost_findings(gpus, prices, cost, time, TODAY)]
    assert "time: no speed of a ctc model is known: --clips-per-second" in found


@pytest.mark.parametrize(("gpus", "usd"), [("l40s", 36.00), ("2xA100-40", 76.80)])
def test_a_forgotten_machine(hardware: Hardware, prices: Prices, gpus: str, usd: float) -> None:
    chosen = parse_gpus(gpus, hardware)
    time = WallTime(1.0, 0.0, 0.0, 1.0, "")
    cost = cost_of(chosen, prices, time, ())
    assert cost.idle_usd == usd
    found = [str(each) for each in cost_findings(chosen, prices, cost, time, TODAY)]
    assert any(f"24 h idle cost {usd:.2f} USD" in each for each in found)


def test_an_old_price_and_a_missing_one(hardware: Hardware, prices: Prices) -> None:
    gpus, time = parse_gpus("2xA100-40", hardware), WallTime(1.0, 0.0, 0.0, 1.0, "")
    cost = cost_of(gpus, prices, time, ())
    day = dt.date(2026, 8, 10)  # 181 days after the tenth of February
    old = [str(each) for each in cost_findings(gpus, prices, cost, time, day)]
    assert old[0] == "cost: the price of lambda-2xa100-40 is 181 days old (2026-02-10): look it up"
    young = [
        str(each) for each in cost_findings(gpus, prices, cost, time, day - dt.timedelta(days=1))
    ]
    assert not any("days old" in each for each in young)
    three = parse_gpus("3xA100-40", hardware)
    cost = cost_of(three, prices, time, ())
    (missing,) = cost_findings(three, prices, cost, time, day)
    assert (cost.usd, cost.idle_usd) == (None, None)
    assert "no price of 3xa100-40 is known" in missing.text


def test_disk_of_the_gradual_recipe(recipe: MakeRecipe, kept: MakeKept, hardware: Hardware) -> None:
    found = {
        part.name: part.gb
        for part in disk_of(recipe("qwen3-asr-gradual"), hardware, kept(73_579, 143.0))
    }
    # 4 bytes × 1.7154 B weights and 8 bytes × 0.9369 B moments; the best three and the last.
    assert found["checkpoints"] == pytest.approx(4 * (6.862 + 7.495), abs=0.01)
    assert found["model"] == pytest.approx(2 * 6.862, abs=0.01)
    assert found["audio"] == pytest.approx(143 * 3600 * 32_000 / 1e9)


def test_a_disk_that_a_stopped_machine_keeps(hardware: Hardware, prices: Prices) -> None:
    time = WallTime(1.0, 0.0, 0.0, 1.0, "")
    disk = (Stored("checkpoints", 57.4, ""), Stored("model", 13.7, ""))
    cost = cost_of(parse_gpus("l40s", hardware), prices, time, disk)
    assert cost.disk_usd_per_month == 7.11  # 71.1 GB at 0.10
    free = prices.model_copy(update={"disk_usd_per_gb_month": 0.0})
    assert cost_of(parse_gpus("l40s", hardware), free, time, disk).disk_usd_per_month == 0.0
