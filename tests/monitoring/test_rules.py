"""Each rule fires on a bad run made for it and is silent on its good twin."""

from __future__ import annotations

import math
from typing import Any

import pytest

from asrdq.errors import UsageError
from asrdq.monitoring.findings import RULES, Finding, Level, Outcome
from asrdq.monitoring.judging import judge
from asrdq.monitoring.series import Curves
from asrdq.watch_settings import UnfreezeSettings, WatchSettings

WER, LOSS = "validation wer", "train loss"
FALLING = {step: 1.0 - step / 1000 for step in range(50, 1000, 50)}
WORSE = {100: 0.30, 200: 0.20, 300: 0.21, 400: 0.22, 500: 0.23}
UNFROZEN = 1000
CALM = dict.fromkeys(range(900, UNFROZEN, 10), 0.2)
BACK = dict.fromkeys(range(1050, 1300, 10), 0.22)


def steady(value: float, count: int = 10) -> dict[int, float]:
    return {10 * place: value for place in range(1, count + 1)}


def constant(*values: float) -> dict[int, float]:
    return {100 * place: value for place, value in enumerate(values, start=1)}


# For each rule: a bad run with the step at which it can be told, and the twin that is good.
CASES: list[tuple[str, dict[str, Any], int, dict[str, Any]]] = [
    (
        "non_finite_loss",
        {"values": {LOSS: {1: 2.0, 2: math.nan, 3: math.nan}}},
        2,
        {"values": {LOSS: {1: 2.0, 2: 1.9, 3: 1e9}}},
    ),
    (
        "non_finite_loss",
        {"values": {LOSS: {1: 2.0}, "validation loss": {10: math.inf}}},
        10,
        {"values": {LOSS: {1: 2.0}, "validation loss": {10: 3.0}, WER: {10: math.nan}}},
    ),
    (
        "overfit",
        {"values": {WER: WORSE, LOSS: FALLING}},
        400,
        {"values": {WER: {**WORSE, 400: 0.205, 500: 0.206}, LOSS: FALLING}},
    ),
    (  # the same error rates where the training loss rises as well: it diverges
        "overfit",
        {"values": {WER: WORSE, LOSS: FALLING}},
        400,
        {"values": {WER: WORSE, LOSS: {step: 1 - loss for step, loss in FALLING.items()}}},
    ),
    (
        "plateau",
        {"values": {WER: constant(0.3, 0.2, 0.25, 0.21, 0.22, 0.23, 0.2)}},
        700,
        {"values": {WER: constant(0.3, 0.2, 0.25, 0.21, 0.22, 0.23, 0.19)}},
    ),
    (
        "plateau",
        {"values": {LOSS: {1: 1.0, 2: 0.9}}, "epochs": {1: 30.0, 2: 30.2}},
        2,
        {"values": {LOSS: {1: 1.0, 2: 0.9}}, "epochs": {1: 29.0, 2: 30.0}},
    ),
    (
        "loss_and_rate_disagree",
        {"values": {WER: constant(0.3, 0.25, 0.2), "validation loss": constant(0.5, 0.6, 0.7)}},
        300,
        {"values": {WER: constant(0.3, 0.25, 0.31), "validation loss": constant(0.5, 0.6, 0.7)}},
    ),
    (
        "unfreeze_spike",
        {"values": {LOSS: {**CALM, 1010: 0.51, **BACK}}, "unfreezes": [UNFROZEN]},
        1010,
        {"values": {LOSS: {**CALM, 1010: 0.39, **BACK}}, "unfreezes": [UNFROZEN]},
    ),
    (  # it never comes back
        "unfreeze_spike",
        {
            "values": {LOSS: {**CALM, **dict.fromkeys(range(1010, 1300, 10), 0.3)}},
            "unfreezes": [UNFROZEN],
        },
        1200,
        {
            "values": {LOSS: {**CALM, 1010: 0.3, 1020: 0.3, **BACK}},
            "unfreezes": [UNFROZEN],
        },
    ),
    (  # losses of another scale, as of a sum over tokens: 2.5 times the loss before
        "unfreeze_spike",
        {"values": {LOSS: {**dict.fromkeys(CALM, 40.0), 1010: 101.0, 1100: 41.0, 1300: 40.0}},
         "unfreezes": [UNFROZEN]},
        1010,
        {"values": {LOSS: {**dict.fromkeys(CALM, 40.0), 1010: 79.0, 1100: 41.0, 1300: 40.0}},
         "unfreezes": [UNFROZEN]},
    ),
    (  # the unfreeze is seen in a learning rate that leaves 0
        "unfreeze_spike",
        {"values": {
            LOSS: {**CALM, 1010: 0.6, **BACK},
            "train learning_rate/top": {900: 1e-4, 1000: 1e-4},
            "train learning_rate/audio": {900: 0.0, 1000: 3e-5},
        }},
        1010,
        {"values": {
            LOSS: {**CALM, 1010: 0.3, **BACK},
            "train learning_rate/top": {900: 1e-4, 1000: 1e-4},
            "train learning_rate/audio": {900: 0.0, 1000: 3e-5},
        }},
    ),
    (
        "gradient_unstable",
        {"values": {"train grad_norm": {10: 5.0, 20: 60.0, 30: math.inf, 40: 51.0}}},
        40,
        {"values": {"train grad_norm": {10: 5.0, 20: 60.0, 30: 49.0, 40: 51.0}}},
    ),
    (
        "gradient_vanishing",
        {"values": {"train grad_norm": {10: 5.0, 20: 0.009, 30: 0.001, 40: 0.0}}},
        40,
        {"values": {"train grad_norm": {10: 5.0, 20: 0.009, 30: 0.011, 40: 0.0}}},
    ),
    (
        "learning_rate_zero",
        {"values": {"train learning_rate/a": steady(0.0), "train learning_rate/b": steady(0.0)}},
        30,
        {"values": {"train learning_rate/a": steady(0.0), "train learning_rate/b": steady(1e-5)}},
    ),
    (  # the last steps of a linear decay may round to 0
        "learning_rate_zero",
        {"values": {"train learning_rate": constant(1e-4, 0.0, 0.0, 0.0, 0.0)}, "max_steps": 1000},
        400,
        {"values": {"train learning_rate": constant(1e-4, 0.0, 0.0, 0.0, 0.0)}, "max_steps": 500},
    ),
    (
        "learning_rate_floor",
        {"values": {"train learning_rate": constant(1e-5, 1e-4, 1e-6, 1e-6, 1e-6)},
         "max_steps": 1000},
        500,
        {"values": {"train learning_rate": constant(1e-5, 1e-4, 5e-5, 1e-5, 1e-6)},
         "max_steps": 1000},
    ),
    (  # reached at 80 % of the steps: as it should be
        "learning_rate_floor",
        {"values": {"train learning_rate": {1: 1e-4, 79: 1e-6, 90: 1e-6, 100: 1e-6}},
         "max_steps": 100},
        100,
        {"values": {"train learning_rate": {1: 1e-4, 80: 1e-6, 90: 1e-6, 100: 1e-6}},
         "max_steps": 100},
    ),
    (
        "data_loading_bound",
        {"values": {"train step_seconds": steady(0.266), "train steps_per_second": steady(0.63)}},
        100,
        {"values": {"train step_seconds": steady(1.080), "train steps_per_second": steady(0.97)}},
    ),
    (  # no speed is logged, but when each step was: 2 s a step, and one clock that went back
        "data_loading_bound",
        {"values": {"train step_seconds": {10: 1.0, 20: 1.0, 30: 1.0, 40: 1.0}},
         "times": {10: 100.0, 20: 120.0, 30: 110.0, 40: 130.0}},
        40,
        {"values": {"train step_seconds": {10: 1.7, 20: 1.7, 30: 1.7, 40: 1.7}},
         "times": {10: 100.0, 20: 120.0, 30: 110.0, 40: 130.0}},
    ),
    (  # the trainer says itself how long it waits; the compute time of a step is not asked then
        "data_loading_bound",
        {"values": {"train data_share": steady(0.21), "train step_seconds": steady(1.0),
                    "train steps_per_second": steady(1.0)}},
        100,
        {"values": {"train data_share": steady(0.19), "train step_seconds": steady(0.1),
                    "train steps_per_second": steady(1.0)}},
    ),
    (
        "low_throughput",
        {"values": {"train samples_per_second": steady(2.9)}},
        100,
        {"values": {"train samples_per_second": steady(3.0),
                    "validation samples_per_second": steady(0.5)}},
    ),
    (
        "memory_high",
        {"values": {"system gpu_memory_gb/0": {10: 37.0, 20: 38.1, 30: 39.0}}},
        20,
        {"values": {"system gpu_memory_gb/0": {10: 37.0, 20: 38.0, 30: 33.5}}},
    ),
    (
        "memory_high",
        {"values": {"system gpu_memory_percent": {10: 96.0}}},
        10,
        {"values": {"system gpu_memory_percent": {10: 94.0}}},
    ),
    (
        "low_gpu_use",
        {"values": {"system gpu_use/1": steady(0.79)}},
        100,
        {"values": {"system gpu_use/1": {**steady(0.95), 50: 0.1}}},
    ),
]  # fmt: skip


