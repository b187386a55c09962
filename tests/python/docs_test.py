"""What is written down is true: examples run, every public name and argument is explained."""

from __future__ import annotations

import ast
import doctest
import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import registry
from polars.testing import assert_frame_equal

import polars_grad as pg
from polars_grad import frames, grid
from polars_grad._engine.documentation import PARAMETERS, SECTIONS
from polars_grad._engine.operator import OPERATORS
from polars_grad.frames import with_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from conftest import Run

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
LARGER = ROOT / "docs" / "larger-than-memory.md"
DIMENSIONS = ROOT / "docs" / "n-dimensional.md"
# Pages with sessions, and pages with code and below it, as text, what it gives; the site runs the rest of their code.
CODE = re.MULTILINE | re.DOTALL
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))}
SESSIONS = [pytest.param(page, id=page.name) for page, text in PAGES.items() if "```python\n>>> " in text]
SHOWN = [
    pytest.param(page, id=page.name)
    for page, text in PAGES.items()
    if re.search(r"^```python\n(?!>>>)(?:(?!^```).)*^```\n\n```text\nshape: ", text, CODE)
]
# Modules of other engines have tests of their own.
MODULES: list[ModuleType] = [
    pg,
    *(
        import_module(module.name)
        for module in pkgutil.walk_packages(pg.__path__, "polars_grad.")
        if not module.name.startswith("polars_grad._") and module.name not in ("polars_grad.spark", "polars_grad.dask")
    ),
]
# Those of columns.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(pg, name) for name in pg.__all__ if inspect.isfunction(getattr(pg, name)) and name != "show_versions"
}
NAMESPACES = [pg.ExprGrad, pg.SeriesGrad, pg.LazyFrameGrad]
# Every function, and whose method it is.
METHODS: dict[str, tuple[Callable[..., Any], type[Any]]] = {
    **{name: (function, pg.ExprGrad) for name, function in OPERATORS.items()},
    **{name: (FUNCTIONS[name], pg.ExprGrad) for name in grid.__all__},
    "with_columns": (with_columns, pg.LazyFrameGrad),
}


