"""What entry points name is found and built, or it is told why not."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from asrdq.errors import ToolError, UsageError
from asrdq.plug_ins import build_plug_in, find_plug_in


def point(value: str) -> EntryPoint:
    return EntryPoint("mine", value, "asrdq.things")


def test_a_name_leads_to_what_is_built_with_the_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([point("fractions:Fraction")])
    monkeypatch.setattr("asrdq.plug_ins.entry_points", points.select)
    found = find_plug_in("asrdq.things", "thing", "mine")
    assert str(build_plug_in(found, "thing", 1, 2)) == "1/2"
    with pytest.raises(UsageError, match="unknown thing 'mime'") as caught:
        find_plug_in("asrdq.things", "thing", "mime")
    assert caught.value.hint == "did you mean 'mine'? valid: mine"
    with pytest.raises(UsageError, match="unknown thing 'mine'"):
        find_plug_in("asrdq.others", "thing", "mine")


def test_what_cannot_be_built_is_told_with_the_reason_and_the_hint() -> None:
    for value in ("asrdq_absent:Thing", "fractions:Thing"):
        with pytest.raises(ToolError, match=r"the thing 'mine' cannot be built: .*Error: "):
            build_plug_in(point(value), "thing")
    with pytest.raises(ToolError, match="cannot be built: ZeroDivisionError") as caught:
        build_plug_in(point("fractions:Fraction"), "thing", 1, 0, hint="take another")
    assert caught.value.hint == "take another"


def test_what_it_says_itself_is_told_as_it_is() -> None:
    with pytest.raises(UsageError, match=r"^unknown device 'gqu'"):
        build_plug_in(point("asrdq.plug_ins:find_plug_in"), "thing", "none", "device", "gqu")
