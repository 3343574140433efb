"""`asrdq init`: a new workspace with commented settings, a default policy and suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import ToolError, UsageError
from asrdq.places import Place, S3Path, within
from asrdq.results import Result
from asrdq.shipped import shipped_file
from asrdq.workspace.files import whole_file
from asrdq.workspace.layout import FOLDERS, Layout, check_root

if TYPE_CHECKING:
    import pyarrow as pa

SETTINGS_TEXT = """\
# Settings of this asrdq workspace. Every key is shown with its default value; an unknown key
# is an error. Delete what you do not change: a missing key has its default.

# A name for reports.
project: speech-data

# Language of the transcripts where a manifest does not say it (ISO 639-1).
language: en

# Folder that relative audio paths start from. Without it: the folder of the manifest file, or,
# for absolute paths, the folder they have in common. Set it when the audio moves.
audio_root: null

# Worker processes; 0 means one per CPU core.
workers: 0

# Where clips are aligned, measured and transcribed: local, processes of this machine; ray, a
# Ray cluster (docs/scale.md).
engine: local
ray:
  # auto on a node of the cluster, or host:port of its head; null starts Ray on this machine.
  address: null
  # What a worker takes; a fraction lets several share a GPU, 0 hides GPUs from them.
  cpus_per_worker: 1.0
  gpus_per_worker: 0.0
  # Work handed out and answers on their way, at most (MB).
  in_flight_mb: 256.0
  # How long to wait while not one worker is running (seconds).
  patience_s: 300.0

# What a verdict must satisfy.
policy: policies/default.yaml

ingest:
  # An ingest fails, and makes no version, above this share of rejected lines (0 to 1).
  max_reject_share: 0.01
  # A clip longer than this is a mistake in the manifest (seconds).
  max_duration_s: 36000.0

sampling:
  # The same seed draws the same rows on any machine.
  seed: 42
  # Share of the rows that an audit looks at (above 0, to 1).
  fraction: 0.10
  # proportional: as in the manifest; equal: the same number from each stratum;
  # shares: as the rules under `strata` say.
  allocation: proportional
  # Strata come from a column (domain), from several ([domain, speaker]), or from rules, of
  # which the first whose SQL condition holds takes the row:
  #   strata:
  #     - {name: noisy, where: "domain = 'phone' AND duration_s < 5", share: 0.4}
  #     - {name: clean, where: "domain = 'studio'", share: 0.4}
  #     - {name: long_tail, share: 0.2}
  strata: null

audit:
  # How transcripts are laid over audio: pocketsphinx, ctc:MODEL, qwen:MODEL or import:FOLDER.
  aligner: pocketsphinx
  # Where a neural aligner runs (auto, cpu, cuda, cuda:1), and most clips it gets at once.
  device: auto
  batch_size: 8
  # Most seconds of audio in a batch, the longest clips first; null: any, in the order of ids.
  batch_seconds: null
  # A clip below either is of low quality (0 to 1).
  coverage_minimum: 0.6
  confidence_minimum: 0.5
  # Usual speed of speech in letters and digits a second: a number, `auto` (the median of each
  # language in the sample), or one for every language of the data ({en: 14, de: 13}).
  characters_per_second: 10.0
  # Share of faultless clips that the calibrated audit may flag (above 0, below 0.5).
  false_alarm_budget: 0.02
  # Clips that faults are planted on to fit the threshold (20 or more).
  calibration_clips: 150
  # An instrument that separates planted faults worse than this cannot judge (0.5 to 1).
  minimum_auc: 0.9
  # Nor can one that aligns more than this share of the clips only with extraordinary effort, or
  # not at all: the audio is beyond the aligner, or most transcripts are wrong (0 to 1).
  maximum_strained: 0.5
  # With --hypotheses, a clip above any of these is of low quality: character error rate between
  # transcript and hypothesis, that of the first or last three words, difference in length.
  hypothesis_cer_maximum: 0.3
  hypothesis_edge_cer_maximum: 0.6
  hypothesis_length_difference_maximum: 0.3