def found(curves: Curves, rule: str, settings: WatchSettings | None = None) -> list[Finding]:
    findings, _ = judge(curves, settings or WatchSettings())
    return [item for item in findings if item.rule == rule]


@pytest.mark.parametrize(("rule", "bad", "step", "good"), CASES)
def test_a_rule_fires_on_the_bad_run_and_not_on_its_twin(
    rule: str, bad: dict[str, Any], step: int, good: dict[str, Any], make_curves: Any
) -> None:
    fired = found(make_curves(**bad), rule)
    assert [item.step for item in fired] == [step]
    assert fired[0].evidence
    assert fired[0].advice
    curves = make_curves(**good)
    assert [item for item in found(curves, rule) if item.level is not Level.NOTE] == []
    _, outcomes = judge(curves, WatchSettings())
    assert {item.rule: item.outcome for item in outcomes}[rule] is Outcome.SILENT


def test_every_rule_has_a_bad_run() -> None:
    assert {rule for rule, *_ in CASES} == set(RULES)


def test_a_rule_is_told_at_its_step_and_not_before(make_curves: Any) -> None:
    present = {"data_loading_bound", "low_throughput", "low_gpu_use"}  # at any step of the bad runs
    for rule, bad, step, _ in CASES:
        curves = make_curves(**bad)
        if rule in present:
            assert found(curves.until(step - 1), rule), rule
            continue
        assert found(curves.until(step - 1), rule) == [], rule


