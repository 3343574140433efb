"""The benchmark runner fails where a ratio misses its floor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("floor", "ratio", "code"),
    [
        ({"at_least": 5}, 5.0, 0),
        ({"at_least": 5}, 4.9, 1),
        ({"at_most": 2}, 2.0, 0),
        ({"at_most": 2}, 2.1, 1),
        ({"at_least": 0.85, "at_most": 1.1}, 0.9, 0),
        ({"at_least": 0.85, "at_most": 1.1}, 1.2, 1),
    ],
)
def test_a_missed_floor_fails(
    floor: dict[str, float], ratio: float, code: int, project_root: Path, tmp_path: Path
) -> None:
    runner = (project_root / "benchmarks" / "run.py").read_text(encoding="utf-8")
    (tmp_path / "run.py").write_text(runner, encoding="utf-8")
    claims = [{"claim": "it is fast", "script": "fast.py", "arguments": [7], **floor}]
    (tmp_path / "claims.yaml").write_text(json.dumps(claims), encoding="utf-8")
    figures = f"{{'ratio': {ratio}, 'n': sys.argv[1]}}"
    script = f"import json, sys; print('warming up'); print(json.dumps({figures}))"
    (tmp_path / "fast.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert ("MISSED" in done.stdout) is bool(code)
    assert "n 7" in done.stdout
