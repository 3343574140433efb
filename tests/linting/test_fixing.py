"""`--fix` changes the values that rules name and nothing else, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.linting.conftest import SOUND, changed, rules_of

from asrdq.errors import ToolError, UsageError
from asrdq.linting import fix, lint_config, read_config
from asrdq.linting.findings import Edit
from asrdq.linting.fixing import edited

CONFIGS = Path(__file__).parent / "configs"


def mended(file: Path, text: str) -> tuple[int, list[str]]:
    """Write a text, mend it, and return how many findings and which lines changed."""
    file.write_text(text, encoding="utf-8")
    config = read_config(file)
    count = fix(file, config, lint_config(config).found, read_config)
    pairs = zip(text.splitlines(), file.read_text(encoding="utf-8").splitlines(), strict=False)
    return count, [new for old, new in pairs if old != new]


def test_only_the_values_change_and_comments_stay(tmp_path: Path) -> None:
    text = changed(
        SOUND,
        "trainer.precision: 16-mixed   # the old cards",
        "gradient_clip_val: 0.0  # off",
        "trainer.max_steps: 5000",
        'sched.max_steps: "1000"  # of last year',
        "log_every_n_steps: 100",
    )
    file = tmp_path / "train.yaml"
    count, lines = mended(file, text)
    assert count == 4
    assert lines == [
        "      max_steps: ${trainer.max_steps}  # of last year",
        "  gradient_clip_val: 1.0  # off",
        "  precision: bf16-mixed   # the old cards",
        "  log_every_n_steps: 20",
    ]
    assert rules_of(lint_config(read_config(file))) == set()


def test_a_missing_key_is_added_to_its_section(tmp_path: Path) -> None:
    text = changed(SOUND, "-gradient_clip_val").replace(
        "trainer:\n", "trainer:  # the loop\n  # one machine\n"
    )
    file = tmp_path / "train.yaml"
    file.write_text(text, encoding="utf-8")
    config = read_config(file)
    assert fix(file, config, lint_config(config).found, read_config) == 1
    assert file.read_text(encoding="utf-8") == text.replace(
        "trainer:  # the loop\n", "trainer:  # the loop\n  gradient_clip_val: 1.0\n"
    )


@pytest.mark.parametrize(
    "section",
    ["trainer: {max_epochs: 20, val_check_interval: 400}\n", "model: &m {}\ntrainer: *m\n"],
    ids=["in braces", "an alias"],
)
def test_a_key_is_not_added_where_it_is_not_safe(section: str, tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(section, encoding="utf-8")
    config = read_config(file)
    found = {each.rule: each for each in lint_config(config).found}
    assert found["no-gradient-clipping"].edit is None


def test_the_first_try_is_mended_to_what_was_learned(tmp_path: Path) -> None:
    file = tmp_path / "canary.yaml"
    count, lines = mended(file, (CONFIGS / "canary-first-try.yaml").read_text(encoding="utf-8"))
    assert count == 3
    assert lines == [
        "    batch_size: null",
        "      max_steps: ${trainer.max_steps}",
        "  gradient_clip_val: 1.0",
    ]


def test_json_and_python_are_mended_in_place(tmp_path: Path) -> None:
    values = {
        "per_device_train_batch_size": 8,
        "num_train_epochs": 10,
        "bf16": True,
        "max_grad_norm": 0,
        "eval_strategy": "epoch",
    }
    file = tmp_path / "arguments.json"
    text = json.dumps(values, indent=2)
    assert mended(file, text) == (1, ['  "max_grad_norm": 1.0,'])
    assert json.loads(file.read_text()) == {**values, "max_grad_norm": 1.0}
    source = tmp_path / "train.py"
    lines = ["@dataclass", "class T:", "    größe: str = 'ä'; max_grad_norm: float = 0.0  # ü"]
    lines += ["    learning_rate: float = 1e-4", "    num_epochs: int = 10", ""]
    assert mended(source, "\n".join(lines)) == (
        1,
        ["    größe: str = 'ä'; max_grad_norm: float = 1.0  # ü"],
    )


def test_a_suppressed_finding_is_left_alone(tmp_path: Path) -> None:
    off = "gradient_clip_val: 0.0  # asrdq: ignore[no-gradient-clipping] the optimiser clips"
    assert mended(tmp_path / "train.yaml", changed(SOUND, off)) == (0, [])


def test_a_value_that_an_alias_shares_is_left_to_a_person(tmp_path: Path) -> None:
    text = changed(SOUND, "gradient_clip_val: &off 0.0") + "later: *off\n"
    assert mended(tmp_path / "train.yaml", text) == (0, [])


def test_a_link_is_followed_and_the_mode_kept(tmp_path: Path) -> None:
    file = tmp_path / "real.yaml"
    file.write_text(changed(SOUND, "gradient_clip_val: 0.0"), encoding="utf-8")
    file.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    config = read_config(link)
    assert fix(link, config, lint_config(config).found, read_config) == 1
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert "gradient_clip_val: 1.0" in file.read_text()


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    text = changed(SOUND, "gradient_clip_val: 0.0  # off").replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    config = read_config(file)
    assert fix(file, config, lint_config(config).found, read_config) == 1
    mended_text = text.replace("gradient_clip_val: 0.0", "gradient_clip_val: 1.0")
    assert file.read_bytes() == b"\xef\xbb\xbf" + mended_text.encode()
    file.write_bytes(text.replace("\r\n", "\n", 1).encode())
    config = read_config(file)
    with pytest.raises(UsageError, match="different ways"):
        fix(file, config, lint_config(config).found, read_config)


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(changed(SOUND, "gradient_clip_val: 0.0"), encoding="utf-8")
    config = read_config(file)
    found = lint_config(config).found
    other = changed(SOUND, "gradient_clip_val: 0.0", "max_epochs: 10")
    file.write_text(other, encoding="utf-8")
    with pytest.raises(UsageError, match="changed while it was linted"):
        fix(file, config, found, read_config)
    assert file.read_text(encoding="utf-8") == other


def test_a_mend_that_does_not_hold_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """The reader says that the finding is still there."""
    file = tmp_path / "train.yaml"
    text = changed(SOUND, "gradient_clip_val: 0.0")
    file.write_text(text, encoding="utf-8")
    config = read_config(file)
    with pytest.raises(ToolError, match="does not hold"):
        fix(file, config, lint_config(config).found, lambda _: config)
    assert file.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [file]


def test_edits_that_reach_into_each_other_are_refused() -> None:
    assert edited("abcd", [Edit(1, 2, "X"), Edit(1, 2, "X"), Edit(3, 3, "-")]) == "aXc-d"
    with pytest.raises(ValueError, match="reach into"):
        edited("abcd", [Edit(0, 2, "X"), Edit(1, 3, "Y")])
