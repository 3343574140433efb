"""Write `docs/reference/policy.schema.json`, the JSON Schema of policy files.

    python tools/make_policy_schema.py [--check]

With `--check` nothing is written; the exit code is 1 where the file is not up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from asrdq.gates import policy_schema

FILE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "policy.schema.json"


def main(arguments: list[str]) -> int:
    """Write or check the file and return the exit code."""
    text = json.dumps(policy_schema(), indent=2) + "\n"
    current = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if "--check" in arguments:
        if current != text:
            print(f"{FILE} is not up to date: run {Path(__file__).name}", file=sys.stderr)
        return int(current != text)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
