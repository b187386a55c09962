"""The promises that every operator keeps: the same bits on every face, its nulls, its short columns, its errors.

Operators join by registration; `invariance_test.py` has the contexts and `dtypes_test.py` the dtypes.
"""

from __future__ import annotations

import inspect
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from registry import (
    CASES,
    FURTHEST,
    GIVE_EVENTS,
    NEED_RISING_X,
    OPTIONS,
    RINGS,
    STREAMED,
    TAKE_ANY_X,
    TAKE_ONE_ROW,
    Case,
)
from strategies import assert_same, frames

import polars_grad as pg
from polars_grad._engine.domain import Domain
from polars_grad._engine.operator import OPERATORS, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENGINES: list[Any] = ["in-memory", "streaming"]

cases = st.sampled_from(CASES)
cases_and_rings = st.sampled_from([*CASES, *RINGS])
null_rules = st.sampled_from(["propagate", "skip", "split"])
each_operator = pytest.mark.parametrize("case", [*FURTHEST, *RINGS], ids=str)


# Found where an operator is looked for. `operators_test.py` has what the package itself is asked for.


def test_operators_are_those_of_the_compiled_library() -> None:
    declared = re.search(
        r"^operators! \{\n(.*?)^\}", (ROOT / "src/operators/mod.rs").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert declared is not None
    in_rust = {*re.findall(r"^ +(\w+):", declared[1], re.MULTILINE)}
    assert in_rust - {*OPERATORS} == set(), "no Python function of the name, with `@operator`, is imported"
    assert {*OPERATORS} - in_rust == set(), "not in `operators!` of src/operators/mod.rs"


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_shown_in_the_readme_or_on_a_page(name: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = re.compile(rf"\b(pg|grad)\.{name}\(")
    others = {"benchmarks.md", "add-an-operator.md"}
    texts = [page.read_text("utf-8") for page in pages if page.name not in others]
    assert any(shown.search(text) for text in texts), f"no page of docs, nor the README, has `pg.{name}(`"


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    ("page", "entry"), [("functions", ""), ("expressions", "Expr.grad."), ("series", "Series.grad.")]
)
def test_an_operator_has_a_page_of_the_api(name: str, page: str, entry: str) -> None:
    listed = (ROOT / "docs" / "api" / f"{page}.md").read_text("utf-8").split()
    assert f"{entry}{name}" in listed, f"docs/api/{page}.md does not list `{entry}{name}`"


def test_an_operator_is_measured() -> None:
    table = (ROOT / "benchmarks/operators.py").read_text("utf-8")
    measured = re.search(r"^CASES_BY_OPERATOR\b.*?\{\n(.*?)^\}", table, re.DOTALL | re.MULTILINE)
    assert measured is not None
    rows = {*re.findall(r'^ +"(\w+)":', measured[1], re.MULTILINE)}
    assert rows == {*OPERATORS}, "`CASES_BY_OPERATOR` of benchmarks/operators.py has others"


def test_options_are_of_operators() -> None:
    """Each operator that has options is tested with some besides the defaults."""
    of_all = {"y", "x", "sigma", *Domain.__annotations__}
    have_options = {
        name for name, operator in OPERATORS.items() if not inspect.signature(operator).parameters.keys() <= of_all
    }
    assert OPTIONS.keys() == have_options


# The same bits.


def alone(frame: pl.DataFrame, expression: pl.Expr) -> pl.Series:
    """The result for each key's rows as a frame of their own, where the rows were."""
    parts = frame.with_row_index("row").partition_by("k", maintain_order=True)
    return pl.concat(part.with_columns(result=expression) for part in parts).sort("row")["result"]


@given(case=cases_and_rings, frame=frames(), nulls=null_rules, has_x=st.booleans())
def test_by_is_over_is_each_group_alone(case: Case, frame: pl.DataFrame, nulls: str, has_x: bool) -> None:
    """In any chunks, on both engines, with x and without."""
    arguments = {"x": "x" if has_x else None, "nulls": nulls}
    expected = alone(frame.rechunk(), case("y", **arguments))
    forms = [case("y", **arguments).over("k"), case("y", by="k", **arguments)]
    for form in forms:
        assert_same(frame.select(result=form).to_series(), expected)
        for engine in ENGINES:
            assert_same(frame.lazy().select(result=form).collect(engine=engine).to_series(), expected)


@given(case=cases_and_rings, frame=frames(), nulls=null_rules, max_gap=st.none() | st.floats(0.1, 90.0))
def test_a_series_is_a_column(case: Case, frame: pl.DataFrame, nulls: str, max_gap: float | None) -> None:
    domain = {"nulls": nulls, "max_gap": max_gap}
    expected = frame.select(case("y", "x", **domain)).to_series()
    assert_same(case.of(frame["y"], frame["x"], **domain), expected)
    by = frame.select(case("y", "x", by="k", **domain)).to_series()
    assert_same(case.of(frame["y"], frame["x"], by=frame["k"], **domain), by)


@st.composite
def batches(draw: st.DrawFn, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    cuts = draw(st.lists(st.integers(0, frame.height), max_size=5))
    return iter([frame[start:end] for start, end in pairwise([0, *sorted(cuts), frame.height])])


@given(frame=frames(), nulls=null_rules, data=st.data())
def test_a_stream_of_all_operators_is_the_whole(frame: pl.DataFrame, nulls: str, data: st.DataObject) -> None:
    """All operators in one pass, cut anywhere, and on the streaming engine."""
    frame = frame.sort("k", maintain_order=True)
    operators = [case("y", "x", by="k", nulls=nulls).alias(str(case)) for case in STREAMED]
    expected = frame.with_columns(operators)
    stitched = pl.concat(pg.stitch(data.draw(batches(frame)), *operators))
    assert_frame_equal(stitched, expected, check_exact=True)
    for engine in ENGINES:
        assert_frame_equal(
            frame.lazy().grad.with_columns(*operators).collect(engine=engine), expected, check_exact=True
        )


# Nulls and NaN.


@given(case=cases_and_rings, frame=frames(), by=st.sampled_from([None, "k"]))
def test_skip_is_the_column_of_the_rows_that_remain(case: Case, frame: pl.DataFrame, by: str | None) -> None:
    rows = frame.with_row_index("row")
    there = rows.drop_nulls(["y", "x"]).select("row", result=case("y", "x", by=by))
    expected = rows.join(there, on="row", how="left", maintain_order="left")["result"]
    assert_same(frame.select(result=case("y", "x", by=by, nulls="skip")).to_series(), expected)


@given(case=cases, frame=frames(), max_gap=st.none() | st.floats(0.1, 90.0))
def test_split_and_max_gap_are_groups(case: Case, frame: pl.DataFrame, max_gap: float | None) -> None:
    """Each run of rows without nulls, and without steps that are too long, is a group."""
    assume(not case.options.get("hold"))
    x = pl.col("x")
    empty = pl.any_horizontal(pl.col("y", "x").is_null())
    far = (x - x.shift(1)).abs() > (math.inf if max_gap is None else max_gap)
    starts = empty | empty.shift(1, fill_value=False) | far.fill_null(value=False)
    segments = frame.rechunk().with_columns(k=starts.cum_sum())
    got = frame.select(result=case("y", "x", nulls="split", max_gap=max_gap)).to_series()
    assert_same(got, alone(segments, case("y", "x")))


@given(case=cases, data=st.data(), value=st.sampled_from([None, math.nan]), column=st.sampled_from(["y", "x"]))
def test_a_null_or_a_nan_is_felt_within_reach_only(
    case: Case, data: st.DataObject, value: float | None, column: str
) -> None:
    """And its own row is never invented."""
    rows = data.draw(st.integers(1, 40))
    row = data.draw(st.integers(0, rows - 1))
    place = pl.int_range(rows)
    frame = pl.select(x=place + place % 3 * 0.25, y=((place * 31) % 17).cast(pl.Float64))
    strict = value is None or column == "y"
    result = case("y", "x", strict=strict)
    changed = frame.with_columns(pl.when(place == row).then(pl.lit(value)).otherwise(column).alias(column))
    got, before = (each.select(result).to_series() for each in (changed, frame))
    # Rows that read it, or at an end of the column read inwards.
    widest = sum(spec_of(result).reach or (rows, 0))
    felt = range(max(0, row - widest), min(rows, row + widest + 1))
    assert_same(got[: felt.start], before[: felt.start])
    assert_same(got[felt.stop :], before[felt.stop :])
    if value is None:
        assert got[row] is None
    elif column == "y":
        own = got.struct.fields[0] if isinstance(got.dtype, pl.Struct) else None
        at_row = got[row] if own is None else got.struct.field(own)[row]
        assert at_row is None or math.isnan(at_row)
        # Whether a counter falls, or a curve turns, depends on the values.
        assert case.name in NEED_RISING_X | GIVE_EVENTS or got.is_null().equals(before.is_null())
    else:
        assert got[row] is None


# Columns that are too short, and errors.


@each_operator
@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_too_little(case: Case, nulls: str, engine: Any) -> None:
    """The dtype that was planned, and nulls."""
    full = pl.DataFrame({"k": [1, 2, 3], "x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 4.0]})
    null = pl.lit(None, pl.Float64)
    whole = [case("y", "x", nulls=nulls), case("y", nulls=nulls)]
    grouped = [case("y", "x", by="k", nulls=nulls), case("y", "x", nulls=nulls).over("k")]
    for frame, expressions in (
        (full.clear(), whole + grouped),
        *([] if case.name in TAKE_ONE_ROW else [(full[:1], whole + grouped), (full, grouped)]),
        (full.with_columns(y=null), whole + grouped),
        (full.with_columns(x=null), [whole[0], *grouped]),
    ):
        for expression in expressions:
            query = frame.lazy().select(expression)
            got = query.collect(engine=engine)
            assert got.schema == query.collect_schema()
            assert got["y"].null_count() == got.height == frame.height
        first = frame["y"][:1]
        assert case.name in TAKE_ONE_ROW or case.of(first, nulls=nulls).null_count() == first.len()


@each_operator
@pytest.mark.parametrize(("column", "dtype"), [("y", "str"), ("x", "str"), ("y", "bool"), ("y", "struct")])
def test_a_wrong_dtype_is_an_error_when_planned(case: Case, column: str, dtype: str) -> None:
    wrong = {"str": pl.lit("a"), "bool": pl.lit(value=True), "struct": pl.struct(a=pl.lit(1))}[dtype]
    frame = pl.DataFrame({"k": [1, 2], "x": [0.0, 1.0], "y": [1.0, 3.0]}).with_columns(wrong.alias(column))
    for expression in (case("y", "x"), case("y", "x", by="k"), case("y", "x", nulls="skip"), case("y", "x").over("k")):
        with pytest.raises(ComputeError, match=rf"`{column}`.*{dtype}"):
            frame.lazy().select(expression).collect_schema()
    if case.streams:
        with pytest.raises(ComputeError, match=rf"`{column}`.*{dtype}"):
            frame.lazy().grad.with_columns(d=case("y", "x")).collect_schema()
    with pytest.raises(ComputeError, match=dtype):
        case.of(frame["y"], frame["x"])


@pytest.mark.parametrize("case", [case for case in FURTHEST if case.name not in TAKE_ANY_X], ids=str)
def test_an_x_that_repeats_is_an_error_or_null(case: Case, engine: Any) -> None:
    rows = 30
    frame = pl.DataFrame({"k": [0] * rows, "x": [*range(15), 14, *range(16, rows)], "y": [0.0, 5.0] * 15})
    for domain in ({}, {"by": "k"}, {"nulls": "skip"}, {"nulls": "split"}):
        with pytest.raises(ComputeError, match=r"column `x` 14 is followed by 14"):
            frame.lazy().select(case("y", "x", **domain)).collect(engine=engine)
        if case.streams:
            with pytest.raises(ComputeError, match=r"column `x` 14 is followed by 14"):
                frame.lazy().grad.with_columns(d=case("y", "x", **domain)).collect(engine=engine)
        got = frame.lazy().select(case("y", "x", strict=False, **domain)).collect(engine=engine)["y"]
        assert 0 < got.null_count() < rows
        assert got[15] is None


@pytest.mark.parametrize("case", [case for case in CASES if not case.streams], ids=str)
def test_an_operator_of_whole_segments_is_no_operator_on_batches(case: Case) -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0], "y": [1.0, 3.0]})
    for call in (
        lambda: frame.lazy().grad.with_columns(d=case("y", "x")),
        lambda: next(pg.stitch([frame], d=case("y", "x"))),
    ):
        with pytest.raises(ValueError, match=rf"`{case.name}` needs whole segments"):
            call()


@each_operator
def test_an_operator_adds_no_rows_and_keeps_the_name(case: Case, engine: Any) -> None:
    frame = pl.DataFrame({"some name": [1, 5, 2, 8] * 10}).lazy()
    got = frame.select(case("some name")).collect(engine=engine)
    assert got.columns == ["some name"]
    assert got.height == 40
