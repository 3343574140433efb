"""How templates are filled in.

Every value is escaped by the template engine; pages carry no script and their content security
policy forbids any, so hostile transcripts and names stay text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asrdq.leaderboard.wording import MOST_SHOWN, amount, how
from asrdq.reporting import wording
from asrdq.reporting.plots import Scale

_TEMPLATES = Path(__file__).parent / "templates"


def fill(template: str, context: Mapping[str, Any]) -> str:
    """Return a template of this package, filled in."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        signed=signed,
        number=number,
        count=count,
        moment=moment,
        tick=tick,
        clip_text=clip_text,
    )
    environment.globals.update(
        explain=wording.explain,
        Scale=Scale,
        amount=amount,
        how=how,
        most_shown=MOST_SHOWN,
    )
    return environment


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as percent.

    >>> percent(0.075), percent(None)
    ('7.5 %', '–')
    """
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def signed(share: float, digits: int = 1) -> str:
    """Return a change of a share in percent points, with its sign.

    >>> signed(-0.075), signed(0.0)
    ('−7.5', '+0.0')
    """
    return f"{100 * share:+.{digits}f}".replace("-", "−")


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with fixed digits, a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def count(value: int) -> str:
    """Return a count with its thousands apart."""
    return f"{value:,}"


def tick(value: float) -> str:
    """Return the label of a tick, as short as it can be.

    >>> tick(0.30000000000000004), tick(-20.0)
    ('0.3', '−20')
    """
    return f"{value:.6g}".replace("-", "−")


def moment(value: dt.datetime | None) -> str:
    """Return a time as people write it, in UTC."""
    return "–" if value is None else f"{value.astimezone(dt.UTC):%d %b %Y, %H:%M} UTC"


def clip_text(value: object, length: int = 200) -> str:
    """Return a text that is cut where it is too long for its place."""
    text = str(value)
    return text if len(text) <= length else text[:length] + "…"
