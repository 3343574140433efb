"""NeMo is imported without a word on the screen."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("nemo") is None, reason="the extra train is not installed"
    ),
]


def test_the_import_of_nemo_says_nothing_of_its_telemetry() -> None:
    code = "from asrdq.models.nemo import needs_nemo; needs_nemo('a test')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = done.stdout + done.stderr
    assert "OneLogger" not in told
    assert "No exporters" not in told
