"""Logs of four trainers, whole, half written and damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.errors import ToolError, UsageError
from asrdq.monitoring.logs import Log
from asrdq.monitoring.readers.bars import read_line
from asrdq.monitoring.readers.metrics_csv import read_metrics_csv
from asrdq.monitoring.readers.text_log import read_text_log
from asrdq.monitoring.readers.trainer_state import read_trainer_state
from asrdq.monitoring.run_log import LogReader
from asrdq.monitoring.sources import Kind, find_sources


def values(log: Log, split: str, metric: str) -> dict[int, float]:
    rows = log.rows.filter(
        (pl.col("split").cast(pl.String) == split) & (pl.col("metric").cast(pl.String) == metric)
    )
    return dict(zip(rows["step"].to_list(), rows["value"].to_list(), strict=True))


class TestTrainerState:
    HISTORY = (
        {"step": 1, "epoch": 0.5, "loss": 2.0, "grad_norm": 3.0},
        {"step": 2, "epoch": 1.0, "loss": 1.0},
        {"step": 2, "epoch": 1.0, "eval_loss": 1.5, "eval_wer": 0.4},
    )

    def read(self, folder: Path, text: str | bytes) -> Log:
        file = folder / "trainer_state.json"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_trainer_state(file, file.name)

    def test_values_have_step_split_and_metric(self, tmp_path: Path) -> None:
        state = {"max_steps": 9, "global_step": 2, "log_history": self.HISTORY}
        log = self.read(tmp_path, json.dumps(state))
        assert values(log, "train", "loss") == {1: 2.0, 2: 1.0}
        assert values(log, "validation", "wer") == {2: 0.4}
        assert log.rows["epoch"].to_list() == [0.5, 0.5, 1.0, 1.0, 1.0]
        assert (log.max_steps, log.ended, log.unreadable) == (9, False, 0)

    def test_it_has_ended_at_its_last_step_or_with_its_runtime(self, tmp_path: Path) -> None:
        state: dict[str, Any] = {"max_steps": 2, "global_step": 2, "log_history": self.HISTORY}
        assert self.read(tmp_path, json.dumps(state)).ended
        early = [*self.HISTORY, {"step": 2, "train_runtime": 9.0, "train_loss": 1.4}]
        log = self.read(tmp_path, json.dumps({"max_steps": 9, "log_history": early}))
        assert log.ended
        assert values(log, "train", "loss") == {1: 2.0, 2: 1.0}  # the mean is no loss at a step
        assert values(log, "train", "mean_loss") == {2: 1.4}

    def test_nan_and_infinity_are_values(self, tmp_path: Path) -> None:
        text = '{"log_history": [{"step": 1, "loss": NaN}, {"step": 2, "loss": Infinity},'
        log = self.read(tmp_path, text + ' {"step": 3, "loss": "nan"}]}')
        found = values(log, "train", "loss")
        assert [math.isfinite(value) for value in found.values()] == [False] * 3
        assert found[2] == math.inf
        assert log.unreadable == 0

    def test_of_a_state_cut_anywhere_the_whole_entries_are_read(self, tmp_path: Path) -> None:
        text = json.dumps(
            {"best_metric": None, "log_history": self.HISTORY, "max_steps": 9}, indent=1
        )
        whole = self.read(tmp_path, text).rows.height
        seen = set()
        for cut in range(len(text) - 1):
            log = self.read(tmp_path, text[:cut])
            assert log.unreadable == 1
            assert log.rows.height <= whole
            seen.add(log.rows.height)
        assert seen == {0, 2, 3, 5}

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x00\xff\xfe garbage", b"[1, 2]", b'{"log_history": 3}', b"[" * 100_000],
    )
    def test_what_is_no_state_is_told(self, content: bytes, tmp_path: Path) -> None:
        log = self.read(tmp_path, content)
        assert log.rows.height == 0
        assert log.unreadable >= 1
        assert log.problems[0].file == "trainer_state.json"

    def test_entries_without_a_step_cost_themselves_only(self, tmp_path: Path) -> None:
        odd = [{"loss": 1.0}, {"step": -1, "loss": 1.0}, {"step": True, "loss": 1.0}, 7, None]
        odd += [
            {"step": 2**60, "loss": 1.0},
            {"step": 3, "loss": 0.5, "note": "fine", "flag": True},
        ]
        log = self.read(tmp_path, json.dumps({"log_history": odd}))
        assert values(log, "train", "loss") == {3: 0.5}
        assert log.unreadable == 6


class TestMetricsCsv:
    TEXT = "epoch,step,train_loss,val_wer\n0,1,2.0,\n0,2,1.0,\n0,2,,0.4\n"

    def read(self, folder: Path, content: str | bytes) -> Log:
        file = folder / "metrics.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_metrics_csv(file, file.name)

    def test_each_column_is_a_metric(self, tmp_path: Path) -> None:
        log = self.read(tmp_path, self.TEXT)
        assert values(log, "train", "loss") == {1: 2.0, 2: 1.0}
        assert values(log, "validation", "wer") == {2: 0.4}
        assert log.unreadable == 0

    def test_a_line_that_is_being_written_waits(self, tmp_path: Path) -> None:
        log = self.read(tmp_path, self.TEXT + "0,3,0.12")  # it may become 0.125
        assert values(log, "train", "loss") == {1: 2.0, 2: 1.0}
        assert log.unreadable == 0

    def test_bad_cells_and_lines_are_told_with_their_line(self, tmp_path: Path) -> None:
        log = self.read(tmp_path, self.TEXT + "0,x,1.0,\n0,4,abc,0.3\n0,5,nan,inf\n0,-2,1,1\n")
        assert values(log, "validation", "wer") == {2: 0.4, 4: 0.3, 5: math.inf}
        assert math.isnan(values(log, "train", "loss")[5])
        assert [problem.line for problem in log.problems] == [5, 8, 6]
        assert "'abc'" in log.problems[2].message

    def test_garbage_between_lines_costs_its_line(self, tmp_path: Path) -> None:
        log = self.read(tmp_path, self.TEXT.encode() + b"\x00\xff\x80\x00\n0,6,0.5,\n")
        assert values(log, "train", "loss") == {1: 2.0, 2: 1.0, 6: 0.5}
        assert [problem.line for problem in log.problems] == [5]

    @pytest.mark.parametrize("content", [b"", b"\n", b"epoch,step,train_loss"])
    def test_a_file_without_lines_has_nothing(self, content: bytes, tmp_path: Path) -> None:
        log = self.read(tmp_path, content)
        assert (log.rows.height, log.unreadable) == (0, 0)

    def test_a_file_without_steps_is_told(self, tmp_path: Path) -> None:
        log = self.read(tmp_path, b"a,b\n1,2\n")
        assert "no column step" in log.problems[0].message

    def test_windows_line_ends_and_a_byte_order_mark(self, tmp_path: Path) -> None:
        log = self.read(tmp_path, b"\xef\xbb\xbf" + self.TEXT.replace("\n", "\r\n").encode())
        assert values(log, "train", "loss") == {1: 2.0, 2: 1.0}


class TestTextLog:
    def read(self, folder: Path, content: str | bytes) -> Log:
        file = folder / "train.log"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_text_log(file, file.name)

    def test_the_bars_of_an_endless_epoch(self, tmp_path: Path) -> None:
        bar = (
            "Epoch 0: |          | {}/? [04:45<00:00,  {}it/s, v_num=1, train_step_timing in s={}]"
        )
        log = self.read(
            tmp_path,
            "\r" + bar.format(278, 0.97, 1.080) + "\r" + bar.format(279, 0.63, 0.266) + "\n",
        )
        assert values(log, "train", "steps_per_second") == {278: 0.97, 279: 0.63}
        assert values(log, "train", "step_seconds") == {278: 1.08, 279: 0.266}

    def test_steps_count_on_over_epochs(self, tmp_path: Path) -> None:
        lines = [
            f"Epoch {epoch}: 50%|█| {count}/2 [00:01<00:00, 2.0it/s, loss={4 - 2 * epoch - count}]"
            for epoch in (0, 1)
            for count in (1, 2)
        ]
        log = self.read(tmp_path, "\n".join(lines) + "\n")
        assert values(log, "train", "loss") == {1: 3.0, 2: 2.0, 3: 1.0, 4: 0.0}
        assert log.rows["epoch"].unique().sort().to_list() == [0.0, 1.0]

    def test_colours_and_carriage_returns_are_no_text(self, tmp_path: Path) -> None:
        text = "\x1b[A\x1b[2K\rEpoch 0: :  47%|\x1b[32m████▋\x1b[0m| 7/15 [06:19<07:13, "
        text += "reduced_train_loss=11.50, global_step=5.000, train_step_timing in s=49.50]\r\n"
        log = self.read(tmp_path, text)
        assert values(log, "train", "loss") == {5: 11.5}

    def test_seconds_a_step_are_steps_a_second(self, tmp_path: Path) -> None:
        log = self.read(tmp_path, "Epoch 1: : 1it [00:04,  4.00s/it, reduced_train_loss=0.674]\n")
        assert values(log, "train", "steps_per_second") == {1: 0.25}

    def test_a_bar_repeats_a_validation_that_counts_once(self, tmp_path: Path) -> None:
        bar = "Epoch 0: | | {}/? [00:01<00:00, 1.00it/s, train_loss=1.0, val_wer={}]"
        steps = [(10, 0.5), (11, 0.5), (12, 0.5), (20, 0.4), (21, 0.4)]
        log = self.read(tmp_path, "\r".join(bar.format(*step) for step in steps) + "\n")
        assert values(log, "validation", "wer") == {10: 0.5, 20: 0.4}
        assert len(values(log, "train", "loss")) == 5

    def test_what_the_callback_told_is_not_told_by_the_bar_again(self, tmp_path: Path) -> None:
        text = "Epoch 0, global step 8: 'val_wer' reached 0.50021 (best 0.50021), saving\n"
        text += "Epoch 0: | | 9/16 [00:01<00:00, 1.0it/s, val_wer=0.500]\n"
        assert values(self.read(tmp_path, text), "validation", "wer") == {8: 0.50021}

    def test_validation_bars_are_no_training(self, tmp_path: Path) -> None:
        text = "Epoch 0: | | 5/? [00:01<00:00, 1.00it/s, train_loss=1.0]\n"
        text += "Validation DataLoader 0: 51/51 [00:20<00:00,  2.53it/s]\n"
        text += "Epoch 0: | | 6/? [00:02<00:00, 1.00it/s]\n"
        assert values(self.read(tmp_path, text), "train", "steps_per_second") == {5: 1.0, 6: 1.0}

    def test_lines_of_the_checkpoint_callback(self, tmp_path: Path) -> None:
        text = "Epoch 3, global step 1200: 'val_wer' reached 0.12345 (best 0.12345), saving model"
        text += " to '/x.ckpt' as top 3\n"
        text += "Epoch 4, global step 1600: 'val_wer' was not in top 3\n"
        log = self.read(tmp_path, text)
        assert values(log, "validation", "wer") == {1200: 0.12345}

    def test_numbered_lines_with_units(self, tmp_path: Path) -> None:
        text = "  [Step 100/2875] loss: 0.3245, wer: 18.34%, gpu_mem: 31.2GB\n"
        text += "  [Eval 500] eval_loss: 0.2543, eval_wer: 14.56%, eval_cer: 6.23%\n"
        log = self.read(tmp_path, text)
        assert values(log, "train", "loss") == {100: 0.3245}
        assert values(log, "system", "gpu_memory_gb") == {100: 31.2}
        assert values(log, "validation", "wer")[500] == pytest.approx(0.1456)

    def test_printed_dictionaries_take_the_step_of_the_bar_behind_them(
        self, tmp_path: Path
    ) -> None:
        """As the Trainer writes it: tqdm wipes the bar, prints, and draws the bar anew."""
        parts = [
            "100%|██| 73579/73579 [15:23<00:00, 79.56it/s]\n",  # of something else
            "\r 8%|▊ | 4/60 [00:00<?, ?it/s]\r    \r",
            "{'loss': 0.3048, 'grad_norm': nan, 'epoch': 0.31}\n",
            "\r 8%|▊ | 5/60 [00:00<00:00, 1.20s/it]\r 33%| | 20/60 [00:20<00:00, 1.20s/it]\n",
            "\r  0%|  | 0/8 [00:00<?, ?it/s]\x1b[A\n\n\x1b[A",
            "{'eval_loss': 0.5, 'eval_wer': 0.78, 'epoch': 1.25}\n",
            "\r 33%|█ | 20/60 [00:20<00:00, 1.20s/it]\n\n",
            "100%|█| 8/8 [00:01<00:00, 8.0it/s]\x1b[A\n",
        ]
        log = self.read(tmp_path, "".join(parts))
        assert values(log, "train", "loss") == {5: 0.3048}
        assert math.isnan(values(log, "train", "grad_norm")[5])
        assert values(log, "validation", "wer") == {20: 0.78}
        assert log.rows["epoch"].unique().sort().to_list() == [0.31, 1.25]
        assert (log.max_steps, log.ended) == (60, False)

    def test_what_is_printed_waits_for_its_bar_until_the_run_ends(self, tmp_path: Path) -> None:
        text = "{'loss': 1.0, 'epoch': 0.5}\n\r 50%| | 5/10 [00:01<00:01, 1.0it/s]\n"
        text += "{'loss': 0.5, 'epoch': 1.0}\n"
        assert values(self.read(tmp_path, text), "train", "loss") == {5: 1.0}
        text += "\r100%| | 10/10 [00:02<00:00, 1.0it/s]\n"
        text += "{'train_runtime': 2.0, 'train_loss': 0.75}\n"
        log = self.read(tmp_path, text)
        assert values(log, "train", "loss") == {5: 1.0, 10: 0.5}
        assert values(log, "train", "mean_loss") == {10: 0.75}
        assert log.ended

    def test_what_is_printed_without_any_bar_has_no_step(self, tmp_path: Path) -> None:
        text = "{'loss': 1.0, 'epoch': 0.5}\n{'train_runtime': 2.0, 'train_loss': 0.75}\n"
        log = self.read(tmp_path, text)
        assert (log.rows.height, log.unreadable) == (0, 2)
        assert "loss is printed without a step" in log.problems[0].message

    def test_a_resumed_run_of_lightning(self, tmp_path: Path) -> None:
        """Lines of a real console: 2.5 epochs of 16 steps, and on from the checkpoint."""
        first = [(0, 8), (0, 16), (0, 0), (1, 0), (1, 1), (1, 16), (1, 0), (2, 0), (2, 8)]
        again = [(2, 0), (2, 9), (2, 16), (2, 0), (3, 0), (3, 12)]
        bar = "\rEpoch {}:  50%|█████     | {}/16 [00:00<00:00, 80.99it/s, v_num=0, train_loss=1.0]"
        text = "".join(bar.format(*place) for place in first)
        text += "`Trainer.fit` stopped: `max_steps=40` reached." + bar.format(2, 8) + "\n"
        log = self.read(tmp_path, text)
        assert list(values(log, "train", "loss")) == [8, 16, 17, 32, 40]
        assert (log.ended, log.max_steps) == (True, 40)
        text += "".join(bar.format(*place) for place in again)
        log = self.read(tmp_path, text + "\n")
        assert list(values(log, "train", "loss")) == [8, 16, 17, 32, 40, 41, 48, 60]
        assert not log.ended
        log = self.read(tmp_path, text + "`Trainer.fit` stopped: `max_steps=60` reached.\n")
        assert (log.ended, log.max_steps) == (True, 60)

    def test_the_end_of_a_run_and_its_going_on(self, tmp_path: Path) -> None:
        text = "`Trainer.fit` stopped: `max_steps=500` reached.\n"
        log = self.read(tmp_path, text)
        assert (log.ended, log.max_steps) == (True, 500)
        more = "Epoch 0: | | 501/? [00:01<00:00, 1.00it/s]\n"
        assert not self.read(tmp_path, text + more).ended

    def test_a_bar_and_the_end_in_one_line(self, tmp_path: Path) -> None:
        text = (
            "Epoch 0: :  60%|██████    | 6024/10000 [4:26:54<2:56:09, v_num=0, global_step=6023.0,"
        )
        text += " train_step_timing in s=2.590, val_loss=0.0917][rank: 1] Monitored metric val_loss"
        text += " did not improve in the last 5 records. Signaling Trainer to stop.\n"
        log = self.read(tmp_path, text)
        assert log.ended
        assert values(log, "validation", "loss") == {6023: 0.0917}

    @given(st.text(max_size=300), st.sampled_from(["", "Epoch 1: 5/9 [00:01<00:01, ", "{'loss': "]))
    def test_no_line_is_too_odd(self, text: str, begin: str) -> None:
        said = read_line(begin + text)
        assert said is None or all(isinstance(value, float) for value in said.values.values())

    def test_numbers_of_any_length_are_no_steps(self, tmp_path: Path) -> None:
        nines = "9" * 2000
        text = f"Epoch {nines}: {nines}/{nines} [00:01<00:00, 1.00it/s, loss=1.0]\n"
        text += (
            f"max_steps={nines}\n[Step {nines}/9] loss: 1.0\nEpoch 0: 1/1 [00:01<00:00, loss=2.0]\n"
        )
        log = self.read(tmp_path, text)
        assert log.max_steps is None
        assert set(log.rows["value"].to_list()) == {2.0}

    def test_an_unfreeze_is_noted_at_its_step(self, tmp_path: Path) -> None:
        text = "Epoch 2: 100/? [00:01<00:00, 1.00it/s]\nStrategy A: Unfreezing Top 8 Audio Layers\n"
        assert self.read(tmp_path, text).unfreezes == (100,)

    def test_binary_garbage_and_endless_lines_say_nothing(self, tmp_path: Path) -> None:
        garbage = (
            bytes(range(256)) * 500 + b"Epoch 0: 1/2 [00:00<00:00, 1.00it/s, " + b"a=" * 90_000
        )
        log = self.read(tmp_path, garbage + b"\nEpoch 0: | | 5/? [00:01<00:00, 1.00it/s]\n")
        assert values(log, "train", "steps_per_second") == {5: 1.0}


class TestSources:
    def test_logs_are_found_and_other_files_are_not(self, tmp_path: Path) -> None:
        for name in (
            "checkpoint-10/trainer_state.json", "checkpoint-9/trainer_state.json",
            "version_0/metrics.csv", "events.out.tfevents.1.host", "train.out",
            "nemo_log_globalrank-0_localrank-0.txt", "nemo_log_globalrank-1_localrank-1.txt",
            "nemo_error_log.txt", "lightning_logs.txt", "config.json", "notes.csv",
        ):  # fmt: skip
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        found = [(source.kind, source.file) for source in find_sources(tmp_path)]
        assert found == [
            (Kind.TRAINER_STATE, "checkpoint-9/trainer_state.json"),
            (Kind.TRAINER_STATE, "checkpoint-10/trainer_state.json"),
            (Kind.CSV, "version_0/metrics.csv"),
            (Kind.EVENTS, "events.out.tfevents.1.host"),
            (Kind.TEXT, "nemo_log_globalrank-0_localrank-0.txt"),
            (Kind.TEXT, "train.out"),
        ]

    def test_a_run_of_asrdq_train_is_its_own_log_alone(self, tmp_path: Path) -> None:
        """Its trainer may log besides, rounded or by other names: nothing is told twice."""
        (tmp_path / "checkpoint-5").mkdir()
        (tmp_path / "checkpoint-5" / "trainer_state.json").write_text('{"log_history": []}')
        info = tmp_path / "training_run_info.json"
        info.write_text('{"state": "running", "total_steps": 30}')
        with pytest.raises(UsageError, match="has logged nothing yet"):
            find_sources(tmp_path)
        (tmp_path / "metrics.csv").write_text("step,train_loss\n1,2.0\n")
        assert [source.file for source in find_sources(tmp_path)] == [
            "metrics.csv",
            "training_run_info.json",
        ]
        log = LogReader(tmp_path).read()
        assert (log.max_steps, log.ended, log.rows.height) == (30, False, 1)
        info.write_text('{"state": "stopped", "total_steps": 30}')
        assert LogReader(tmp_path).read().ended
        info.write_text('{"state": "fin')
        broken = LogReader(tmp_path).read()
        assert (broken.ended, broken.unreadable) == (False, 1)
        assert "cannot be understood" in broken.problems[0].message

    def test_a_folder_of_runs_is_refused(self, tmp_path: Path) -> None:
        for name in ("a/checkpoint-1", "a/checkpoint-2", "b/checkpoint-1"):
            (tmp_path / name).mkdir(parents=True)
            (tmp_path / name / "trainer_state.json").touch()
        with pytest.raises(UsageError, match="2 runs in this folder") as caught:
            find_sources(tmp_path)
        assert f"asrdq watch {tmp_path}/a {tmp_path}/b" in str(caught.value)
        assert len(find_sources(tmp_path / "a")) == 2

    def test_a_file_is_a_run_too(self, tmp_path: Path) -> None:
        (tmp_path / "console").touch()
        assert [source.kind for source in find_sources(tmp_path / "console")] == [Kind.TEXT]

    def test_a_folder_without_logs_says_what_is_read(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no log of a training run") as caught:
            find_sources(tmp_path)
        assert "trainer_state.json" in str(caught.value)
        with pytest.raises(UsageError, match="no such file"):
            find_sources(tmp_path / "none")

    def test_a_wandb_file_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "offline-run-1").mkdir()
        (tmp_path / "offline-run-1" / "run-1.wandb").write_bytes(b":W&B")
        with pytest.raises(UsageError, match=r"\.wandb file") as caught:
            find_sources(tmp_path)
        assert "log to TensorBoard or CSV" in str(caught.value)
        (tmp_path / "offline-run-1" / "files").mkdir()
        (tmp_path / "offline-run-1" / "files" / "output.log").touch()
        assert [source.kind for source in find_sources(tmp_path)] == [Kind.TEXT]

    def test_a_log_that_cannot_be_opened_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "train.log").symlink_to(tmp_path / "gone.log")
        (tmp_path / "trainer_state.json").write_text("{}")
        (source,) = find_sources(tmp_path)  # the link leads nowhere
        source.path.unlink()
        with pytest.raises(ToolError, match="cannot be read"):
            source.read()
