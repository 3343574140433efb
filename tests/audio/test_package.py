"""The package says what it has, and costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import asrdq.audio
import asrdq.engine

HEAVY = ("numpy", "soundfile", "av", "pocketsphinx", "polars", "pyarrow", "multiprocessing")


def test_every_public_name_is_there() -> None:
    for package in (asrdq.audio, asrdq.engine):
        for name in package.__all__:
            assert getattr(package, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(asrdq.audio, "decoed")


def test_importing_the_package_or_the_verb_loads_nothing_heavy() -> None:
    code = (
        "import sys, asrdq.audio, asrdq.cli.probe;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_workers_do_not_load_the_tables() -> None:
    code = (
        "import sys, asrdq.audio.clip_probe;"
        "print([name for name in ('polars', 'pyarrow', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