def examples() -> list[Any]:
    """Every docstring that has examples; what a module only imports is left to where it comes from."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = (test for module in MODULES for test in finder.find(module, module.__name__))
    return [pytest.param(test, id=test.name) for test in found if test.examples]


@pytest.mark.parametrize("example", examples())
def test_examples_of_docstrings(example: doctest.DocTest) -> None:
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    with pl.Config(tbl_width_chars=100):
        runner.run(example, out=told.append)
    assert not runner.failures, "".join(told)
    assert runner.tries == len(example.examples)


def test_every_public_function_has_an_example() -> None:
    shown = {param.id for param in examples()}
    functions = [*FUNCTIONS.values(), *(function for function, _ in METHODS.values())]
    assert {f"{function.__module__}.{function.__name__}" for function in functions} <= shown
    assert "polars_grad" in shown


def public(thing: Any) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("_")]


def test_every_public_name_is_documented() -> None:
    for module in MODULES:
        assert module.__doc__, module
        for name in module.__all__ if hasattr(module, "__all__") else []:
            assert getattr(module, name).__doc__, name
    for cls in NAMESPACES:
        assert cls.__doc__
        for name in public(cls):
            assert getattr(cls, name).__doc__ or name in ("returns", "subject", "texts"), f"{cls.__name__}.{name}"


@pytest.mark.parametrize("name", {**FUNCTIONS, **METHODS})
def test_every_argument_is_documented_in_order(name: str) -> None:
    function = FUNCTIONS.get(name) or METHODS[name][0]
    text = inspect.cleandoc(function.__doc__ or "")
    for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
        assert re.search(rf"^{section}\n-+$", text, re.MULTILINE), section
    assert re.search(r"null and nan contract|null contract", text, re.IGNORECASE)
    parameters = text.split("Parameters\n----------\n")[1].split("\n\nReturns\n")[0]
    documented = [line for line in parameters.splitlines() if re.fullmatch(r"\*{0,2}\w+", line)]
    documented = [name.lstrip("*") for name in documented]
    assert documented == list(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", {**FUNCTIONS, **METHODS})
def test_nothing_is_left_to_be_filled_in(name: str) -> None:
    """Lines such as `<domain>`, and paragraphs that no function has."""
    function = FUNCTIONS.get(name) or METHODS[name][0]
    assert not re.search(r"^ *<[\w.]+>$", function.__doc__ or "", re.MULTILINE)


def test_all_shared_texts_are_used() -> None:
    every = "\n".join(function.__doc__ or "" for function in FUNCTIONS.values())
    joined = " ".join(every.split())
    for name, text in {**PARAMETERS, **SECTIONS}.items():
        assert " ".join(text.split()) in joined, name


def test_public_names_are_those_listed() -> None:
    assert sorted(pg.__all__) == pg.__all__
    modules = {name for name in public(pg) if inspect.ismodule(getattr(pg, name))}
    assert set(public(pg)) - modules == set(pg.__all__)
    # Functions of whole frames are methods only.
    own = [module for module in MODULES if module not in (pg, frames)]
    listed = {name for module in own for name in getattr(module, "__all__", ())}
    assert {*pg.__all__, "__version__"} == listed
    for name, function in FUNCTIONS.items():
        assert any(function is getattr(module, name, None) for module in own)


def taken(function: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """What it takes after the first argument."""
    _, *rest = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default, parameter.annotation) for parameter in rest]


@pytest.mark.parametrize("name", METHODS)
def test_methods_take_what_the_function_takes_after_the_first_argument(name: str) -> None:
    function, cls = METHODS[name]
    assert taken(getattr(cls, name)) == taken(function)


OPTIONS: dict[str, dict[str, Any]] = {
    "x": {"x": "t"},
    "wrt": {"wrt": ["t", "x"]},
    "spacing": {"spacing": 0.5},
    "per": {"x": "t", "per": "1h"},
    "edge_order": {"edge_order": 2},
    "order": {"order": 2},
    "accuracy": {"accuracy": 3},
    "edge_accuracy": {"edge_accuracy": 3},
    "side": {"side": "backward"},
    "with_error": {"with_error": True},
    "sigma": {"with_error": True, "sigma": 2.0},
    "axis": {"axis": 1},
    "by": {"by": ["k", "j"]},
    "nulls": {"nulls": "split"},
    "max_gap": {"x": "t", "max_gap": 3},
    "duplicates": {"x": "t", "duplicates": "mean"},
    "strict": {"strict": False},
    "y_period": {"y_period": 360},
    "x_period": {"x": "t", "x_period": 360},
    "reset": {"reset": "null"},
    "wrap": {"wrap": "u32"},
    "max_rate": {"max_rate": 2.5},
    "initial": {"initial": 1.0},
    "hold": {"hold": True},
    "window_size": {"window_size": 5},
    "center": {"center": True},
    "closed": {"x": "t", "window_size": 5.0, "closed": "left"},
    "min_samples": {"min_samples": 3},
    "degree": {"degree": 3},
    "edges": {"edges": "null"},
    "weights": {"weights": "tricube"},
}


@pytest.mark.parametrize("name", [name for name, (_, cls) in METHODS.items() if cls is pg.ExprGrad])
def test_methods_hand_on_every_argument(name: str) -> None:
    """Each option that differs from its default makes another expression, and the same one as in the function."""
    function, _ = METHODS[name]
    own = dict([*inspect.signature(function).parameters.items()][1:])
    # A curl has two coordinates or three.
    plain = {"wrt": ["x", "y"] if name == "curl" else "t"} if "wrt" in own else {}
    if "window_size" in own:
        plain = {"window_size": 9}
    options = OPTIONS
    if "wrt" in own:
        options = {**OPTIONS, "x_period": {"x_period": {"x" if name == "curl" else "t": 360}}}
    # One value of each option of an operator is in the registry.
    for some in registry.OPTIONS.get(name, []):
        options = {**options, **{option: some for option in some if some[option] != own[option].default}}
    if name in OPERATORS:
        assert {*own} <= {*options}, "an option has no value in `OPTIONS` of registry.py"
    for option in {*own} & {*options}:
        if name == "rate":
            # It needs one of them.
            plain = {} if option == "spacing" or "x" in options[option] else {"spacing": 1}
        chosen = {**plain, **{key: value for key, value in options[option].items() if key in own}}
        method = getattr(pl.col("y").grad, name)(**chosen)
        assert method.meta.eq(function("y", **chosen)), option
        without = {key: value for key, value in chosen.items() if key != option} | plain
        if name == "rate" and not {*without} & {"x", "spacing"}:
            without["spacing"] = 1
        assert not method.meta.eq(function("y", **without)), option


def test_the_method_of_a_frame_hands_on_its_arguments() -> None:
    lf = pl.LazyFrame({"y": [1.0, 2.0, 4.0]})
    slope = pg.gradient("y")
    got = lf.grad.with_columns(slope.alias("a"), b=slope, progress=False)
    assert_frame_equal(got.collect(), with_columns(lf, slope.alias("a"), b=slope, progress=False).collect())


def test_the_namespace_is_registered() -> None:
    assert isinstance(pl.col("y").grad, pg.ExprGrad)
    assert isinstance(pl.Series([1.0]).grad, pg.SeriesGrad)
    assert isinstance(pl.LazyFrame().grad, pg.LazyFrameGrad)


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def assert_prints_what_it_shows(session: str, page: Path) -> None:
    test = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    assert test.examples
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)


@pytest.mark.skipif(not README.exists(), reason="there is no README yet")
def test_examples_of_the_readme(run: Run) -> None:
    """In order, in one process, where the README is; `>>>` lines print what they say."""
    script = [block for block in blocks(README) if ">>>" not in block]
    assert script
    done = run("\n".join(script), cwd=README.parent)
    assert done.returncode == 0, done.stderr
    assert_prints_what_it_shows("\n".join(block for block in blocks(README) if ">>>" in block), README)


@pytest.mark.skipif(not LARGER.exists(), reason="the documentation is not beside the tests")
def test_the_page_about_larger_data(run: Run, tmp_path: Path) -> None:
    """Its programs run, one after the other, and both ways give the answer of the way in memory."""
    done = run("\n".join(blocks(LARGER)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    readings = pl.read_parquet(tmp_path / "sorted.parquet")
    slopes = {"dy_dt": pg.gradient("y", x="t", by="id"), "step": pg.gradient("t", by="id")}
    for file in ("slopes.parquet", "slopes/*.parquet"):
        got = pl.read_parquet(tmp_path / file).sort("id", "t")
        added = got.columns[len(readings.columns) :]
        assert "dy_dt" in added
        expected = readings.with_columns(slopes[name].alias(name) for name in added)
        assert_frame_equal(got, expected, check_exact=True)


@pytest.mark.parametrize("page", SESSIONS)
def test_the_sessions_of_a_page(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # some read the data of the examples
    assert_prints_what_it_shows("\n".join(block for block in blocks(page) if ">>>" in block), page)


@pytest.mark.parametrize("page", SHOWN)
def test_what_a_page_shows_below_its_code(page: Path) -> None:
    """The value of the last line of a block, or of the name that it gives a value, is in the block of text below it."""
    names: dict[str, Any] = {}
    for code, shown in re.findall(r"^```python\n(.*?)^```\n(?:\n*```text\n(.*?)^```\n)?", PAGES[page], CODE):
        *body, last = ast.parse(code).body
        value = last.value if shown and isinstance(last, (ast.Expr, ast.Assign)) else None
        exec(
            compile(ast.Module(body if isinstance(last, ast.Expr) and value else [*body, last], []), page.name, "exec"),
            names,
        )
        if value is not None:
            result = last.targets[0].id if isinstance(last, ast.Assign) else ast.unparse(value)
            assert str(eval(result, names)).split() == shown.split()


def test_the_picture_of_the_benchmark_has_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn by `python docs/_site/bars.py`."""
    folder = ROOT / "docs" / "_site"
    if not folder.exists():
        pytest.skip("the documentation is not beside the tests")
    monkeypatch.syspath_prepend(str(folder))
    assert (ROOT / "docs" / "speed.svg").read_text(encoding="utf-8") == import_module("bars").drawn()


