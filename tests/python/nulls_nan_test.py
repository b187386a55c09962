"""Null and NaN contracts: what is missing, what is not a number, what is too short, what is not monotonic."""

from __future__ import annotations

from typing import Any

import oracle
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from strategies import inf, nan, rising, tame_floats

import polars_grad as pg

X = [0.0, 1.0, 3.0, 4.0, 8.0, 9.0, 10.0]
Y = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
ROWS = range(len(Y))
LAST = len(Y) - 1
GRIDS = pytest.mark.parametrize("x", [None, X, X[::-1]], ids=["even", "rising", "falling"])
EDGE_ORDERS = pytest.mark.parametrize("edge_order", [1, 2])

NUMBERS = ["Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128"]
FLOATS = ["Float16", "Float32", "Float64"]
DTYPES = [
    *(getattr(pl, name) for name in NUMBERS + FLOATS if hasattr(pl, name)),
    pl.Decimal(10, 2),
    pl.Date,
    pl.Time,
    *(pl.Datetime(unit, zone) for unit in ("ms", "us", "ns") for zone in (None, "Europe/Paris")),
    *(pl.Duration(unit) for unit in ("ms", "us", "ns")),
]


def gradient(y: Any, x: Any = None, **options: Any) -> pl.Series:
    columns = {"y": y} if x is None else {"y": y, "x": x}
    frame = pl.DataFrame({name: pl.Series(values) for name, values in columns.items()})
    return frame.select(pg.gradient("y", None if x is None else "x", **options)).to_series()


def replaced(values: list[float], row: int, value: float | None) -> list[Any]:
    return [*values[:row], value, *values[row + 1 :]]


def rows_where(column: pl.Series) -> set[int]:
    return set(column.arg_true())


def touching(row: int, edge_order: int) -> set[int]:
    """The rows whose stencil reads `row`, and `row` itself."""
    touched = {row - 1, row, row + 1} & set(ROWS)
    if edge_order == 2:
        touched |= {0} if row <= 2 else set()
        touched |= {LAST} if row >= LAST - 2 else set()
    return touched


# Nulls


@EDGE_ORDERS
@pytest.mark.parametrize("row", ROWS)
def test_a_null_in_y_or_x_is_null_wherever_the_stencil_touches_it(row: int, edge_order: Any) -> None:
    """Its own row included, even where the formula of an even grid gives it no weight; and nowhere else."""
    null_y, null_x = replaced(Y, row, None), replaced(X, row, None)
    for y, x in ((null_y, None), (null_y, X), (Y, null_x), (null_y, null_x)):
        slopes = gradient(y, x, edge_order=edge_order)
        whole = gradient(Y, None if x is None else X, edge_order=edge_order)
        assert rows_where(slopes.is_null()) == touching(row, edge_order)
        assert slopes.drop_nulls().to_list() == whole.filter(slopes.is_not_null()).to_list()


@given(st.data())
def test_random_nulls_give_nulls_where_exact_arithmetic_has_no_slope(data: st.DataObject) -> None:
    def some_null(values: list[float]) -> list[float | None]:
        return [None if data.draw(st.integers(0, 4)) == 0 else value for value in values]

    rows = data.draw(st.integers(0, 25))
    y = some_null(data.draw(st.lists(tame_floats, min_size=rows, max_size=rows)))
    x = some_null(data.draw(st.composite(rising)(rows)))
    frame = pl.DataFrame({"y": y, "x": x}, schema={"y": pl.Float64, "x": pl.Float64})
    for edge_order in (1, 2):
        for coordinate, values in (("x", x), (None, None)):
            slopes = frame.select(pg.gradient("y", coordinate, edge_order=edge_order)).to_series()
            exact = oracle.gradient(y, values, edge_order=edge_order)
            assert slopes.is_null().to_list() == [slope is None for slope in exact]
            assert not slopes.is_nan().any()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_no_value_is_invented_where_all_but_one_are_null(dtype: Any) -> None:
    for row in range(3):
        one = pl.Series([1 if place == row else None for place in range(3)], dtype=pl.Int64).cast(dtype)
        for slopes in (gradient(one), gradient(one, [0, 1, 3]), gradient([0.0, 1.0, 3.0], one), gradient(one, one)):
            assert slopes.to_list() == [None] * 3


@pytest.mark.parametrize("dtype", [pl.Boolean, *DTYPES], ids=str)
def test_nothing_but_nulls(dtype: Any) -> None:
    """Null, in the dtype of a column with values, for any number of rows, and none."""
    for rows in (0, 1, 2, 3, 5):
        nulls = pl.Series([None] * rows, dtype=dtype)
        numbers = pl.Series([0.5 * row for row in range(rows)], dtype=pl.Float32)
        for edge_order in (1, 2):
            over_nulls = gradient(numbers, nulls, edge_order=edge_order)
            assert over_nulls.dtype == pl.Float32
            assert over_nulls.to_list() == [None] * rows
            if dtype != pl.Boolean:
                of_nulls = gradient(nulls, edge_order=edge_order)
                assert of_nulls.dtype == gradient(pl.Series([1, 2], dtype=pl.Int64).cast(dtype)).dtype
                assert of_nulls.to_list() == [None] * rows
                assert gradient(nulls, numbers, edge_order=edge_order).to_list() == [None] * rows


