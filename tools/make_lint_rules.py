"""Write the table of rules on the page of the lint from the registry of rules.

python tools/make_lint_rules.py          # writes docs/lint.md
python tools/make_lint_rules.py --check  # fails if the page is not fresh
"""

from __future__ import annotations

import sys
from pathlib import Path

from asrdq.linting import every_rule

PAGE = Path(__file__).resolve().parent.parent / "docs" / "lint.md"
MARK = "## Every rule\n"


def table() -> str:
    """Return the table of all rules."""
    lines = ["| rule | level | needs | reason | mend |", "| --- | --- | --- | --- | --- |"]
    for rule in every_rule().values():
        needs = ", ".join(f"`{option}`" for option in rule.needs)
        fixes = " (`--fix`)" if rule.fixes else ""
        cells = [f"`{rule.id}`", rule.level.value, needs, rule.reason, f"{rule.mend}{fixes}"]
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def fresh_page() -> str:
    """Return the page as it has to be: what people wrote, and the table."""
    written, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    told = "\nMade by `tools/make_lint_rules.py` from the rules themselves.\n\n"
    return f"{written}{MARK}{told}{table()}"


def main() -> None:
    """Write the page, or say whether it is fresh."""
    page = fresh_page()
    if "--check" not in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
    elif page != PAGE.read_text(encoding="utf-8"):
        sys.exit(f"{PAGE} is not fresh: python tools/make_lint_rules.py")


if __name__ == "__main__":
    main()
