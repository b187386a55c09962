"""What is written down is true: examples run, every public name is explained, both faces take the same arguments."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_grad as pg
from polars_grad import batches, frames, functions, grid, horizontal, namespace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from conftest import Run

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
LARGER = ROOT / "docs" / "larger-than-memory.md"
DIMENSIONS = ROOT / "docs" / "n-dimensional.md"
MODULES: list[ModuleType] = [pg, batches, frames, functions, grid, horizontal, namespace]
FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(pg, name) for name in pg.__all__ if inspect.isfunction(getattr(pg, name))
}
NAMESPACES = [pg.ExprGrad, pg.SeriesGrad, pg.LazyFrameGrad]
METHODS = [*functions.__all__, *grid.__all__]


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
    assert {f"{function.__module__}.{name}" for name, function in FUNCTIONS.items()} <= shown
    assert "polars_grad" in shown
    for cls in NAMESPACES:
        assert {f"polars_grad.namespace.{cls.__name__}.{name}" for name in public(cls)} <= shown


def public(thing: Any) -> list[str]:
    return [name for name in vars(thing) if not name.startswith("_")]


def test_every_public_name_is_documented() -> None:
    for module in MODULES:
        assert module.__doc__, module
        for name in module.__all__ if hasattr(module, "__all__") else []:
            assert getattr(module, name).__doc__, name
    for cls in NAMESPACES:
        for name in public(cls):
            assert getattr(cls, name).__doc__, f"{cls.__name__}.{name}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_documented_in_order(name: str) -> None:
    text = inspect.cleandoc(FUNCTIONS[name].__doc__ or "")
    for section in ("Parameters", "Returns", "Raises", "Examples"):
        assert re.search(rf"^{section}\n-+$", text, re.MULTILINE), section
    parameters = text.split("Parameters\n----------\n")[1].split("\n\nReturns\n")[0]
    documented = [line for line in parameters.splitlines() if re.fullmatch(r"\*?\w+", line)]
    documented = [name.removeprefix("*") for name in documented]
    assert documented == list(inspect.signature(FUNCTIONS[name]).parameters)


def test_public_names_are_those_listed() -> None:
    assert sorted(pg.__all__) == pg.__all__
    modules = {name for name in public(pg) if inspect.ismodule(getattr(pg, name))}
    assert set(public(pg)) - modules == set(pg.__all__)
    own = (batches, frames, functions, grid, horizontal)
    assert {*FUNCTIONS} == {name for module in own for name in module.__all__}
    for name, function in FUNCTIONS.items():
        assert any(function is getattr(module, name, None) for module in own)


def taken(function: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """What it takes after the first argument."""
    _, *rest = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default, parameter.annotation) for parameter in rest]


@pytest.mark.parametrize("name", METHODS)
def test_methods_take_what_the_function_takes_after_the_first_argument(name: str) -> None:
    assert taken(getattr(pg.ExprGrad, name)) == taken(FUNCTIONS[name])


@pytest.mark.parametrize("name", functions.__all__)
def test_methods_of_a_series_take_what_the_function_takes_after_y(name: str) -> None:
    # A series takes series or values as x and as keys, all else alike.
    own = ("x", "by")
    of_series, of_columns = taken(getattr(pg.SeriesGrad, name)), taken(FUNCTIONS[name])
    assert [row[:3] for row in of_series] == [row[:3] for row in of_columns]
    assert [row for row in of_series if row[0] not in own] == [row for row in of_columns if row[0] not in own]


@pytest.mark.parametrize("name", METHODS)
def test_methods_hand_on_every_argument(name: str) -> None:
    """Each option that differs from its default makes another expression, and the same one as in the function."""
    options: dict[str, dict[str, Any]] = {
        "x": {"x": "t"},
        "spacing": {"spacing": 0.5},
        "per": {"x": "t", "per": "1h"},
        "edge_order": {"edge_order": 2},
        "axis": {"axis": 1},
        "by": {"by": ["k", "j"]},
        "nulls": {"nulls": "split"},
        "max_gap": {"x": "t", "max_gap": 3},
        "strict": {"strict": False},
    }
    own = [*inspect.signature(FUNCTIONS[name]).parameters][1:]
    if name in grid.__all__:
        options = {"wrt": {"wrt": ["t", "x"]}, **{option: {"wrt": "t", **options[option]} for option in own[1:]}}
        options = {option: {k: v for k, v in chosen.items() if k != "x"} for option, chosen in options.items()}
    assert own == list(options)
    for chosen in options.values():
        method = getattr(pl.col("y").grad, name)(**chosen)
        assert method.meta.eq(FUNCTIONS[name]("y", **chosen))


@pytest.mark.parametrize("name", frames.__all__)
def test_methods_of_a_frame_take_and_hand_on_what_the_function_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(getattr(pg.LazyFrameGrad, name)) == taken(FUNCTIONS[name])
    lf = pl.LazyFrame()
    given = {parameter: object() for parameter in [*inspect.signature(FUNCTIONS[name]).parameters][1:]}
    monkeypatch.setattr(frames, name, lambda *args, **kwargs: (args, kwargs))
    (first, *rest), named = getattr(lf.grad, name)(**given)
    assert first is lf
    assert {**dict(zip(given, rest, strict=False)), **named} == given


@pytest.mark.parametrize("name", [*frames.__all__, *batches.__all__])
def test_rows_take_every_argument_of_an_expression(name: str) -> None:
    """In the same order, with the same defaults; but for axes inside of cells, which need no other rows."""
    own = {"lf", "batches", "name", "progress"}
    of_rows, of_expression = (
        [
            (row.name, row.kind, row.default)
            for row in inspect.signature(function).parameters.values()
            if row.name != "axis"
        ]
        for function in (FUNCTIONS[name], pg.gradient)
    )
    assert [row for row in of_rows if row[0] not in own] == of_expression


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
    expected = pl.read_parquet(tmp_path / "sorted.parquet").with_columns(dy_dt=pg.gradient("y", x="t", by="id"))
    for slopes in ("slopes.parquet", "slopes/*.parquet"):
        assert_frame_equal(pl.read_parquet(tmp_path / slopes).sort("id", "t"), expected, check_exact=True)


@pytest.mark.skipif(not DIMENSIONS.exists(), reason="the documentation is not beside the tests")
def test_the_page_about_dimensions() -> None:
    assert_prints_what_it_shows("\n".join(blocks(DIMENSIONS)), DIMENSIONS)


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