def test_columns_of_type_null() -> None:
    for rows in (0, 1, 3):
        nothing = pl.Series([None] * rows, dtype=pl.Null)
        for slopes in (gradient(nothing), gradient(nothing, range(rows)), gradient(nothing, nothing)):
            assert slopes.dtype == pl.Float64
            assert slopes.to_list() == [None] * rows
        for dtype in (pl.Float32, pl.Int8, pl.Duration("ms")):
            y = pl.Series(range(rows), dtype=pl.Int64).cast(dtype)
            assert gradient(y, nothing).dtype == gradient(y).dtype
            assert gradient(y, nothing).to_list() == [None] * rows


def test_nulls_in_a_group_stay_in_the_group() -> None:
    frame = pl.DataFrame({"k": list("abab") * 2, "y": [1, None, 3, None, 5, None, 7, None]})
    assert frame.select(pg.gradient("y").over("k")).to_series().to_list() == [2.0, None] * 4


# Segments that are too short


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@EDGE_ORDERS
def test_too_few_rows_are_null(dtype: Any, edge_order: Any) -> None:
    for rows in range(edge_order + 1):
        y = pl.Series(range(rows), dtype=pl.Int64).cast(dtype)
        for slopes in (gradient(y, edge_order=edge_order), gradient(y, y, edge_order=edge_order)):
            assert slopes.to_list() == [None] * rows
    enough = pl.Series(range(edge_order + 1), dtype=pl.Int64).cast(dtype)
    assert gradient(enough, edge_order=edge_order).null_count() == 0


def test_one_short_group_does_not_fail_the_query() -> None:
    frame = pl.DataFrame({"k": list("abbccc"), "y": [1, 2, 4, 1, 4, 9]})
    first, second = (frame.select(pg.gradient("y", edge_order=order).over("k")).to_series() for order in (1, 2))
    assert first.to_list() == [None, 2.0, 2.0, 3.0, 4.0, 5.0]
    assert second.to_list() == [None, None, None, 2.0, 4.0, 6.0]


# NaN and infinity in y


@GRIDS
@EDGE_ORDERS
@pytest.mark.parametrize("row", ROWS)
def test_a_nan_in_y_is_nan_in_its_row_and_both_next_to_it(row: int, edge_order: Any, x: list[float] | None) -> None:
    """Whatever the spacing: also where the formula of an even grid does not read the row itself. It is no null."""
    slopes = gradient(replaced(Y, row, nan), x, edge_order=edge_order)
    assert rows_where(slopes.is_nan()) == touching(row, edge_order)
    assert slopes.null_count() == 0
    rest = slopes.is_not_nan()
    assert slopes.filter(rest).to_list() == gradient(Y, x, edge_order=edge_order).filter(rest).to_list()


@pytest.mark.parametrize("dtype", [pl.Float32, *([pl.Float16] if hasattr(pl, "Float16") else [])])
@GRIDS
def test_a_nan_in_smaller_floats(dtype: Any, x: list[float] | None) -> None:
    slopes = gradient(pl.Series(replaced(Y, 3, nan), dtype=dtype), x)
    assert rows_where(slopes.is_nan()) == {2, 3, 4}
    assert slopes.dtype == dtype


@GRIDS
@EDGE_ORDERS
def test_a_null_beside_a_nan_is_null(x: list[float] | None, edge_order: Any) -> None:
    y = [1.0, 2.0, nan, None, 16.0, 32.0, 64.0]
    slopes = gradient(y, x, edge_order=edge_order)
    assert rows_where(slopes.is_null()) == {2, 3, 4}
    assert rows_where(slopes.is_nan()) == {1} | ({0} if edge_order == 2 else set())


@GRIDS
@pytest.mark.parametrize("infinite", [inf, -inf])
@pytest.mark.parametrize("row", ROWS[1:-1])
def test_an_infinite_y_is_nan_in_its_row_and_infinite_next_to_it(
    row: int, infinite: float, x: list[float] | None
) -> None:
    slopes = gradient(replaced(Y, row, infinite), x)
    direction = -1.0 if x is not None and x[0] > x[-1] else 1.0
    assert rows_where(slopes.is_nan()) == {row}
    assert slopes[row - 1] == infinite * direction
    assert slopes[row + 1] == -infinite * direction
    assert rows_where(slopes.is_infinite()) == {row - 1, row + 1}