def test_what_is_not_logged_is_not_judged(make_curves: Any) -> None:
    findings, outcomes = judge(make_curves({}), WatchSettings())
    assert findings == []
    assert {item.outcome for item in outcomes} == {Outcome.NO_DATA}


def test_idle_share_of_the_progress_bars(make_curves: Any) -> None:
    bad = {"train step_seconds": {5: 0.266}, "train steps_per_second": {5: 0.63}}
    (fired,) = found(make_curves(bad), "data_loading_bound")
    assert "idle 83 %" in fired.message  # 1 − 0.266 · 0.63


def test_only_non_finite_loss_stops_unless_told(make_curves: Any) -> None:
    curves = make_curves({WER: WORSE, LOSS: {**FALLING, 999: math.nan}})
    findings, _ = judge(curves, WatchSettings())
    assert {(item.rule, item.level) for item in findings} == {
        ("non_finite_loss", Level.STOP),
        ("overfit", Level.WARNING),
    }
    assert findings[0].rule == "non_finite_loss"
    (overfit,) = found(curves, "overfit", WatchSettings(stop=("overfit",)))
    assert overfit.level is Level.STOP


def test_a_stop_rule_that_there_is_not_is_an_error(make_curves: Any) -> None:
    with pytest.raises(UsageError, match="overfitt") as caught:
        judge(make_curves({}), WatchSettings(stop=("overfitt",)))
    assert "did you mean 'overfit'" in str(caught.value)


def test_overfit_is_withdrawn_by_a_new_best(make_curves: Any) -> None:
    loss = {step: 2.0 - step / 1000 for step in range(50, 1000, 50)}
    assert found(make_curves({WER: {**WORSE, 600: 0.24}, LOSS: loss}), "overfit")
    assert not found(make_curves({WER: {**WORSE, 600: 0.19}, LOSS: loss}), "overfit")


def test_overfit_needs_as_many_evaluations_as_set(make_curves: Any) -> None:
    curves = make_curves({WER: WORSE, LOSS: FALLING})
    (fired,) = found(curves, "overfit", WatchSettings(overfit_evaluations=4))
    assert fired.step == 500
    assert not found(curves, "overfit", WatchSettings(overfit_evaluations=5))


def test_a_run_without_error_rates_is_judged_by_loss(make_curves: Any) -> None:
    curves = make_curves({"validation loss": WORSE, LOSS: FALLING})
    (fired,) = found(curves, "overfit")
    assert fired.message.startswith("validation loss rose")
    assert not found(curves, "overfit", WatchSettings(metric="cer"))


@pytest.mark.parametrize(
    ("loss", "level"),
    [
        ({1010: 0.45, **BACK}, Level.NOTE),  # between expected and abnormal
        ({**dict.fromkeys(range(1010, 1150, 10), 0.3), 1150: 0.2, 1250: 0.2}, Level.NOTE),  # late
    ],
)
def test_an_unfreeze_between_expected_and_abnormal_is_a_note(
    loss: dict[int, float], level: Level, make_curves: Any
) -> None:
    curves = make_curves({LOSS: {**CALM, **loss}}, unfreezes=[UNFROZEN])
    assert [item.level for item in found(curves, "unfreeze_spike")] == [level]


def test_absolute_limits_of_an_unfreeze_can_be_asked_for(make_curves: Any) -> None:
    curves = make_curves({LOSS: {900: 0.05, 1010: 0.2, 1300: 0.05}}, unfreezes=[UNFROZEN])
    assert "ratios" in found(curves, "unfreeze_spike")[0].message
    absolute = WatchSettings(unfreeze=UnfreezeSettings(scale="absolute"))
    assert not found(curves, "unfreeze_spike", absolute)


def test_limits_of_an_unfreeze_are_in_order() -> None:
    with pytest.raises(ValueError, match="rising order"):
        UnfreezeSettings(back=0.6)
