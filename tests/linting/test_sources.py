"""Configurations are read as their frameworks read them, and never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.linting.conftest import ARGUMENTS, SOUND, changed

from asrdq.errors import UsageError
from asrdq.linting import Dialect, lint_config, read_config
from asrdq.linting.config import Knob, Unknown

CONFIGS = Path(__file__).parent / "configs"


def written(tmp_path: Path, text: str, name: str = "train.yaml") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def value(config: Any, knob: Knob) -> Any:
    return config.settings[knob].value


def test_interpolations_and_the_resolver_of_nemo(tmp_path: Path) -> None:
    config = read_config(CONFIGS / "canary-tuned.yaml")
    assert value(config, Knob.SCHEDULE_MAX_STEPS) == 50_000
    assert config.settings[Knob.SCHEDULE_MAX_STEPS].interpolated
    assert value(config, Knob.VAL_BATCH_DURATION) == 6_600
    assert config.settings[Knob.VAL_BATCH_DURATION].line == 19


def test_a_resolver_that_is_not_known_leaves_the_value_open(tmp_path: Path) -> None:
    file = written(tmp_path, changed(SOUND, "lr: ${ours:9}"))
    config = read_config(file)
    assert isinstance(value(config, Knob.LEARNING_RATE), Unknown)
    assert config.get(Knob.LEARNING_RATE) is None
    assert lint_config(config).found == ()


def test_overrides_win_and_are_resolved(tmp_path: Path) -> None:
    file = written(tmp_path, SOUND)
    config = read_config(file, ["trainer.max_steps=700", "model.optim.lr=3e-4"])
    assert value(config, Knob.SCHEDULE_MAX_STEPS) == 700
    assert value(config, Knob.LEARNING_RATE) == pytest.approx(3e-4)
    assert config.settings[Knob.LEARNING_RATE].file == "--override"
    assert config.before[Knob.MAX_STEPS].value == -1


def test_settings_of_hydra_itself_are_its_own(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, SOUND), ["hydra.run.dir=out"])
    assert config.faults == ()


@pytest.mark.parametrize("text", ["trainer.max_steps", "=5", "a b=5", ""])
def test_what_is_no_override_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="no override"):
        read_config(written(tmp_path, SOUND), [text])


def test_an_override_that_names_a_wrong_key_names_the_nearest(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, SOUND), ["trainer.precison=32"])
    assert "did you mean trainer.precision?" in config.faults[0].message


def test_arguments_in_yaml_and_json_are_the_same(tmp_path: Path) -> None:
    text = '{"per_device_train_batch_size": 8, "learning_rate": 1e-5, "bf16": true}'
    as_json = read_config(written(tmp_path, text, "a.json"))
    as_yaml = read_config(
        written(tmp_path, "per_device_train_batch_size: 8\nlearning_rate: 1e-5\nbf16: true\n")
    )
    for config in (as_json, as_yaml):
        assert config.dialect is Dialect.HUGGING_FACE
        assert value(config, Knob.LEARNING_RATE) == pytest.approx(1e-5)
        assert value(config, Knob.PRECISION) == "bf16-mixed"
        assert value(config, Knob.MAX_EPOCHS) == 3.0
    assert as_yaml.settings[Knob.LEARNING_RATE].line == 2


def test_a_dataclass_is_read_and_never_run() -> None:
    config = read_config(CONFIGS / "qwen_two_gpus.py")
    assert value(config, Knob.BATCH_SIZE) == 2
    assert value(config, Knob.WARMUP_RATIO) == pytest.approx(0.03)
    assert value(config, Knob.MAX_DURATION) == 15.0
    assert config.settings[Knob.BATCH_SIZE].line == 14
    assert [rate.key for rate in config.rates] == ["learning_rate", "projector_lr"]
    assert value(config, Knob.VAL_BATCH_SIZE) is None


def test_a_call_of_training_arguments_is_read(tmp_path: Path) -> None:
    text = (
        "import torch\n"
        "args = Seq2SeqTrainingArguments(\n"
        "    'out',\n"
        "    per_device_train_batch_size=8,\n"
        "    learning_rate=cfg.lr,\n"
        "    fp16=True,\n"
        "    num_train_epochs=10,\n"
        ")\n"
    )
    config = read_config(written(tmp_path, text, "train.py"))
    assert value(config, Knob.PRECISION) == "fp16-mixed"
    assert config.settings[Knob.BATCH_SIZE].line == 4
    assert isinstance(value(config, Knob.LEARNING_RATE), Unknown)
    assert any("cfg.lr takes running the source" in note for note in config.notes)


def test_what_says_nothing_about_training_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="says how to train"):
        read_config(written(tmp_path, "x = 1\n", "train.py"))
    with pytest.raises(UsageError, match="not valid Python"):
        read_config(written(tmp_path, "def\n", "train.py"))
    with pytest.raises(UsageError, match="no training configuration that is known"):
        read_config(written(tmp_path, "colour: red\n"))
    with pytest.raises(UsageError, match="no mapping"):
        read_config(written(tmp_path, "- 1\n"))
    with pytest.raises(UsageError, match="no such file"):
        read_config(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="no such file"):
        read_config(tmp_path / "absent.py")
    with pytest.raises(UsageError, match="stand twice"):
        read_config(written(tmp_path, SOUND + "name: again\n"))


def test_what_a_file_is_can_be_said(tmp_path: Path) -> None:
    file = written(tmp_path, "trainer: {max_epochs: 40}\n")
    assert read_config(file).dialect is Dialect.NEMO
    assert read_config(written(tmp_path, "seed: 1\n"), dialect=Dialect.HUGGING_FACE).dialect == "hf"


def test_what_hydra_composes_is_not_guessed(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, changed(SOUND, "+defaults: [base]")))
    assert any("defaults" in note and "--cfg job" in note for note in config.notes)


def test_a_recipe_knows_the_file_of_each_value(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "name: mine\nextends: parakeet-an4\noptimiser:\n  lr: 2.0e-3\n",
        "mine.yaml",
    )
    config = read_config(file)
    assert config.dialect is Dialect.RECIPE
    found = {each.rule: each for each in lint_config(config).found}
    assert (found["lr-too-high"].file, found["lr-too-high"].line) == (str(file), 4)
    assert config.settings[Knob.BATCH_SIZE].file.endswith("recipes/parakeet-an4.yaml")
    mild = read_config(file, ["optimiser.lr=1e-4"])
    assert lint_config(mild).found == ()
    wrong = read_config(file, ["optimiser.learning=1e-4"])
    assert "unknown-override" in {each.rule for each in lint_config(wrong).found}


def test_the_rates_of_the_stages_of_a_recipe_are_looked_at(project_root: Path) -> None:
    config = read_config(project_root / "recipes" / "qwen3-asr-gradual.yaml")
    stages = [rate for rate in config.rates if rate.key.startswith("stages.")]
    assert max(rate.value for rate in stages) == pytest.approx(2e-4)
    assert all(rate.line for rate in stages)


def test_a_comment_of_its_own_line_answers_for_the_next_value(tmp_path: Path) -> None:
    text = changed(SOUND, "lr: 2e-3").replace(
        "    lr: 2e-3",
        "    # asrdq: ignore[lr-too-high] a new head\n    # of 2 layers\n    lr: 2e-3",
    )
    [found] = lint_config(read_config(written(tmp_path, text))).found
    assert (found.rule, found.suppressed) == ("lr-too-high", "a new head")


def test_a_comment_at_the_top_answers_for_what_is_about_no_value(
    tmp_path: Path, workspace: Any, ingest: Any
) -> None:
    from asrdq.linting import Around

    text = "# asrdq: ignore[null-durations] the loader measures them\n" + SOUND
    manifest = ingest([{"audio_filepath": "a.wav", "text": "a", "duration": None}], "train")
    result = lint_config(
        read_config(written(tmp_path, text)), Around(workspace=workspace, manifest=manifest)
    )
    assert [each.rule for each in result.found if each.suppressed] == ["null-durations"]


def test_a_comment_is_idle_only_where_its_rule_was_asked(tmp_path: Path) -> None:
    """Without a manifest nobody knows whether rows are dropped."""
    text = changed(SOUND, "max_duration: 20  # asrdq: ignore[rows-dropped] long ones are music")
    assert lint_config(read_config(written(tmp_path, text))).found == ()


def test_one_comment_answers_for_several_rules(tmp_path: Path) -> None:
    text = changed(
        SOUND,
        "lr: 2e-3  # asrdq: ignore[lr-too-high, lr-too-low] from scratch",
    )
    result = lint_config(read_config(written(tmp_path, text)))
    assert result.standing == []
    assert ARGUMENTS


def test_json_with_tabs_is_json(tmp_path: Path) -> None:
    text = '{\n\t"per_device_train_batch_size": 8,\n\t"max_grad_norm": 0,\n\t"bf16": true\n}\n'
    found = lint_config(read_config(written(tmp_path, text, "a.json"))).found
    assert ("no-gradient-clipping", 3) in {(each.rule, each.line) for each in found}
    with pytest.raises(UsageError, match=r"a\.json:1: is not valid JSON"):
        read_config(written(tmp_path, "{,}", "a.json"))


def test_a_share_of_the_run_may_stand_where_warm_up_steps_do(tmp_path: Path) -> None:
    """Version 5 of transformers takes 0.2 for a fifth of the run."""
    config = read_config(written(tmp_path, changed(ARGUMENTS, "warmup_steps: 0.2")))
    assert value(config, Knob.WARMUP_RATIO) == pytest.approx(0.2)
    assert [each.rule for each in lint_config(config).found] == ["warmup-too-long"]


def test_the_best_model_is_chosen_by_loss_where_nobody_says_it(tmp_path: Path) -> None:
    text = changed(ARGUMENTS, "-metric_for_best_model")
    assert lint_config(read_config(written(tmp_path, text))).found == ()
    best = changed(text, "+load_best_model_at_end: true")
    [found] = lint_config(read_config(written(tmp_path, best))).found
    assert found.message == "metric_for_best_model is loss by default"


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    levels = "".join(
        f"x{n}: &x{n} {{{', '.join(f'k{k}: *x{n - 1}' for k in range(9))}}}\n" for n in range(1, 9)
    )
    with pytest.raises(UsageError, match="more than 100,000 keys"):
        read_config(written(tmp_path, f"trainer: {{a: 1}}\nx0: &x0 {{a: 1}}\n{levels}"))


def test_steps_are_not_guessed_where_nobody_says_how_many_gpus(
    tmp_path: Path, workspace: Any, ingest: Any
) -> None:
    from asrdq.linting import Around

    rows = [{"audio_filepath": f"{n}.wav", "text": f"a {n}", "duration": 2.0} for n in range(640)]
    manifest = ingest(rows, "train")
    config = read_config(written(tmp_path, changed(ARGUMENTS, "+max_steps: 20")))
    alone = lint_config(config, Around(workspace=workspace, manifest=manifest))
    assert "steps-against-epochs" not in {each.rule for each in alone.found}
    told = lint_config(config, Around(workspace=workspace, manifest=manifest, effective_batch=64))
    assert "steps-against-epochs" in {each.rule for each in told.found}


def test_a_tokenizer_of_a_recipe_is_looked_for(tmp_path: Path) -> None:
    text = "name: mine\nextends: parakeet-an4\nmodel:\n  tokenizer: /nowhere/tokenizer\n"
    [found] = lint_config(read_config(written(tmp_path, text, "mine.yaml"))).found
    assert (found.rule, found.key, found.line) == ("path-not-found", "model.tokenizer", 4)


def test_paths_inside_of_a_mix_are_looked_up(tmp_path: Path) -> None:
    text = changed(SOUND, "-train_ds.manifest_filepath").replace(
        "  train_ds:\n",
        "  train_ds:\n"
        "    force_finite: true\n"
        "    input_cfg:\n"
        "      - type: group\n"
        "        input_cfg:\n"
        "          - {type: nemo, manifest_filepath: /nowhere/a.jsonl}\n"
        "          - {type: nemo_tarred, tarred_audio_filepaths: /x/a__OP_0..9_CL_.tar}\n",
    )
    found = lint_config(read_config(written(tmp_path, text))).found
    assert [each.message for each in found if each.rule == "path-not-found"] == [
        "model.train_ds.input_cfg: /nowhere/a.jsonl does not exist here"
    ]


@pytest.mark.parametrize("name", ["${oc.env:ASRDQ_SECRET}", "${oc.${which}:ASRDQ_SECRET}"])
def test_the_environment_of_this_machine_stays_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has an environment of its own, and a secret of this one is not to be printed."""
    from omegaconf import OmegaConf

    monkeypatch.setenv("ASRDQ_SECRET", "hunter2")
    text = changed(SOUND, f'monitor: "{name}_loss"', "+which: env", f"+model.labels: ['{name}']")
    config = read_config(written(tmp_path, text))
    assert isinstance(value(config, Knob.MONITOR), Unknown)
    assert "hunter2" not in repr(config) + lint_config(config).to_json()
    assert OmegaConf.create({"a": "${oc.env:ASRDQ_SECRET}"}).a == "hunter2"


def test_a_file_that_is_nested_in_itself_is_said_to_be(tmp_path: Path) -> None:
    file = written(tmp_path, "trainer: &a\n  x: *a\nmodel: {}\n")
    with pytest.raises(UsageError, match=r"train\.yaml: is nested too deeply, or in itself"):
        read_config(file)
