"""The report of a fit: what stands in it in every state, that all in it is text, and what a browser makes of it."""

import functools
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from drawn_data import T, X, Y, Z, decay

import autoopt
from autoopt.errors import UsageError
from autoopt.fitting import keeping
from autoopt.reports import facts, figures, sections
from autoopt.reports.figures import VARIABLES
from autoopt.reports.sections import SECTIONS
from autoopt.reports.writing import HEADLINES

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "{{ 7 * 7 }} in$\\frac{$ ]]> a_name_without_any_break_that_is_far_longer_than_a_phone_is_wide_whatever_the_letters",
)


def logistic_terms(beta, X, y):
    """Terms; "</code></pre><script>alert(3)</script>" & <b>."""
    eta = X @ beta
    return np.logaddexp(0, eta) - y * eta


def logistic():
    return autoopt.fit(logistic_terms, np.zeros(3), (X, Y), kind="negative log-likelihood", names=HOSTILE)


def squares():
    found = autoopt.fit(decay, {"a": 1.0, "rate": 1.0}, (T, Z), kind="least squares")
    found.profile("rate")
    return found


def separated():
    x = np.column_stack([np.ones(12), np.arange(12.0)])
    y = (np.arange(12) > 5).astype(float)
    return autoopt.fit(logistic_terms, np.zeros(2), (x, y), kind="negative log-likelihood")


def not_identified():
    return autoopt.fit(lambda p, t, z: z - p[0] * np.exp(p[1] - p[2] * t), np.ones(3), (T, Z), kind="least squares")


def interrupted():
    def impatient(event):
        if event.iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stop:
        autoopt.fit(logistic_terms, np.zeros(3), (X, Y), kind="negative log-likelihood", progress=impatient)
    return stop.value.fit


def wide():
    A = np.random.default_rng(1).normal(size=(400, 60))
    w = A @ np.linspace(-1, 1, 60) + np.random.default_rng(2).normal(size=400)
    names = [f"covariate {k}" for k in range(60)]
    return autoopt.fit(lambda b, A, w: w - A @ b, np.zeros(60), (A, w), kind="least squares", names=names)


FITS = {
    "converged": logistic,
    "squares": squares,
    "not converged": separated,
    "not identified": not_identified,
    "interrupted": interrupted,
    "wide": wide,
}


@functools.cache
def fitted(name):
    return FITS[name]()


@functools.cache
def page(name):
    return fitted(name).report()


