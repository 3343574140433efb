"""Pages without an audit: of a manifest that was checked or scored only, and a leaderboard."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asrdq
from asrdq.leaderboard.sclite import MEASURES
from asrdq.places import Place
from asrdq.reporting.rates import further_plots, leaderboard_plots
from asrdq.reporting.templating import fill
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.reporting.checked import Checked
    from asrdq.reporting.scored import Scored
    from asrdq.reporting.training import RunPanel
    from asrdq.workspace import ManifestVersion


def render_unaudited_page(
    manifest: ManifestVersion,
    checked: Checked | None,
    scored: Scored | None,
    unaudited: str,
    written: dt.datetime,
    training: Sequence[RunPanel] = (),
) -> str:
    """Return the page about a manifest that was checked or scored, and not audited, as HTML.

    Args:
        manifest: The version that was asked about.
        checked: What suites of expectations said, None where none was run.
        scored: What its hypotheses scored, None where none were.
        unaudited: Why there is no audit to show.
        written: The time that the page gives as its own.
        training: Runs that train on the manifest.
    """
    context = {
        "manifest": manifest,
        "checked": checked,
        "scored": scored,
        "training": training,
        "others": scored.others if scored else (),
        "unaudited": unaudited,
        **_common(written),
    }
    return fill("unaudited_page.html.j2", context)


def render_leaderboard(board: Leaderboard, written: dt.datetime) -> str:
    """Return a leaderboard as one HTML page that needs nothing but itself."""
    context = {
        "board": board,
        "plots": leaderboard_plots(board),
        "groups": further_plots(section for section in board.sections if not section.fixed),
        "no_durations": False,
        "sclite_measures": MEASURES,
        "manifest": None,
        "checked": None,
        "others": (),
        **_common(written),
    }
    return fill("leaderboard_page.html.j2", context)


def _common(written: dt.datetime) -> dict[str, Any]:
    versions = {"asrdq (report)": asrdq.__version__, "Python (report)": platform.python_version()}
    return {"written": written, "versions": versions}


def write_leaderboard(board: Leaderboard, path: Place) -> Place:
    """Write a leaderboard as one HTML page and return its path.

    Raises:
        ToolError: The file cannot be written.
    """
    html = render_leaderboard(board, dt.datetime.now(dt.UTC))
    with whole_file(path) as file:
        file.write(html.encode("utf-8", "replace"))
    return path
