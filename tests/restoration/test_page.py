"""The page of what was restored: what it shows, and how it behaves in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
import typer.testing

from browser import Browser, browsing
from demosaic.cli import main
from demosaic.config.restoration import RestoreConfig
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box
from demosaic.models.checkpoint import save_model
from demosaic.models.compute import Compute
from demosaic.mosaic.grid import Grid
from demosaic.reporting.stage import View
from demosaic.restoration.batch import restore_files
from demosaic.restoration.image import restore_image
from demosaic.restoration.page import RestorePage
from doubles import a_model, drawing_model, mosaicked, our_model, save, texture

HOSTILE = 'javascript:alert(1) & "<b>x.png'
CONFIG = RestoreConfig(page=True)
CPU = Compute(torch.device("cpu"), False)


def two_mosaics() -> Pixels:
    picture = texture(96, 160)
    picture[20:60, 20:60] = mosaicked(40, 40, Grid.square(8))
    picture[30:70, 100:140] = mosaicked(40, 40, Grid.square(8), seed=1)
    return picture


@pytest.fixture(scope="module")
def drawing_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("draws") / "model.safetensors"
    model = drawing_model(32)
    save_model(path, model.generator, model.card)
    return path


def test_the_page_of_one_picture_lies_beside_its_result_and_replaces_nothing(folder: Path) -> None:
    source = save(folder / "a.png", mosaicked(32, 32, Grid.square(4)))
    pages = []
    for force in (True, True, False):
        out = folder / "b.png"
        report = restore_files(source, out, force=force, model=a_model(), config=CONFIG)
        pages.append(Path(report.page).name)
        out.unlink()
    assert pages == ["b.html", "b.html", "b-2.html"]


def test_the_page_of_several_links_to_their_results_and_names_what_failed(
    folder: Path,
) -> None:
    save(folder / "in" / HOSTILE, mosaicked(32, 32, Grid.square(4)))
    save(folder / "in" / "deep" / "b.png", mosaicked(32, 32, Grid.square(4)))
    save(folder / "in" / "clean <i>.png", texture(32, 32))
    out = folder / "out"
    report = restore_files(folder / "in", out, model=a_model(), config=CONFIG)
    assert report.page == str(out / "restored.html")
    page = (out / "restored.html").read_text()
    links = re.findall(r'href="([^"]*)"', page)
    assert all(link.startswith("./") for link in links)
    linked = {out / unquote(unescape(link)) for link in links}
    assert linked == {path for path in out.rglob("*.png")}
    assert "<title>Restored: 2 files</title>" in page
    assert "clean &lt;i&gt;.png" in page and "no mosaic" in page
    assert "<b>" not in page and "<i>" not in page
    assert str(folder) not in page


@pytest.mark.parametrize("realism", [0.0, 0.25, 0.5, 0.8])
def test_what_the_page_shows_first_is_what_was_written(realism: float) -> None:
    observed = (mosaicked(48, 48, Grid.square(8)) // 8 + 112).astype(
        np.uint8
    )  # far from black and white
    model, config = drawing_model(32), replace(CONFIG, realism=realism)
    restored = restore_image(observed, model, config, CPU)
    mean, draws, share = RestorePage(Path("p.html"), model, config, CPU).ends(observed, restored)
    blend = (1 - share) * mean + share * draws[0].astype(np.float32)
    assert np.abs(blend - restored.picture).mean() < 0.5  # each is rounded to the cells' colours
    assert len(draws) == 4


def test_a_model_with_one_sharp_picture_blends_the_mean_with_it() -> None:
    observed, model = mosaicked(32, 32, Grid.square(4)), our_model(32, wild=False)
    config = replace(CONFIG, realism=0.3)
    restored = restore_image(observed, model, config, CPU)
    _, draws, share = RestorePage(Path("p.html"), model, config, CPU).ends(observed, restored)
    assert (len(draws), share) == (1, 0.3)


def test_a_model_of_one_picture_has_no_draws_and_no_slider_for_them(folder: Path) -> None:
    source = save(folder / "a.png", mosaicked(32, 32, Grid.square(4)))
    page = Path(restore_files(source, model=a_model(), config=CONFIG).page).read_text()
    assert 'class="blend"' not in page and 'class="strip"' not in page
    assert "mean of all faces" not in page


def test_the_edges_of_cells_are_drawn_where_they_are() -> None:
    view = View(
        "", Box(0, 0, 9, 9), "", "", outline=Box(10, 20, 12, 9), cells=(5, 4.5), offset=(2, 0)
    )
    assert view.lines == "M12 20v9 M17 20v9 M10 24.5h12"


def test_open_writes_the_page_and_opens_it(
    folder: Path, drawing_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    source = save(folder / "a b.png", mosaicked(32, 32, Grid.square(4)))
    done = typer.testing.CliRunner().invoke(
        main.app, ["restore", str(source), "--model", str(drawing_file), "--open"]
    )
    assert done.exit_code == 0
    page = folder / "a b.restored.html"
    assert f"look at {page}\n" in done.stderr + done.stdout
    assert opened == [page.resolve().as_uri()]


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as one:
        yield one


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, drawing_file: Path) -> Path:
    folder = tmp_path_factory.mktemp("page")
    source = save(folder / HOSTILE, two_mosaics())
    report = restore_files(
        source, folder / "a.png", model=drawing_file, config=replace(CONFIG, spread=True)
    )
    return Path(report.page)


def computed(browser: Browser, selector: str, name: str) -> Any:
    return browser.run(f"getComputedStyle(document.querySelector('{selector}'))['{name}']")


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_overflows_and_nothing_complains(
    browser: Browser, page: Path, width: int, dark: bool
) -> None:
    assert browser.faults(page, width=width, dark=dark) == []


def test_the_second_slider_blends_from_mean_to_draw_by_the_keys(
    browser: Browser, page: Path
) -> None:
    browser.open(page, width=1200)
    assert computed(browser, ".draw", "opacity") == "1"
    browser.run("document.querySelector('.blend input').focus()")
    browser.press("Home", 36)
    assert computed(browser, ".draw", "opacity") == "0"
    for _ in range(3):
        browser.press("ArrowRight", 39)
    assert computed(browser, ".draw", "opacity") == "0.03"
    assert browser.run("document.activeElement.getAttribute('aria-valuetext')") == "3 % draw"


def test_another_draw_is_shown_in_every_mosaic(browser: Browser, page: Path) -> None:
    browser.open(page, width=1200)
    shown, chosen = browser.run("""(() => {
        document.querySelectorAll(".strip button")[2].click();
        const sources = selector => [...document.querySelectorAll(selector)].map(one => one.src);
        return [sources(".draw"), sources(".strip button:nth-child(3) img")];
    })()""")
    assert shown == chosen
    assert len({*shown}) == 2
    pressed = "[...document.querySelectorAll('.strip [aria-pressed=true]')].map(o => o.innerText)"
    assert browser.run(pressed) == ["draw 3", "draw 3"]


def test_a_button_looks_at_one_mosaic_or_the_whole_picture(browser: Browser, page: Path) -> None:
    browser.open(page, width=1200)
    places = browser.run("""(() => {
        const stage = document.querySelector(".stage");
        const outlines = [...document.querySelectorAll(".outline")];
        const middle = one => {
            const box = one.getBoundingClientRect();
            return box.left + box.width / 2 - stage.getBoundingClientRect().left;
        };
        return [...document.querySelectorAll(".look button")].map(button => {
            button.click();
            const strip = [...document.querySelectorAll(".strip")].findIndex(one => !one.hidden);
            const shares = outlines.map(one => Math.round(100 * middle(one) / stage.clientWidth));
            return [button.innerText, strip, ...shares];
        });
    })()""")
    assert places == [
        ["mosaic 1", 0, 50, 168],
        ["mosaic 2", 1, -68, 50],
        ["whole picture", 1, 25, 75],
    ]


def test_spread_and_cells_are_shown_when_asked(browser: Browser, page: Path) -> None:
    browser.open(page, width=390)
    for layer in ("spread", "marks"):
        assert computed(browser, f".{layer}", "visibility") == "hidden"
        browser.run(f"document.querySelector('[data-layer={layer}]').click()")
        assert computed(browser, f".{layer}", "visibility") == "visible"


def test_every_picture_says_what_and_whose_it_is(browser: Browser, page: Path) -> None:
    browser.open(page, width=390)
    names = browser.run("[...document.querySelectorAll('.sheet img')].map(one => one.alt)")
    assert len({*names}) == len(names) == 9
    assert all(name.startswith(HOSTILE) for name in names)
