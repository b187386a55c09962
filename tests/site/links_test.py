"""The built site, `target/site`: no page loads anything from elsewhere, and no link within it is dead."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[2] / "target" / "site"
# The theme keeps templates in its own folder.
NAMES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
PAGES = [name for name in NAMES if not name.startswith("_static/")]
STYLES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.css"))
# What a browser loads by itself, in contrast to what it offers to follow.
LOADING = {"src", "srcset", "poster", "data", "href of link", "action"}


class Page(HTMLParser):
    """The anchors of a page, what it loads, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.loads: list[str] = []
        self.leads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        for name, value in given.items():
            if name in LOADING or f"{name} of {tag}" in LOADING:
                self.loads.append(value)
            elif name in ("href", "xlink:href"):
                (self.leads if tag == "a" else self.loads).append(value)
            if name == "style":
                self.loads.extend(urls(value))


def urls(style: str) -> list[str]:
    return [found.strip("\"' ") for found in re.findall(r"url\(([^)]*)\)", style)] + re.findall(
        r"@import\s+[\"']([^\"']+)", style
    )


@cache
def read(name: str) -> Page:
    page = Page()
    page.feed((SITE / name).read_text(encoding="utf-8"))
    return page


def elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.netloc) or parts.scheme not in ("", "data", "javascript")


def target(name: str, url: str) -> tuple[Path, str]:
    parts = urlsplit(url)
    path = unquote(parts.path)
    place = (SITE / name).parent / path if path else SITE / name
    place = place.resolve()
    return (place / "index.html" if place.is_dir() else place), unquote(parts.fragment)


def test_there_is_a_site() -> None:
    assert "index.html" in PAGES
    assert len(PAGES) > 30


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_from_elsewhere(name: str) -> None:
    page = read(name)
    assert page.loads
    assert not [url for url in page.loads if elsewhere(url)]


@pytest.mark.parametrize("name", STYLES)
def test_a_style_sheet_loads_nothing_from_elsewhere(name: str) -> None:
    text = (SITE / name).read_text(encoding="utf-8")
    assert not [url for url in urls(text) if elsewhere(url)]


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_dead(name: str) -> None:
    page = read(name)
    dead = []
    for url in [*page.loads, *page.leads]:
        if elsewhere(url) or url.startswith(("data:", "javascript:")):
            continue
        place, anchor = target(name, url)
        known = place.is_relative_to(SITE.resolve()) and place.exists()
        if known and anchor and place.suffix == ".html":
            known = anchor in read(place.relative_to(SITE.resolve()).as_posix()).anchors
        if not known:
            dead.append(url)
    assert not dead


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_nothing_about_where_it_was_built(name: str) -> None:
    """Such as in a warning or an error of its code."""
    text = (SITE / name).read_text(encoding="utf-8")
    assert str(SITE.parents[1]) not in text
    assert "site-packages" not in text


def test_links_to_other_sites_are_encrypted() -> None:
    plain = {url for name in PAGES for url in read(name).leads if url.startswith("http:")}
    assert not plain


@pytest.mark.parametrize(
    "name", ["index.html", "spacing.html", "api/generated/polars_grad.gradient.html", "search.html"]
)
def test_a_browser_asks_for_nothing_from_elsewhere(name: str, tmp_path: Path) -> None:
    """What scripts load too, such as the fonts of formulas."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("needs chromium, as installed by: apt-get install chromium")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    log = tmp_path / "log.json"
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}", "--virtual-time-budget=5000",
        "--dump-dom", f"{origin}/{name}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    finally:
        server.shutdown()
        server.server_close()
    if name != "search.html":
        assert "<h1>" in done.stdout
    # What the page asked for; the browser's own requests have no such initiator.
    asked = [
        event["params"]["url"]
        for event in json.loads(log.read_text(encoding="utf-8"))["events"]
        if event.get("params", {}).get("initiator", "").startswith(origin) and "url" in event["params"]
    ]
    assert any(url.endswith(".css") or ".css?" in url for url in asked)
    assert not [url for url in asked if not url.startswith((origin, "data:", "blob:"))]
    if "<mjx-container" in done.stdout:
        assert any(url.endswith(".woff") for url in asked)


class Quiet(SimpleHTTPRequestHandler):
    """A server that keeps no log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""
