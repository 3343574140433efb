"""The page in a real browser: no request, no complaint, no sideways scrolling, playable audio."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.gates import sign_off, waive
from asrdq.reporting import write_report

if TYPE_CHECKING:
    from tests.reporting.conftest import Audited

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:9/beacon.png"  # the discard port: nobody listens
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-default-apps", "--disable-extensions", "--virtual-time-budget=10000"),
    *("--enable-logging=stderr", "--allow-file-access-from-files", "--dump-dom"),
    *("--disable-features=NetworkTimeServiceQuerying", "--proxy-server=127.0.0.1:9"),
)
PROBE = """<script>
addEventListener("load", async () => {
  const players = [...document.querySelectorAll("audio")];
  await Promise.all(players.map(p => p.readyState ? 0 : new Promise(done => {
    p.onloadedmetadata = done; p.onerror = done; p.load(); })));
  const doc = document.documentElement;
  parent.postMessage({
    durations: players.map(p => p.duration),
    wide: doc.scrollWidth, room: innerWidth,
    outside: [...document.querySelectorAll("main *")].filter(e => !e.closest(".scroll, .hidden")
      && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80)),
  }, "*");
});
</script></body>"""
FRAME = """<iframe src="{page}" style="width:{width}px;height:800px;border:0"></iframe>
<pre id="found"></pre><script>addEventListener("message",
e => document.getElementById("found").textContent = JSON.stringify(e.data))</script>"""


@dataclass(frozen=True)
class Visit:
    """What a browser did with a page: its document, its console and its requests."""

    dom: str
    console: list[str]
    requests: list[str]


def visit(chromium: str, page: Path, folder: Path) -> Visit:
    log = folder / "network.json"
    own = (f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}")
    done = subprocess.run(
        [chromium, *FLAGS, *own, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Visit(done.stdout, console, requests(log))


def requests(log: Path) -> list[str]:
    """Return what pages asked for; the browser's own requests have no origin."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    return sorted(
        {
            params["url"]
            for params in asked
            if params["initiator"] != "not an origin" and params["url"].startswith("http")
        }
    )


def probed(chromium: str, page: Path, folder: Path, width: int) -> dict[str, Any]:
    """Measure a copy of the page that carries a script, in a frame of some width."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    copy, frame = folder / "copy.html", folder / "frame.html"
    copy.write_text(text.replace("</body>", PROBE), encoding="utf-8")
    frame.write_text(FRAME.format(page=copy.as_uri(), width=width), encoding="utf-8")
    found = re.search(r'<pre id="found">(.*?)</pre>', visit(chromium, frame, folder).dom)
    assert found
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    return result


@pytest.fixture
def page(audited: Audited) -> Path:
    audited.ingest(lambda row: row.update(text=f"{'thank you' * 40} [laughs]"))
    audited.write_audit(5)
    waive(audited.workspace, "rate", owner="A" * 80, until=dt.date(9999, 1, 1), reason="b" * 300)
    audited.gate()
    audited.score()
    audited.check("expect_text_without_brackets", "expect_text_without_loops")
    sign_off(audited.workspace, audited.manifest, by="Dana", note="c" * 300)
    return write_report(audited.workspace, "train", clips=6).path


def test_the_guard_against_requests_trips(chromium: str, tmp_path: Path) -> None:
    leaky = tmp_path / "leaky.html"
    leaky.write_text(f'<img src="{NOWHERE}"><script>console.log("hello")</script>', "utf-8")
    seen = visit(chromium, leaky, tmp_path)
    assert NOWHERE in seen.requests
    assert seen.console


def test_the_policy_of_the_page_stops_what_is_smuggled_in(
    page: Path, chromium: str, tmp_path: Path
) -> None:
    smuggled = f'<img src="{NOWHERE}"><script>document.title = "ran"</script></body>'
    text = page.read_text(encoding="utf-8").replace("</body>", smuggled)
    worse = tmp_path / "worse.html"
    worse.write_text(text, encoding="utf-8")
    seen = visit(chromium, worse, tmp_path)
    assert NOWHERE not in seen.requests
    assert "<title>ran</title>" not in seen.dom
    assert any("Content Security Policy" in line for line in seen.console)


def test_the_page_asks_for_nothing_and_the_browser_has_no_complaint(
    page: Path, chromium: str, tmp_path: Path
) -> None:
    seen = visit(chromium, page, tmp_path)
    assert seen.console == []
    assert seen.requests == []
    assert "CAUTION" in seen.dom


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_the_screen_and_every_player_has_its_sound(
    page: Path, chromium: str, tmp_path: Path, width: int
) -> None:
    found = probed(chromium, page, tmp_path, width)
    assert found["room"] == width
    assert found["wide"] <= width
    assert found["outside"] == []
    assert found["durations"] == pytest.approx([2.0] * 6, abs=0.15)
