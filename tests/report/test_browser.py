"""The page in a real browser: no error in the console, nothing cut, nothing on top of anything else.

Skipped where no Chromium is installed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from liquidity.report import write_report
from liquidity.runs.fit import FitJob, run_fit

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=20000", "--dump-dom"),
]
CATCH = """<script>window.caught = [];
window.addEventListener("error", function (event) { window.caught.push(String(event.message)); });
console.error = function (said) { window.caught.push(String(said)); };</script>"""
ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("probe.js")


def look(page: Path, width: int) -> dict[str, Any]:
    """Open the page in Chromium at a width and measure it, in English and then in Chinese."""
    text = page.read_text(encoding="utf-8")
    probed = page.with_name("probed.html")
    probe = f"<script>{PROBE.read_text(encoding='utf-8')}</script></body>"
    probed.write_text(text.replace("<head>", "<head>" + CATCH, 1).replace("</body>", probe), encoding="utf-8")
    place = [f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},1200", probed.as_uri()]
    done = subprocess.run([CHROMIUM, *FLAGS, *place], capture_output=True, text=True, timeout=180, check=True)
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return answer


def assert_sound(answer: dict[str, Any]) -> None:
    assert answer["caught"] == []
    for lang in ("en", "zh"):
        seen = answer[lang]
        assert seen["wide"] == []
        assert seen["scroll"] <= seen["width"]
        assert seen["clash"] == []
        assert seen["cut"] == []
        assert seen["tall"] == []


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
@pytest.mark.parametrize("width", [1280, 800, 500])
def test_nothing_overlaps_whatever_the_names(
    make_tables: Callable[..., dict[str, pd.DataFrame]], run: dict[str, Any], tmp_path: Path, width: int
) -> None:
    regions = ("east", "north", "a-region-with-a-very-long-name-on-the-northern-coast", "west")
    write_report(make_tables(regions=regions), run, tmp_path / "report.html")
    answer = look(tmp_path / "report.html", width)
    assert_sound(answer)
    assert answer["shown"].startswith("E-minimum")
    assert "未来30天" in answer["told"]
    assert "再投放给原借款人" in "".join(answer["zh"]["texts"]["waterfall-month"])
    expected = {
        name + kind
        for name in ("sankey", "waterfall-month", "waterfall-night", "limits", "funding", "cash")
        for kind in ("", "-paper")
    }
    assert expected == {name for name, texts in answer["en"]["texts"].items() if texts}


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
@pytest.mark.parametrize("declined", [0.0, 5.0])
def test_the_ends_nothing_declined_and_nearly_all(
    make_tables: Callable[..., dict[str, pd.DataFrame]], run: dict[str, Any], tmp_path: Path, declined: float
) -> None:
    write_report(make_tables(declined=declined), run, tmp_path / "report.html")
    assert_sound(look(tmp_path / "report.html", 1000))


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_the_probe_sees_what_is_wrong(
    make_tables: Callable[..., dict[str, pd.DataFrame]], run: dict[str, Any], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    write_report(make_tables(), run, page)
    styles = (
        ".key { margin-right: -60px } .headline { width: 1400px; max-width: none } "
        ".pan > .figure { min-width: 0; width: 40% } td { display: block; width: 12px; overflow: hidden }"
    )
    spoilt = f"<style>{styles}</style>"
    broken = "<script>figures.nothing()</script></body>"
    page.write_text(page.read_text("utf-8").replace("</head>", spoilt + "</head>").replace("</body>", broken), "utf-8")
    answer = look(page, 1000)
    assert any("figures is not defined" in said for said in answer["caught"])
    assert any(name.startswith("P.headline") for name in answer["en"]["wide"])
    assert any(text.startswith("Relent") for text in answer["en"]["tall"])
    assert any("Freed tonight" in pair for pair in answer["en"]["clash"])
    assert any("waterfall" in pair or "limits" in pair for pair in answer["en"]["clash"] + answer["en"]["cut"])


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_the_page_of_a_fit_on_a_narrow_screen(tmp_path: Path) -> None:
    history, macro = (ROOT / "data" / "history" / name for name in ("example.csv", "fed_domestic.csv"))
    job = FitJob(history, macro, ROOT / "models" / "candidates.toml", "2012 Q4", tmp_path / "fit")
    assert_sound(look(run_fit(job)[1] / "fit.html", 500))
