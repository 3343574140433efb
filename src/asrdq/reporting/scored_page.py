"""Pages about scored hypotheses: of a manifest that was not audited, and a leaderboard alone."""

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
    from asrdq.reporting.scored import Scored
    from asrdq.reporting.training import RunPanel
    from asrdq.workspace import ManifestVersion


def render_scored_page(
    manifest: ManifestVersion,
    scored: Scored,
    unaudited: str,
    written: dt.datetime,
    training: Sequence[RunPanel] = (),
) -> str:
    """Return the page about a manifest that was scored and not audited, as HTML.

    Args:
        manifest: The version that was asked about.
        scored: What its hypotheses scored.
        unaudited: Why there is no audit to show.
        written: The time that the page gives as its own.
        training: Runs that train on the manifest.
    """
    context = {
        "manifest": manifest,
        "scored": scored,
        "training": training,
        "others": scored.others,
        "unaudited": unaudited,
        **_common(written),
    }
    return fill("scored_page.html.j2", context)


def render_leaderboard(board: Leaderboard, written: dt.datetime) -> str:
    """Return a leaderboard as one HTML page that needs nothing but itself."""
    context = {
        "board": board,
        "plots": leaderboard_plots(board),
        "groups": further_plots(section for section in board.sections if not section.fixed),
        "no_durations": False,
        "sclite_measures": MEASURES,
        "manifest": None,
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
