"""A model runs where it was told to, or says that it cannot."""

from __future__ import annotations

import pytest

from asrdq.alignment import parse_aligner
from asrdq.errors import ToolError, UsageError
from asrdq.models import device_of
from asrdq.models.devices import weights_dtype, weights_named, workers_on
from asrdq.settings import RaySettings

torch = pytest.importorskip("torch", reason="the extra train is not installed")
pytestmark = pytest.mark.slow

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


def test_the_cpu_is_the_cpu() -> None:
    assert device_of("cpu") == torch.device("cpu")


@no_gpu
def test_auto_is_the_cpu_where_there_is_no_gpu() -> None:
    assert device_of("auto") == torch.device("cpu")


@no_gpu
@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "cuda:7"])
def test_a_gpu_that_is_not_there_is_told_and_nothing_takes_its_place(wanted: str) -> None:
    with pytest.raises(ToolError, match="a GPU is asked for") as told:
        device_of(wanted)

    assert told.value.hint == "--device cpu, or auto"


@pytest.mark.parametrize("wanted", ["gpu", "cuda:", "cuda:x", "cpu0", "", "mps"])
def test_what_is_no_device_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="is no device"):
        device_of(wanted)


def test_a_device_that_is_none_is_refused_by_every_aligner() -> None:
    with pytest.raises(UsageError, match="'gpu' is no device"):
        parse_aligner("pocketsphinx", device="gpu")
    assert parse_aligner("pocketsphinx", device="cuda:1").device == "cuda:1"


@pytest.mark.parametrize(
    ("device", "dtype"),
    [("cpu", torch.float32), ("cuda", torch.bfloat16), ("cuda:1", torch.bfloat16)],
)
def test_weights_are_halved_on_a_gpu(device: str, dtype: torch.dtype) -> None:
    assert weights_dtype(torch.device(device)) is dtype


@no_gpu
def test_answers_of_other_weights_are_of_another_version() -> None:
    """Where the workers of a cluster have GPUs counts, and not what this machine has."""
    assert weights_named("auto", None) == ""
    assert weights_named("cpu", "cuda") == " bfloat16"
    assert weights_named("cuda", "cpu") == ""


def test_the_workers_of_a_cluster_have_gpus_where_settings_give_them_some() -> None:
    assert workers_on(None) is None
    assert workers_on(RaySettings(gpus_per_worker=0.25)) == "cuda"
    assert workers_on(RaySettings()) == "cpu"