class Elements(HTMLParser):
    """Collects the elements with their attributes, and the text outside of styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self._open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data


PLAIN = [name if name != "wide" else pytest.param(name, marks=pytest.mark.slow) for name in FITS]


@pytest.mark.parametrize("name", PLAIN)
def test_a_fit_in_any_state_has_a_report_that_says_so_at_the_top(name):
    status, text = fitted(name).status, page(name)
    assert f'<p class="verdict">{HEADLINES[status][1]}.</p>' in text and "could not be made" not in text
    top = text[text.index("<header") : text.index("</header>")]
    assert ('class="reason"' in top) == (status != "converged")
    have = re.findall(r'<section id="(\w+)">', text)
    assert have == [name for name in SECTIONS if name in have]
    least = {"summary", "certificate", "convergence", "coefficients", "derivatives", "environment"}
    assert least <= set(have)
    assert {"spectrum", "data", "model"} <= set(have)
    assert "def value_and_grad" in text or "def jacobian" in text


@pytest.mark.parametrize("name", PLAIN)
def test_a_page_needs_nothing_and_runs_nothing(name):
    found = Elements(page(name))
    assert not {"script", "img", "iframe", "object", "embed", "b"} & set(found.tags)
    assert not [one for one in found.attributes if one[1].startswith("on")]
    addresses = [value for _, key, value in found.attributes if key in ("href", "src", "xlink:href")]
    assert addresses and all(value.startswith("#") or value == "data:," for value in addresses)
    assert not re.search(r"@import|url\((?!#)|https?://(?!www\.w3\.org/2000/svg)", page(name))


@pytest.mark.parametrize("name", PLAIN)
def test_ids_of_a_page_are_its_own_and_references_lead_to_them(name):
    found = Elements(page(name))
    ids = [value for _, key, value in found.attributes if key == "id"]
    wanted = {value[1:] for _, key, value in found.attributes if key == "href" and value.startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", page(name)))
    assert len(ids) == len(set(ids)) and wanted <= set(ids)


def test_hostile_names_and_code_stay_text():
    text = Elements(page("converged")).text
    assert all(name in text for name in HOSTILE) and "</code></pre><script>alert(3)" in text


def test_pictures_have_the_colours_of_the_page():
    drawings = re.findall(r"<svg.*?</svg>", page("converged"), re.S)
    assert len(drawings) == 6
    for drawing in drawings:
        assert not re.search(r"#[0-9a-f]{6}\b|DejaVu|<metadata|xlink", drawing) and "aria-label" in drawing
        assert set(re.findall(r"var\(--(\w+)\)", drawing)) <= set(VARIABLES.values())
    style = (Path(sections.__file__).parent / "page.css").read_text()
    assert all(style.count(f"--{name}:") == 2 for name in VARIABLES.values())


def test_a_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    assert fitted("squares").report(path) == path.read_text(encoding="utf-8")
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        fitted("not identified").report(path)
    assert "residual s" in path.read_text(encoding="utf-8") and [one.name for one in tmp_path.iterdir()] == [
        "report.html"
    ]


def test_a_part_that_fails_is_told_and_the_others_stand(monkeypatch):
    monkeypatch.setattr(sections, "drawn", lambda page, kind: [])
    monkeypatch.setattr(facts, "environment", lambda fitted: 1 / 0)
    text = fitted("squares").report()
    assert "This part could not be made: ZeroDivisionError" in text and "residual s" in text


def test_without_matplotlib_the_page_tells_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    figures._figures.cache_clear()
    text = fitted("squares").report()
    assert "<svg" not in text and "run pip install &#34;autoopt[plot]&#34;" in text


def test_without_jinja2_the_command_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match="A report needs jinja2") as missing:
        fitted("squares").report()
    assert "autoopt[report]" in missing.value.remedy


def test_the_data_are_told_by_names_and_ranges_alone():
    text = Elements(page("squares")).text
    assert f"{T.max():.5g}" in text and not any(repr(float(value)) in text for value in Z[1:-1])


def test_data_of_any_kind_have_their_rows():
    import pandas as pd
    from scipy.sparse import csr_array

    def objective(p, table, parts, matrix, text, odd):
        return np.sum((table["x"].to_numpy() - p) ** 2)

    frame = pd.DataFrame({"x": [1.0, np.nan, 3.0], "who": ["a", "b", "c"]})
    case = type("Case", (), {"call": {"args": (frame, {"k": 2}, csr_array(np.eye(3)), "abc", object())}})()
    case.minimised = type("Minimised", (), {"function": staticmethod(objective)})()
    rows = facts.data(type("Fitted", (), {"case": case})())[0].rows
    assert [row[0] for row in rows] == ["table[x]", "table[who]", "parts[k]", "matrix", "text", "odd"]
    assert rows[0][2:] == ["3", "1", "1", "2", "3"] and rows[3][1:3] == ["sparse float64", "3 × 3"]


# In a browser ---------------------------------------------------------------------------------------------------------

CHROMIUM = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
MEASURE = (
    "<script>addEventListener('load', () => parent.postMessage([document.documentElement.scrollWidth, innerWidth, "
    "document.querySelectorAll('section').length, getComputedStyle(document.body).backgroundColor, "
    "window.hit || 0, [...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth).length"
    "], '*'))</script>"
)
FRAME = (
    "<!DOCTYPE html><meta name='color-scheme' content='light dark'><script>addEventListener('message', event => "
    "document.documentElement.dataset.seen = event.data.join('|'))</script><iframe src='page.html' width={} height=900>"
)


def browsed(folder, text, width, dark=False):
    """Return what a browser tells of a page in a frame: width of the document and the frame, sections, background."""
    text = text.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    (folder / "page.html").write_text(text.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.format(width), encoding="utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom"]
    options += [f"--user-data-dir={folder / 'profile'}", "--window-size=1600,1000", "--virtual-time-budget=2000"]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = subprocess.run(
        [CHROMIUM, *options, (folder / "frame.html").as_uri()], capture_output=True, text=True, timeout=60
    )
    assert "CONSOLE" not in done.stderr, [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    seen = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert seen, done.stderr[-2000:]
    return seen.group(1).split("|")


CASES = [("converged", 390, True)] + [
    pytest.param(name, width, dark, marks=pytest.mark.slow)
    for name in FITS
    for width, dark in ((390, False), (1280, True))
]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
@pytest.mark.parametrize(("name", "width", "dark"), CASES)
def test_a_browser_shows_the_page_without_complaint_and_within_its_window(name, width, dark, tmp_path):
    document, window, count, background, hit, cut = browsed(tmp_path, page(name), width, dark)
    assert int(document) <= int(window) == width and int(count) == page(name).count("<section ") and hit == "0"
    assert cut == "0", "all columns of the tables are within the window of a phone"
    assert background == ("rgb(15, 20, 25)" if dark else "rgb(255, 255, 255)")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_the_browser_would_tell_what_is_wrong(tmp_path):
    broken = page("squares").replace("<main>", "<main><p style='width: 700px'>wide</p><img src='data:image/png,no'>")
    assert int(browsed(tmp_path, broken, 390)[0]) > 390
    with pytest.raises(AssertionError):
        browsed(tmp_path, page("squares").replace("<main>", "<main><script>nothing.there()</script>"), 390)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_the_page_is_printed(tmp_path):
    (tmp_path / "page.html").write_text(page("wide"), encoding="utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    target = f"--print-to-pdf={tmp_path / 'page.pdf'}"
    subprocess.run(
        [CHROMIUM, *options, target, (tmp_path / "page.html").as_uri()], capture_output=True, timeout=60, check=True
    )
    assert (tmp_path / "page.pdf").read_bytes()[:5] == b"%PDF-"


# In run directories ---------------------------------------------------------------------------------------------------


def test_a_run_directory_has_the_report(tmp_path):
    autoopt.fit(decay, {"a": 1.0, "rate": 1.0}, (T, Z), kind="least squares", run_dir=tmp_path / "run")
    assert "residual s" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_a_run_directory_without_a_report_says_what_one_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "find_spec", lambda name: None)
    found = autoopt.fit(decay, {"a": 1.0, "rate": 1.0}, (T, Z), kind="least squares", run_dir=tmp_path / "run")
    assert not (tmp_path / "run" / "report.html").exists()
    assert 'has no report, for which jinja2 is needed: pip install "autoopt[report]".' in " ".join(str(found).split())


def test_a_report_that_fails_loses_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr("autoopt.reports.report.subject_of", lambda fitted: 1 / 0)
    with pytest.warns(autoopt.errors.RunWarning, match="There is no report"):
        found = autoopt.fit(decay, {"a": 1.0, "rate": 1.0}, (T, Z), kind="least squares", run_dir=tmp_path / "run")
    assert found.status == "converged" and (tmp_path / "run" / "result.json").is_file()


# In notebooks ---------------------------------------------------------------------------------------------------------


def test_a_fit_is_shown_in_a_line_and_as_a_table():
    found = fitted("converged")
    assert repr(found).startswith("<Fit of logistic_terms: negative log-likelihood minimised by")
    assert ": converged, observations 300" in repr(found) and "\n" not in repr(found)
    shown = Elements(found._repr_html_())
    assert not {"script", "img"} & set(shown.tags) and all(name in shown.text for name in HOSTILE)
    assert shown.tags.count("tr") == len(found.names) + 1 + len(found._described().facts + found._described().lines)