@GRIDS
def test_an_infinite_y_at_an_end_is_infinite_there(x: list[float] | None) -> None:
    """Of the sign of the two-point difference, as in numpy."""
    direction = -1.0 if x is not None and x[0] > x[-1] else 1.0
    slopes = gradient(replaced(replaced(Y, 0, inf), LAST, inf), x)
    assert slopes.to_list()[:2] == [-inf * direction] * 2
    assert slopes.to_list()[-2:] == [inf * direction] * 2
    assert rows_where(slopes.is_finite()) == set(ROWS[2:-2])


# NaN, infinity and disorder in x


@EDGE_ORDERS
@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("row", ROWS)
def test_a_nan_or_an_infinity_in_x_is_an_error_or_null(row: int, value: float, edge_order: Any) -> None:
    x = replaced(X, row, value)
    with pytest.raises(ComputeError, match="`x` must be finite and strictly monotonic"):
        gradient(Y, x, edge_order=edge_order)
    slopes = gradient(Y, x, edge_order=edge_order, strict=False)
    assert rows_where(slopes.is_null()) == touching(row, edge_order)
    rest = slopes.is_not_null()
    assert slopes.filter(rest).to_list() == gradient(Y, X, edge_order=edge_order).filter(rest).to_list()


@EDGE_ORDERS
@pytest.mark.parametrize(
    ("x", "broken"),
    [
        ([0.0, 0.0, 3.0, 4.0, 8.0, 9.0, 10.0], {0, 1}),
        ([0.0, 1.0, 3.0, 3.0, 8.0, 9.0, 10.0], {2, 3}),
        ([0.0, 1.0, 3.0, 4.0, 8.0, 10.0, 10.0], {5, 6}),
        ([0.0, 1.0, 3.0, 4.0, 3.0, 2.0, 1.0], {3}),
        ([9.0, 8.0, 3.0, 4.0, 5.0, 6.0, 7.0], {2}),
        ([0.0, 1.0, 4.0, 3.0, 8.0, 9.0, 10.0], {2, 3}),
        ([1.0] * 7, set(ROWS)),
    ],
)
def test_a_repeated_or_turning_x_is_an_error_or_null_where_it_does(
    x: list[float], broken: set[int], edge_order: Any
) -> None:
    for coordinate in (x, x[::-1]):
        with pytest.raises(ComputeError, match="strictly monotonic"):
            gradient(Y, coordinate, edge_order=edge_order)
    slopes = gradient(Y, x, edge_order=edge_order, strict=False)
    if edge_order == 2:
        broken = broken | ({0} if 1 in broken else set()) | ({LAST} if LAST - 1 in broken else set())
    assert rows_where(slopes.is_null()) == broken


@given(st.data())
def test_any_order_of_x(data: st.DataObject) -> None:
    """Strict: an error if there is a broken stencil, else the slopes. Not strict: null in broken stencils alone."""
    rows = data.draw(st.integers(2, 8))
    x = data.draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows))
    if data.draw(st.booleans(), label="nearly sorted"):
        x.sort(reverse=data.draw(st.booleans()))
    y = data.draw(st.lists(st.integers(-9, 9), min_size=rows, max_size=rows))
    edge_order = data.draw(st.sampled_from([1, 2]))
    exact = oracle.gradient(y, x, edge_order=edge_order)
    dtype = data.draw(st.sampled_from([pl.Int8, pl.UInt64, pl.Int64, pl.Int128, pl.Float32, pl.Float64]))

    coordinate = pl.Series(x, dtype=dtype)
    slopes = gradient(y, coordinate, edge_order=edge_order, strict=False)
    assert slopes.to_list() == [slope and pytest.approx(float(slope.value), abs=1e-13) for slope in exact]
    if None in exact and rows > edge_order:
        with pytest.raises(ComputeError, match="strictly monotonic"):
            gradient(y, coordinate, edge_order=edge_order)
    else:
        assert gradient(y, coordinate, edge_order=edge_order).to_list() == slopes.to_list()


def test_disorder_between_groups_is_none_of_a_group() -> None:
    """Where one group's x ends and the next one's begins, there is no step."""
    frame = pl.DataFrame({"k": list("aabb"), "x": [5, 6, 1, 2], "y": [1, 2, 3, 5]})
    assert frame.select(pg.gradient("y", "x").over("k")).to_series().to_list() == [1.0, 1.0, 2.0, 2.0]
    with pytest.raises(ComputeError, match="6 is followed by 1"):
        frame.select(pg.gradient("y", "x"))


def test_one_group_out_of_order_is_null_if_not_strict() -> None:
    frame = pl.DataFrame({"k": list("aaabbb"), "x": [1, 2, 3, 1, 1, 2], "y": [1, 2, 3, 4, 5, 6]})
    slopes = frame.select(pg.gradient("y", "x", strict=False).over("k")).to_series()
    assert slopes.to_list() == [1.0, 1.0, 1.0, None, None, 1.0]


def test_a_null_y_does_not_hide_an_x_out_of_order() -> None:
    with pytest.raises(ComputeError, match="1 is followed by 1"):
        gradient([1, None, 3, 4], [0, 1, 1, 2])