@pytest.mark.skipif(not DIMENSIONS.exists(), reason="the documentation is not beside the tests")
def test_the_table_for_users_of_numpy() -> None:
    """Every expression in it fits data of the shape that its part of the table is for."""
    flat = dict.fromkeys(["f", "u", "v", "t", "id", "x", "y", "z", "i", "j", "s0", "s1", "s2"], pl.Float64())
    cells = {**flat, "f": pl.Array(pl.Float64, 4), "image": pl.Array(pl.Float64, (3, 4))}
    cells.update(dict.fromkeys(["wave", "time"], pl.List(pl.Float64)))
    given = {"pl": pl, "pg": pg, "dt": 0.5, "dy": 2.0, "dx": 3.0, "x": [0.0, 1.0, 3.0, 4.0]}
    table = "".join(re.findall(r"^\|.*\n", DIMENSIONS.read_text(encoding="utf-8"), re.MULTILINE))
    _, *parts = table.split("| **")
    assert len(parts) == 4
    for part in parts:
        frame = pl.LazyFrame(schema=cells if part.startswith("arrays in cells") else flat)
        expressions = re.findall(r"`(pg\..+?)`", part)
        assert expressions
        for expression in expressions:
            query = frame.select(eval(expression, given))
            assert query.collect().schema == query.collect_schema(), expression
