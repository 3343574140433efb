"""Configurations that nothing is wrong with, to be made wrong in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from asrdq.linting import Around, LintResult, lint_config, read_config

SOUND = """\
name: tune
init_from_pretrained_model: nvidia/parakeet-tdt-0.6b-v2

model:
  train_ds:
    manifest_filepath: s3://speech/train.jsonl
    batch_size: 16
    max_duration: 20
    min_duration: 0.1
  validation_ds:
    manifest_filepath: s3://speech/val.jsonl
    batch_size: 16  # as in training
  optim:
    name: adamw
    lr: 2e-4
    sched:
      name: CosineAnnealing
      warmup_steps: 50
      max_steps: ${trainer.max_steps}
      min_lr: 1e-6

trainer:
  devices: 2
  num_nodes: 1
  max_epochs: 20
  max_steps: -1
  val_check_interval: 400
  check_val_every_n_epoch: 1
  accumulate_grad_batches: 2
  gradient_clip_val: 1.0
  precision: bf16-mixed
  log_every_n_steps: 20

exp_manager:
  checkpoint_callback_params:
    monitor: val_wer
    mode: min
"""

ARGUMENTS = """\
output_dir: out
model_name_or_path: openai/whisper-small
per_device_train_batch_size: 8
per_device_eval_batch_size: 8
num_train_epochs: 10
learning_rate: 1e-5
warmup_steps: 50
bf16: true
eval_strategy: steps
eval_steps: 500
logging_steps: 25
metric_for_best_model: wer
"""

Lint = Callable[..., LintResult]


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """Lint a text as a file of its own: `lint(text, overrides=[…], manifest=…)`."""

    def run(
        text: str, *, overrides: tuple[str, ...] = (), name: str = "train.yaml", **around: Any
    ) -> LintResult:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return lint_config(read_config(file, overrides), Around(**around))

    return run


def changed(text: str, *changes: str) -> str:
    """Return a text with changes: `lr: 2e-3` sets, `-lr` takes out, `+trainer.seed: 1` adds.

    A key is named by the end of its path that is enough to find it: `train_ds.batch_size`.
    """
    for change in changes:
        lines = text.splitlines()
        sign = change[0] if change[0] in "+-" else ""
        key, _, value = change.removeprefix(sign).partition(": ")
        section, _, name = key.rpartition(".")
        wanted = section if sign == "+" else key
        named = paths(lines)
        found = [named.index(wanted)] if wanted in named else []
        found = found or [n for n, path in enumerate(named) if path.endswith(f".{wanted}")]
        assert len(found) == 1 or (sign == "+" and not section), change
        at = found[0] if wanted else 0
        indent = re.match(" *", lines[at])[0] if wanted else ""  # type: ignore[index]
        if sign == "+":
            lines.insert(at + 1, f"{indent}{'  ' if section else ''}{name}: {value}")
        elif sign == "-":
            del lines[at]
        else:
            lines[at] = f"{indent}{name}: {value}"
        text = "\n".join(lines) + "\n"
    return text


def paths(lines: Sequence[str]) -> list[str]:
    """Return the dotted key of each line, empty where it has none."""
    found, above = [], list[tuple[int, str]]()
    for line in lines:
        match = re.match(r"( *)(\w+):", line)
        if match is None:
            found.append("")
            continue
        above = [each for each in above if each[0] < len(match[1])]
        above.append((len(match[1]), match[2]))
        found.append(".".join(name for _, name in above))
    return found


def rules_of(result: LintResult) -> set[str]:
    """Return the rules that are broken and not suppressed."""
    return {each.rule for each in result.standing}