watch:
  # The validation metric that is reported: auto (the first of wer, ker, cer and loss), or its name.
  metric: auto
  # Rules that stop a run; the others warn. docs/watch.md lists them.
  stop: [non_finite_loss]
  # Overfit: so many evaluations, each worse than the one before, while the training loss falls.
  overfit_evaluations: 3
  # Plateau: so many evaluations without a new best, or more epochs than this.
  patience: 5
  maximum_epochs: 30.0
  # Training loss after an unfreeze. `auto` takes the losses for runs whose loss was scale_low to
  # back before, and ratios to that loss for others; `absolute` and `ratio` take one for all.
  unfreeze:
    scale: auto
    scale_low: 0.10
    peak: 0.40
    back: 0.25
    abnormal: 0.50
    peak_ratio: 2.0
    back_ratio: 1.25
    abnormal_ratio: 2.5
    expected_steps: 100
    abnormal_steps: 200
  # Gradient norms beyond these, so many logged ones in a row.
  gradient_unstable: 50.0
  gradient_vanishing: 0.01
  gradient_in_a_row: 3
  # The learning rate may reach its minimum after this share of the steps (0 to 1).
  learning_rate_floor_share: 0.80
  # A step computes for at least this share of its time on the clock (0 to 1).
  compute_share_minimum: 0.80
  samples_per_second_minimum: 3.0
  # What the GPU has, and from where on a longer clip may end the run.
  memory_gb: 40.0
  memory_alarm_gb: 38.0
  gpu_use_minimum: 0.80

# Thresholds for an aligner and a language, which `asrdq calibrate` writes here.
calibrations: []
"""

_SHIPPED = (("policies", "default.yaml"), ("expectations", "asr_manifest.json"))


@dataclass(frozen=True)
class InitResult(Result):
    """What `asrdq init` made, and what it found and left alone.

    Attributes:
        root: The workspace.
        created: Files and folders it made, relative to the root.
        kept: Files that were there and were not touched.
    """

    main_table: ClassVar[str] = "created"

    root: Place
    created: tuple[str, ...]
    kept: tuple[str, ...]

    def summary(self) -> str:
        """Return the two lists in plain text."""
        lines = [f"workspace {self.root}"]
        lines += [f"  made      {name}" for name in self.created]
        lines += [f"  left alone {name}" for name in self.kept]
        return "\n".join(lines)

    def arrow(self) -> pa.Table:
        """Return one row a file or folder, with whether it was made now."""
        import pyarrow as pa

        names = [*self.created, *self.kept]
        made = [True] * len(self.created) + [False] * len(self.kept)
        return pa.table({"path": pa.array(names, pa.string()), "made": pa.array(made, pa.bool_())})


def initialise(folder: Place) -> InitResult:
    """Create a workspace; what is there already is left alone.

    Raises:
        UsageError: The path is a file, or has characters a workspace path cannot have.
        ToolError: The folder cannot be written.
    """
    root = check_root(folder.expanduser().resolve())
    if isinstance(root, S3Path):
        from asrdq.s3 import check_bucket

        check_bucket(root)
    layout = Layout(root)
    texts: dict[Place, bytes] = {layout.settings_file: SETTINGS_TEXT.encode()}
    for directory, name in _SHIPPED:
        texts[root / directory / name] = shipped_file(directory, name).read_bytes()
    try:
        folders = [f"{name}/" for name in FOLDERS if _make_folder(root / name)]
        files = {path: _write_new(path, text) for path, text in texts.items()}
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(
            "is a file, not a folder", where=str(error.filename), hint="asrdq init ANOTHER_FOLDER"
        ) from error
    except OSError as error:
        raise ToolError(f"cannot write: {error.strerror}", where=str(error.filename)) from error
    made = [within(path, root) or "" for path, new in files.items() if new]
    kept = [within(path, root) or "" for path, new in files.items() if not new]
    return InitResult(root=root, created=(*folders, *made), kept=tuple(kept))


def _make_folder(path: Place) -> bool:
    """Make a folder that is missing; on S3 folders come with what is in them."""
    if isinstance(path, S3Path):
        return False
    new = not path.is_dir()
    path.mkdir(parents=True, exist_ok=True)
    return new


def _write_new(path: Place, content: bytes) -> bool:
    """Write a file unless there is one; half a file is never left behind."""
    if path.exists():
        return False
    with whole_file(path) as file:
        file.write(content)
    return True
