"""Every error says which argument or column is meant, what was given, and what is allowed or to be done."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

import inspect
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from ids import shown
from polars.exceptions import ColumnNotFoundError, ComputeError, PolarsError, ShapeError
from registry import REQUIRED
from strategies import inf, nan

import polars_grad as pg
from polars_grad._engine.operator import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = pl.DataFrame({"t": [0.0, 1.0, 3.0], "y": [1.0, 2.0, 4.0], "at": [datetime(2024, 1, day) for day in (1, 2, 3)]})

DURATION = '"10ms", "1h30m" or "1d"'
A_COLUMN = "must be a column name or an expression"
VALUES = "must be a column name, an expression, a series or a 1-D array"

ARGUMENTS: list[tuple[dict[str, Any], type[Exception], list[str]]] = [
    ({"y": 1}, TypeError, ["`y`", VALUES, "got int"]),
    ({"y": None}, TypeError, ["`y`", VALUES, "got NoneType"]),
    ({"y": ["a", "b"]}, TypeError, ["`y`", VALUES, "got list", "pl.col('a', 'b')"]),
    ({"y": ("a",)}, TypeError, ["`y`", VALUES, "got tuple; give the name alone, 'a'"]),
    ({"x": ("t",)}, TypeError, ["`x`", VALUES, "got tuple; give the name alone, 't'"]),
    (
        {"x": ["t", "s"]},
        TypeError,
        ["`x`", VALUES, "got list; one for each of several axes goes with a tuple as `axis`"],
    ),
    ({"x": 1}, TypeError, ["`x`", VALUES, "got int", "spacing=1"]),
    ({"x": 0.5}, TypeError, ["`x`", VALUES, "got float", "spacing=0.5"]),
    ({"x": timedelta(1)}, TypeError, ["`x`", VALUES, "got timedelta", "spacing=datetime.timedelta(days=1)"]),
    ({"x": np.timedelta64(5, "s")}, TypeError, ["`x`", VALUES, "got timedelta64", "spacing=np.timedelta64(5,'s')"]),
    ({"x": [0.0, 1.0, 2.0]}, TypeError, ["`x`", VALUES, "got list", "x=pl.Series(...)"]),
    ({"x": np.ones((3, 2))}, ValueError, ["`x`", "1-D array", "shape (3, 2)"]),
    ({"y": np.array(1.0)}, ValueError, ["`y`", "1-D array", "shape ()"]),
    ({"x": "t", "spacing": 1}, ValueError, ["`x` and `spacing`", "exclude each other"]),
    ({"spacing": 0}, ValueError, ["`spacing`", "not zero", "got 0"]),
    ({"spacing": -0.0}, ValueError, ["`spacing`", "not zero", "got -0.0"]),
    ({"spacing": nan}, ValueError, ["`spacing`", "finite", "got nan"]),
    ({"spacing": -inf}, ValueError, ["`spacing`", "finite", "got -inf"]),
    ({"spacing": 10**400}, ValueError, ["`spacing`", "finite", "got 1000"]),
    ({"spacing": True}, TypeError, ["`spacing`", "number, a timedelta or a duration string", "got bool"]),
    ({"spacing": np.True_}, TypeError, ["`spacing`", "number, a timedelta or a duration string", "got bool"]),
    ({"spacing": 1j}, TypeError, ["`spacing`", "number, a timedelta or a duration string", "got complex"]),
    ({"spacing": [1.0]}, TypeError, ["`spacing`", "number, a timedelta or a duration string", "got list"]),
    ({"spacing": pl.col("t")}, TypeError, ["`spacing`", "a duration string", "got Expr", "x="]),
    ({"spacing": np.timedelta64(5)}, ValueError, ["`spacing`", "with a unit", "got np.timedelta64(5)"]),
    ({"spacing": np.timedelta64("NaT")}, ValueError, ["`spacing`", "with a unit", "NaT"]),
    ({"spacing": np.timedelta64("NaT", "s")}, ValueError, ["`spacing`", "with a unit", "NaT"]),
    (
        {"spacing": np.timedelta64(1, "M")},
        ValueError,
        ["`spacing`", "timedelta64(1,'M')", "months", "no constant length"],
    ),
    (
        {"spacing": np.timedelta64(1, "Y")},
        ValueError,
        ["`spacing`", "timedelta64(1,'Y')", "years", "no constant length"],
    ),
    (
        {"spacing": np.timedelta64(1, "ps")},
        ValueError,
        ["`spacing`", "a whole number of nanoseconds", "timedelta64(1,'ps')"],
    ),
    ({"spacing": np.timedelta64(0, "s")}, ValueError, ["`spacing`", "not be zero", "timedelta64(0,'s')"]),
    (
        {"spacing": np.timedelta64(20_000, "W")},
        ValueError,
        ["`spacing`", "shorter than 292 years", "timedelta64(20000,'W')"],
    ),
    ({"spacing": np.datetime64(5, "s")}, TypeError, ["`spacing`", "a duration string", "got datetime64"]),
    ({"spacing": "٣s"}, ValueError, ["`spacing`", DURATION, "got '٣s'"]),
    ({"spacing": "3\u00b2s"}, ValueError, ["`spacing`", DURATION]),
    ({"spacing": "+-1s"}, ValueError, ["`spacing`", DURATION, "got '+-1s'"]),
    ({"spacing": "1h+1m"}, ValueError, ["`spacing`", DURATION, "got '1h+1m'"]),
    ({"spacing": "1s\n"}, ValueError, ["`spacing`", DURATION]),
    ({"spacing": "+"}, ValueError, ["`spacing`", DURATION, "got '+'"]),
    ({"spacing": "+0s"}, ValueError, ["`spacing`", "not be zero", "got '+0s'"]),
    ({"spacing": Decimal("sNaN")}, ValueError, ["`spacing`", "finite", "got sNaN"]),
    ({"spacing": ""}, ValueError, ["`spacing`", DURATION, "got ''"]),
    ({"spacing": "10"}, ValueError, ["`spacing`", DURATION, "got '10'"]),
    ({"spacing": "1 h"}, ValueError, ["`spacing`", DURATION, "got '1 h'"]),
    ({"spacing": "1.5h"}, ValueError, ["`spacing`", DURATION, "got '1.5h'"]),
    ({"spacing": "t"}, ValueError, ["`spacing`", DURATION, "got 't'"]),
    ({"spacing": "1mo"}, ValueError, ["`spacing`", DURATION, "got '1mo'", "months", "no constant length"]),
    ({"spacing": "1y"}, ValueError, ["`spacing`", DURATION, "got '1y'", "years", "no constant length"]),
    ({"spacing": "0s"}, ValueError, ["`spacing`", "not be zero", "got '0s'"]),
    ({"spacing": timedelta(0)}, ValueError, ["`spacing`", "not be zero", "got datetime.timedelta(0)"]),
    ({"spacing": "20000w"}, ValueError, ["`spacing`", "shorter than 292 years", "got '20000w'"]),
    ({"spacing": timedelta(200_000)}, ValueError, ["`spacing`", "shorter than 292 years", "days=200000"]),
    ({"x": "at", "per": 1}, TypeError, ["`per`", "timedelta or a duration string", "got int"]),
    ({"x": "at", "per": pl.col("t")}, TypeError, ["`per`", "timedelta or a duration string", "got Expr"]),
    ({"x": "at", "per": "1q"}, ValueError, ["`per`", DURATION, "got '1q'", "quarters", "no constant length"]),
    ({"x": "at", "per": "day"}, ValueError, ["`per`", DURATION, "got 'day'"]),
    ({"x": "at", "per": "0s"}, ValueError, ["`per`", "longer than zero", "got '0s'"]),
    ({"x": "at", "per": np.timedelta64(-1, "h")}, ValueError, ["`per`", "longer than zero", "timedelta64(-1,'h')"]),
    ({"x": "at", "per": "٣h"}, ValueError, ["`per`", DURATION, "got '٣h'"]),
    ({"x": "at", "per": "-1h"}, ValueError, ["`per`", "longer than zero", "got '-1h'"]),
    ({"x": "at", "per": -timedelta(1)}, ValueError, ["`per`", "longer than zero", "days=-1"]),
    ({"per": "1h"}, ValueError, ["`per`", "temporal x", "`spacing`"]),
    ({"per": "1h", "spacing": 2.0}, ValueError, ["`per`", "temporal x", "`spacing`"]),
    ({"edge_order": 0}, ValueError, ["`edge_order`", "1 or 2", "got 0"]),
    ({"edge_order": 3}, ValueError, ["`edge_order`", "1 or 2", "got 3"]),
    ({"edge_order": "2"}, ValueError, ["`edge_order`", "1 or 2", "got '2'"]),
    ({"edge_order": True}, ValueError, ["`edge_order`", "1 or 2", "got True"]),
    ({"edge_order": None}, ValueError, ["`edge_order`", "1 or 2", "got None"]),
    ({"edge_order": np.array([1, 2])}, ValueError, ["`edge_order`", "1 or 2", "got array([1, 2])"]),
    ({"nulls": None}, ValueError, ["`nulls`", "'propagate'", "'skip'", "'split'", "got None"]),
    ({"nulls": "drop"}, ValueError, ["`nulls`", "'propagate'", "'skip'", "'split'", "got 'drop'"]),
    ({"nulls": "Skip"}, ValueError, ["`nulls`", "'skip'", "got 'Skip'"]),
    ({"nulls": True}, ValueError, ["`nulls`", "'skip'", "got True"]),
    ({"by": 1}, TypeError, ["`by`", A_COLUMN, "got int"]),
    ({"by": True}, TypeError, ["`by`", A_COLUMN, "got bool"]),
    ({"by": b"k"}, TypeError, ["`by`", A_COLUMN, "got bytes"]),
    ({"by": {"k"}}, TypeError, ["`by`", A_COLUMN, "got set"]),
    ({"by": []}, ValueError, ["`by`", "at least one column", "got none", "leave it out"]),
    ({"by": ()}, ValueError, ["`by`", "at least one column", "got none"]),
    ({"by": ["k", 1]}, TypeError, ["`by`", A_COLUMN, "got int"]),
    ({"by": ["k", None]}, TypeError, ["`by`", A_COLUMN, "got NoneType"]),
    ({"by": [["k", "j"]]}, TypeError, ["`by`", A_COLUMN, "got list", "one flat list"]),
    ({"max_gap": 5}, ValueError, ["`max_gap`", "distance in x", "give `x`"]),
    ({"max_gap": "5s", "spacing": "1s"}, ValueError, ["`max_gap`", "distance in x", "give `x`"]),
    ({"x": "t", "max_gap": 0}, ValueError, ["`max_gap`", "finite and positive", "got 0"]),
    ({"x": "t", "max_gap": -1.5}, ValueError, ["`max_gap`", "finite and positive", "got -1.5"]),
    ({"x": "t", "max_gap": nan}, ValueError, ["`max_gap`", "finite and positive", "got nan"]),
    ({"x": "t", "max_gap": inf}, ValueError, ["`max_gap`", "finite and positive", "got inf"]),
    ({"x": "t", "max_gap": Decimal(-1)}, ValueError, ["`max_gap`", "finite and positive", "got -1"]),
    ({"x": "t", "max_gap": 10**400}, ValueError, ["`max_gap`", "finite and positive", "got 1000"]),
    ({"x": "t", "max_gap": 2**53 + 1}, ValueError, ["`max_gap`", "exactly", "Float64", "got 9007199254740993"]),
    ({"x": "t", "max_gap": True}, TypeError, ["`max_gap`", "number, a timedelta or a duration string", "got bool"]),
    ({"x": "t", "max_gap": [1]}, TypeError, ["`max_gap`", "number, a timedelta or a duration string", "got list"]),
    ({"x": "t", "max_gap": pl.col("t")}, TypeError, ["`max_gap`", "a duration string", "got Expr"]),
    ({"x": "at", "max_gap": np.timedelta64(5)}, ValueError, ["`max_gap`", "with a unit", "got np.timedelta64(5)"]),
    (
        {"x": "at", "max_gap": np.timedelta64(0, "s")},
        ValueError,
        ["`max_gap`", "longer than zero", "timedelta64(0,'s')"],
    ),
    ({"x": "at", "max_gap": "٣s"}, ValueError, ["`max_gap`", DURATION, "got '٣s'"]),
    ({"x": "at", "max_gap": "5"}, ValueError, ["`max_gap`", DURATION, "got '5'"]),
    ({"x": "at", "max_gap": "1mo"}, ValueError, ["`max_gap`", DURATION, "got '1mo'", "months", "no constant length"]),
    ({"x": "at", "max_gap": "0s"}, ValueError, ["`max_gap`", "longer than zero", "got '0s'"]),
    ({"x": "at", "max_gap": "-1h"}, ValueError, ["`max_gap`", "longer than zero", "got '-1h'"]),
    ({"x": "at", "max_gap": timedelta(0)}, ValueError, ["`max_gap`", "longer than zero", "datetime.timedelta(0)"]),
    ({"x": "at", "max_gap": "20000w"}, ValueError, ["`max_gap`", "shorter than 292 years", "got '20000w'"]),
    ({"strict": None}, TypeError, ["`strict`", "True or False", "got None"]),
    ({"strict": 1}, TypeError, ["`strict`", "True or False", "got 1"]),
    ({"strict": "no"}, TypeError, ["`strict`", "True or False", "got 'no'"]),
    ({"unknown": 1}, TypeError, ["gradient() got an unexpected keyword argument 'unknown'"]),
    ({"axis": (0, 1), "unknown": 1}, TypeError, ["gradient() got an unexpected keyword argument 'unknown'"]),
]


@pytest.mark.parametrize(("arguments", "kind", "words"), ARGUMENTS, ids=[shown(row[0])[:40] for row in ARGUMENTS])
def test_wrong_arguments_fail_at_once(arguments: dict[str, Any], kind: type[Exception], words: list[str]) -> None:
    with pytest.raises(kind) as caught:
        pg.gradient(**{"y": "y", **arguments})
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


# Numbers of numpy and of any size, among them one that it calls an integer and that is none.
ODD = [np.timedelta64(3, "s"), True, None, nan, inf, 10**400, -1, 1j, "x", b"x", Decimal("sNaN"), [3], np.array([3, 4])]


@pytest.mark.parametrize("value", ODD, ids=lambda value: shown(value)[:20])
@pytest.mark.parametrize("name", OPERATORS)
def test_any_value_of_an_option(name: str, value: Any) -> None:
    operator = getattr(pg, name)
    options = [option for option in inspect.signature(operator).parameters.values() if option.name not in ("y", "x")]
    for option in options:
        arguments = {**REQUIRED.get(name, {}), option.name: value}
        takes_times = any(word in str(option.annotation) for word in ("Length", "Duration", "Wrap"))
        if isinstance(value, np.timedelta64) and not takes_times:
            with pytest.raises((TypeError, ValueError), match=f"`{option.name}`"):
                operator("y", "t", **arguments)
            continue
        try:
            operator("y", "t", **arguments)
        except (TypeError, ValueError) as error:
            # As many axes as there are columns x.
            named = "x" if isinstance(value, list) and option.name == "axis" else option.name
            assert f"`{named}`" in str(error)  # noqa: PT017, many values are right


@pytest.mark.parametrize("argument", ["edge_order", "nulls", "strict"])
def test_an_expression_where_a_choice_belongs(argument: str) -> None:
    """Not Polars' error about the truth value of an expression, which names no argument."""
    with pytest.raises((TypeError, ValueError), match=f"`{argument}` must be"):
        pg.gradient("y", **{argument: pl.col("t")})


def test_methods_check_their_arguments_too() -> None:
    for gradient in (pl.col("y").grad.gradient, FRAME["y"].grad.gradient):
        with pytest.raises(ValueError, match="`edge_order` must be 1 or 2, got 3"):
            gradient(edge_order=3)
    with pytest.raises(TypeError, match="`x` must be a column name, an expression, a series or a 1-D array, got int"):
        pl.col("y").grad.gradient(1)


@pytest.mark.parametrize(
    ("x", "kind", "words"),
    [
        ("t", TypeError, "`x` must be a series or values of the same length, got str"),
        ("10ms", TypeError, "of the same length, got str; for a constant step use `spacing='10ms'`"),
        ("t", TypeError, "of the same length, got str; for a column of a frame use `x=df['t']`"),
        (
            1.0,
            TypeError,
            "`x` must be a series or values of the same length, got float; for a constant step use `spacing=1.0`",
        ),
        (pl.col("t"), TypeError, "`x` must be a series or values of the same length, got Expr"),
        ([1.0, 2.0], ValueError, "`x` must be as long as the series: got 2 and 3 values"),
        (pl.Series([1.0] * 4), ValueError, "`x` must be as long as the series: got 4 and 3 values"),
        (pl.Series([], dtype=pl.Float64), ValueError, "`x` must be as long as the series: got 0 and 3 values"),
    ],
    ids=str,
)
def test_x_of_a_series(x: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        FRAME["y"].grad.gradient(x)


@pytest.mark.parametrize(
    ("by", "kind", "words"),
    [
        ("k", TypeError, "`by` must be a series or values of the same length, got str"),
        (1, TypeError, "`by` must be a series or values of the same length, got int"),
        (pl.col("k"), TypeError, "`by` must be a series or values of the same length, got Expr"),
        (["a", "b"], ValueError, "`by` must be as long as the series: got 2 and 3 values"),
        ([], ValueError, "`by` must be as long as the series: got 0 and 3 values"),
        ([pl.Series([1, 2, 3]), pl.Series([1])], ValueError, "`by` must be as long as the series: got 1 and 3 values"),
    ],
    ids=str,
)
def test_by_of_a_series(by: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        FRAME["y"].grad.gradient(by=by)


WINDOWS: list[tuple[Callable[..., pl.Expr], dict[str, Any], str]] = [
    (pg.savgol, {"window_size": 0}, "more rows than `degree`, which is 2, got 0; take 3 or more"),
    (pg.savgol, {"window_size": -4, "degree": 3}, "more rows than `degree`, which is 3, got -4; take 5 or more"),
    (pg.savgol, {"window_size": 1, "degree": 1}, "more rows than `degree`, which is 1, got 1; take 3 or more"),
    (pg.savgol, {"window_size": 4, "degree": 3}, "`window_size` must be odd, got 4; take 5"),
    (pg.savgol, {"window_size": 6}, "`window_size` must be odd, got 6; take 5 or 7"),
    (pg.rolling_slope, {"window_size": 2, "center": True}, "a centred `window_size` must be odd, got 2; take 3"),
    (pg.rolling_slope, {"window_size": 4, "center": True}, "a centred `window_size` must be odd, got 4; take 3 or 5"),
    (pg.rolling_slope, {"window_size": 1, "center": True}, "`window_size` must be at least 2 rows, got 1"),
]


@pytest.mark.parametrize(("operator", "options", "words"), WINDOWS, ids=shown)
def test_windows_that_a_message_suggests_are_allowed(
    operator: Callable[..., pl.Expr], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        operator("y", **options)
    for rows in re.findall(r"-?\d+", str(caught.value).partition("; take ")[2]):
        operator("y", **{**options, "window_size": int(rows)})


VECTORS: list[tuple[Callable[..., pl.Expr], Any, str]] = [
    (pg.curl, ["u", "v"], "for the components of vectors use `pl.struct('u', 'v')`"),
    (pg.divergence, ("u", "v"), "for the components of vectors use `pl.struct('u', 'v')`"),
    (pg.partials, ["u", "v"], "for several columns use `pl.col('u', 'v')`"),
]


@pytest.mark.parametrize(("function", "field", "words"), VECTORS, ids=shown)
def test_several_names_as_a_field(function: Callable[..., pl.Expr], field: Any, words: str) -> None:
    """What the message suggests is allowed."""
    with pytest.raises(TypeError, match=re.escape(words)):
        function(field, wrt=["x", "y"])
    points = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "u": [0.0, 1.0, 0.0, 1.0], "v": [0.0, 0.0, 1.0, 1.0]})
    suggested = eval(re.search("`(pl.+)`", words)[1], {"pl": pl})  # type: ignore[index]
    assert points.select(function(suggested, wrt=["x", "y"])).height == 4


def test_a_formula_without_its_variable_names_each_column_once() -> None:
    y = pl.col("y")
    with pytest.raises(ValueError, match=r"does not contain 'z', its columns are 'y'; for"):
        pg.derivative_of(y**2 * y, "z")
    many = pl.sum_horizontal(pl.col(f"c{number}") * y for number in range(12))
    with pytest.raises(ValueError, match=r"its columns are 'c0', 'y', 'c1', .*, 'c8' and 3 more; for"):
        pg.derivative_of(many, "z")


FRAMES: list[tuple[pl.Expr, str]] = [
    (pg.magnitude("y", wrt="t"), "functions of a grid need whole columns for `m`, but {} has a few rows at a time"),
    (pg.partials("y", wrt="t").struct.unnest(), "functions of a grid need whole columns"),
    (pg.gradient("y", x="t").over("at"), "got an operator with `.over()` called on it for `m`; give the keys as `by=`"),
    (
        pg.gradient("y", x="t").round(2),
        "got an operator with `.round()` called on it for `m`; compute other expressions",
    ),
    (pg.gradient("y", x="t") * 2, "got an operator in a larger expression for `m`; compute other expressions"),
    (pg.gradient("y") + pg.gradient("t"), "got an operator in a larger expression for `m`"),
    (pg.gradient("(", x="t").cast(pl.Float32), "got an operator with `.cast()` called on it"),
    (pg.gradient_horizontal("y", "t"), "got `gradient_horizontal` for `m`; compute other expressions"),
    (pl.col("y") * 2, 'got [(col("y")) * (dyn int: 2)] for `m`; compute other expressions'),
]


@pytest.mark.parametrize(("expr", "words"), FRAMES, ids=[words for _, words in FRAMES])
def test_what_is_no_operator_of_batches(expr: Any, words: str) -> None:
    """Errors show nothing of how an operator is called inside."""
    calls: dict[str, Callable[[], Any]] = {
        "`grad.with_columns`": lambda: FRAME.lazy().grad.with_columns(m=expr),  # type: ignore[attr-defined]
        "`pg.stitch`": lambda: pg.stitch([FRAME], m=expr),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=re.escape(words.format(name))) as caught:
            call()
        assert "_internal" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_operator_as_a_column_of_batches() -> None:
    with pytest.raises(
        ValueError, match=r"`y` of `m` must be the name of a column in `pg.stitch`, got an operator; compute"
    ):
        pg.stitch([FRAME], m=pg.gradient(pg.gradient("y"), x="t"))
    with pytest.raises(ValueError, match='must share `x`, got an operator and col\\("t"\\); use one call for each'):
        FRAME.lazy().grad.with_columns(  # type: ignore[attr-defined]
            a=pg.gradient("y", x=pg.gradient("t")), b=pg.gradient("y", x="t")
        )


TEXT = pl.col("y").cast(pl.String)
WHOLE = pl.col("y").cast(pl.Int64)
GONE = (pl.col("at") - pl.col("at").first()).alias("gone")
PLANS: list[tuple[pl.Expr, list[str]]] = [
    (pg.gradient(pl.col("y").cast(pl.String)), ["temporal y", "`y` is str", "cast"]),
    (pg.gradient("y", pl.col("t").cast(pl.String)), ["temporal x", "`t` is str", "cast"]),
    (pg.gradient(pl.concat_list(pl.col("y").cast(pl.String))), ["temporal y", "`y` is list[str]"]),
    (pg.gradient("y", pl.struct("t").alias("s")), ["temporal x", "`s` is struct[1]"]),
    (pg.gradient(pl.col("y") > 1), ["booleans", "`y` is bool", "integer"]),
    (pg.gradient("y", "t", per="1h"), ["`per`", "temporal x", "`t` is f64", "drop `per`"]),
    (pg.gradient("at", "at", per="1h"), ["`per`", "pure ratio", "drop `per`"]),
    (pg.gradient("at", spacing="1s", per="1h"), ["`per`", "pure ratio", "drop `per`"]),
    (pg.gradient(pl.col("y", "at").cast(pl.String), "t"), ["temporal y", "`y` is str"]),
    (pg.gradient("y", "t", max_gap="90m"), ["`max_gap`", "a number", "`t` is f64, got 1h30m;", "cast x to Datetime"]),
    (pg.gradient("y", "t", max_gap=timedelta(1)), ["`max_gap`", "a number", "`t` is f64"]),
    (pg.gradient("y", pl.col("t") > 0, max_gap="1s"), ["`max_gap`", "a number", "`t` is bool"]),
    (pg.gradient("y", "at", max_gap=90), ["`max_gap`", "a duration", "`at` is datetime[μs], got 90;", '"90m"']),
    (pg.gradient("y", "at", x_period=24), ["`x_period`", "a duration", "`at` is datetime[μs], got 24;"]),
    (pg.gradient("y", spacing=1, x_period="1d"), ["`x_period`", "as `spacing` is, got a duration, 1d"]),
    (pg.gradient("y", pl.col("at").dt.date(), x_period="36h"), ["whole number of the steps", "is date, got 1d12h;"]),
    (pg.savgol("y", "t", window_size=3.0, degree=1, x_period=2), ["as long as `window_size`", "got 2"]),
    (
        pg.savgol("y", "at", window_size=20.5),
        ["`window_size`", "`at` is datetime[μs], got 20.5;", "or an int for rows"],
    ),
    (
        pg.rolling_slope("y", "t", window_size="5m"),
        ["`window_size`", "`t` is f64, got 5m; give a number, or an int for rows"],
    ),
    (
        pg.gradient(GONE, y_period=24),
        ["`y_period`", "a duration where y is temporal", "`gone` is duration[μs], got 24"],
    ),
    (pg.increase(WHOLE, wrap=1.5), ["`wrap`", "whole number", "`y` is i64, got 1.5"]),
    (pg.rate("y", "at", max_rate="1h"), ["`max_rate`", "a number where the rate is one", "`y` is f64, got 1h"]),
    (
        pg.rate(GONE, "t", max_rate=2),
        ["`max_rate`", "a duration where the rate is one", "`gone` is duration[μs], got 2"],
    ),
    (pg.turning_points("y", min_swing="5m"), ["`min_swing`", "a number where y is one", "`y` is f64, got 5m"]),
    (pg.turning_points(GONE, min_swing=5), ["`min_swing`", "a duration", "`gone` is duration[μs], got 5"]),
    (pg.rate("y", spacing=-1), ["`spacing` must be positive for `rate`, got -1; reverse the rows"]),
    (pg.rate("y", spacing="-90s"), ["`spacing` must be positive for `rate`, got -1m30s; reverse the rows"]),
    (pg.increase(WHOLE, "t", duplicates="mean"), ["increase of y column `y`, which is i64, cannot be"]),
    (
        pg.gradient(TEXT, "t"),
        ["column `y` is str; parse it first, times with `.str.to_datetime()`, numbers with `.cast("],
    ),
    (pg.gradient("y", TEXT), ["column `y` is str; parse it first, times with `.str.to_datetime()`"]),
    (pg.integral(TEXT, "t"), ["`integral` takes a numeric y", "`y` is str; parse it first, with `.cast(pl.Float64)`"]),
    (
        pg.gradient(pl.col("y").cast(pl.Binary)),
        ["is binary; cast it first; Polars passes on an Object column as binary"],
    ),
    (
        pg.gradient_horizontal("y", "t", x="at"),
        ["`x` must be a List or an Array", "of the 2 columns", "`at` is datetime[μs]"],
    ),
    (
        pg.partials(TEXT, wrt="t"),
        ["`partials` takes a numeric or temporal field, but column `y` is str; parse it first"],
    ),
    (pg.laplacian(TEXT, wrt="t"), ["`laplacian` takes a numeric or temporal field, but column `y` is str"]),
    (pg.partials(pl.col("y") > 1, wrt="t"), ["`partials` takes a numeric or temporal field, but column `y` is bool"]),
    (pg.partials("t", wrt=TEXT), ["`partials` takes a numeric or temporal coordinate, but column `y` is str; parse"]),
    (
        pg.divergence(pl.struct(TEXT.alias("u"), pl.col("t").alias("v")), wrt=["t", "at"]),
        ["`divergence` takes a numeric or temporal field, but column `u` is str"],
    ),
    (pg.gradient("y", pl.col("at").dt.date(), max_gap=1.5, by="t"), ["`max_gap`", "a duration", "`at` is date"]),
    (pg.gradient(pl.col("y").cast(pl.String), by="t"), ["temporal y", "`y` is str"]),
    (pg.gradient("y", pl.col("t").cast(pl.String), nulls="skip"), ["temporal x", "`t` is str"]),
    (pg.gradient("y", "t", per="1h", by="y", nulls="skip"), ["`per`", "temporal x", "`t` is f64", "drop `per`"]),
]


@pytest.mark.parametrize(("slope", "words"), PLANS, ids=str)
def test_wrong_types_fail_when_planned(slope: pl.Expr, words: list[str]) -> None:
    lazy = FRAME.lazy().select(slope)
    for query in (lazy.collect_schema, lazy.collect, lambda: FRAME.select(slope)):
        with pytest.raises(ComputeError) as caught:
            query()
        for word in words:
            assert word in str(caught.value)
        assert "panicked" not in str(caught.value)


@pytest.mark.parametrize(
    "slope",
    [
        pg.gradient("nope"),
        pg.gradient("y", "nope"),
        pl.col("y").grad.gradient("nope"),
        pg.gradient("y", by="nope"),
        pg.gradient("y", "t", by=["t", pl.col("nope")]),
        pg.gradient("y", "nope", nulls="skip"),
    ],
)
def test_an_unknown_column(slope: pl.Expr) -> None:
    with pytest.raises(ColumnNotFoundError, match="nope"):
        FRAME.lazy().select(slope).collect_schema()
    with pytest.raises(ColumnNotFoundError, match="nope"):
        FRAME.select(slope)


def test_lengths_that_do_not_match() -> None:
    """Of one row less and more; a single value is stretched, and so not monotonic."""
    for length in (2, 4):
        with pytest.raises((ShapeError, ComputeError), match="length"):
            FRAME.select(pg.gradient("y", pl.lit(pl.Series("other", range(length)))))
    with pytest.raises(ComputeError, match="strictly monotonic"):
        FRAME.select(pg.gradient("y", pl.lit(5.0)))


def test_keys_of_another_length(engine: Any) -> None:
    lazy = FRAME.lazy().select(pg.gradient("y", by=pl.col("t").head(2)))
    with pytest.raises(ComputeError, match="column `t` must be as long as y: got 2 and 3 rows"):
        lazy.collect(engine=engine)


UTC_DAYS = pl.Series([datetime(2024, 1, day, 12) for day in (1, 3, 2)])
DISORDER: list[tuple[pl.Series, str, str]] = [
    (pl.Series([1, 5, 5]), "5", "5"),
    (pl.Series([3, 7, 2]), "7", "2"),
    (pl.Series([2**64 - 1, 2**64 - 2, 2**64 - 2], dtype=pl.UInt64), "18446744073709551614", "18446744073709551614"),
    (pl.Series([0, 2**127 - 1, 1], dtype=pl.Int128), "170141183460469231731687303715884105727", "1"),
    (pl.Series([0.0, 1.1, 1.1]), "1.1", "1.1"),
    (pl.Series([0.0, 0.1 + 0.2, 0.3]), "0.30000000000000004", "0.3"),
    (pl.Series([0.0, 1.0, nan]), "1.0", "NaN"),
    (pl.Series([nan, 1.0, 2.0]), "NaN", "1.0"),
    (pl.Series([0.0, inf, 2.0]), "0.0", "inf"),
    (pl.Series([-inf, 1.0, 2.0]), "-inf", "1.0"),
    (pl.Series([0.5, 2.5, 2.0], dtype=pl.Float32), "2.5", "2.0"),
    (pl.Series([Decimal("1.50"), Decimal("2.25"), Decimal("2.20")]), "2.25", "2.20"),
    (pl.Series([False, True, True]), "true", "true"),
    (pl.Series([date(2024, 1, day) for day in (1, 3, 2)]), "2024-01-03", "2024-01-02"),
    (pl.Series([time(1), time(3), time(2)]), "03:00:00", "02:00:00"),
    (pl.Series([timedelta(1), timedelta(3), timedelta(2)]), "3d", "2d"),
    (UTC_DAYS, "2024-01-03 12:00:00", "2024-01-02 12:00:00"),
    (UTC_DAYS.cast(pl.Datetime("ns")), "2024-01-03 12:00:00", "2024-01-02 12:00:00"),
    (UTC_DAYS.dt.replace_time_zone("UTC"), "2024-01-03 12:00:00 UTC", "2024-01-02 12:00:00 UTC"),
    (UTC_DAYS.dt.replace_time_zone("Asia/Tokyo"), "2024-01-03 03:00:00 UTC", "2024-01-02 03:00:00 UTC"),
]


@pytest.mark.parametrize(("x", "before", "after"), DISORDER, ids=[str(row[0].dtype) for row in DISORDER])
def test_an_x_out_of_order(x: pl.Series, before: str, after: str, engine: Any) -> None:
    """Names the column and the two values in full, and says what to do."""
    lazy = pl.LazyFrame({"y": [1.0, 2.0, 3.0], "when": x})
    with pytest.raises(ComputeError) as caught:
        lazy.select(pg.gradient("y", "when")).collect(engine=engine)
    message = str(caught.value)
    assert f"in column `when` {before} is followed by {after};" in message
    in_window = 'sort by `when`, use `.over(..., order_by="when")`, tell series apart with `by`'
    hint = (
        '; merge repeated `when` with `duplicates="mean"`, tell series apart with `by`'
        if before == after
        else in_window
    )
    if {before, after} & {"NaN", "inf", "-inf"}:
        hint = "; drop such rows, or pass `strict=False`"
    assert hint in message
    assert "strict=False" in message
    assert lazy.select(pg.gradient("y", "when", strict=False)).collect(engine=engine)["y"].null_count() > 0


def test_an_x_out_of_order_where_there_is_no_window() -> None:
    """Series and batches have no `over`, cells and columns no `by`: messages suggest what there is."""
    frame = pl.DataFrame({"t": [0, 2, 1], "y": [1.0, 2.0, 3.0]})
    rate, energy = pg.rate("y", x="t"), pg.integral("y", x="t")
    trend = pg.rolling_slope("y", x="t", window_size=5.0)
    rows: list[Callable[[], Any]] = [
        lambda: frame["y"].grad.gradient(frame["t"]),
        *(lambda operator=operator: list(pg.stitch([frame], operator)) for operator in (rate, energy, trend)),
        lambda: frame.lazy().grad.with_columns(rate).collect(),  # type: ignore[attr-defined]
    ]
    for call in rows:
        with pytest.raises(ComputeError, match="2 is followed by 1; sort by `t`, tell series apart with `by`, or pass"):
            call()
    cells = pl.DataFrame({"y": [[1.0, 2.0, 3.0]]})
    others: list[tuple[pl.Expr, str]] = [
        (pg.gradient("y", x=[0, 2, 1], axis=1), "sort each cell by `x`, or pass"),
        (pg.gradient("y", x=[0, 0, 1], axis=1), 'merge repeated `x` with `duplicates="mean"`, or pass'),
        (pg.gradient("y", x=[0.0, nan, 1.0], axis=1), "drop such values, or pass"),
    ]
    for slope, hint in others:
        with pytest.raises(ComputeError, match=f"; {hint} `strict=False`"):
            cells.select(slope)
    for x, hint in (([0, 0], "give each column a coordinate of its own"), ([nan, 1.0], "drop such values")):
        with pytest.raises(ComputeError, match=f"; {hint}, or pass `strict=False`"):
            frame.select(pg.gradient_horizontal("t", "y", x=x))
    three = frame.with_columns(z=1.0)
    with pytest.raises(ComputeError, match="put the columns in the order of their coordinates, or pass"):
        three.select(pg.gradient_horizontal("t", "y", "z", x=[0, 2, 1]))


def test_an_x_out_of_order_far_down_and_in_a_group() -> None:
    """The values are those of the row, not of another chunk, batch or group."""
    x = [*range(1000), 999, *range(1000, 2000)]
    frame = pl.concat([pl.DataFrame({"k": 1, "x": part}) for part in (x[:300], x[300:])], rechunk=False)
    with pytest.raises(ComputeError, match="`x` 999 is followed by 999;"):
        frame.select(pg.gradient("x", pl.col("x")))
    with pytest.raises(ComputeError, match="`x` 999 is followed by 999;"):
        frame.select(pg.gradient("x", pl.col("x")).over("k"))
    with pytest.raises(ComputeError, match="`x` 999 is followed by 999;"):
        frame.lazy().select(pg.gradient("x", pl.col("x"))).collect(engine="streaming")


NAMED_GROUPS: list[tuple[Any, str]] = [
    ("id", '`id` = "a"'),
    (["id", "number"], '`id` = "a", `number` = 7'),
    (pl.col("id").cast(pl.Categorical), '`id` = "a"'),
    (pl.col("number") / 2, "`number` = 3.5"),
    ("none", "`none` = null"),
    (["none", "id"], '`none` = null, `id` = "a"'),
    ("day", "`day` = 2024-03-01"),
    ("at", "`at` = 2024-03-01 12:30:00"),
    (pl.col("at").dt.replace_time_zone("Europe/Paris"), "`at` = 2024-03-01 11:30:00 UTC"),
    (pl.col("number") == 7, "`number` = true"),
    (pl.lit(1).alias("one"), "`one` = 1"),
]


@pytest.mark.parametrize("operator", [pg.gradient, pg.derivative, pg.rate], ids=lambda operator: operator.__name__)
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_the_step_that_is_wrong_is_shown_wherever_batches_begin(engine: Any, operator: Any) -> None:
    """Batches are evaluated side by side: the first one to fail may begin behind the turn."""
    rows = 1_000
    for bad in (3, 249, 250, 251, 498, 499, 500, 501, 502, 750, 900):
        for wrong, before, after in ((5_000, 5_000, bad + 1), (-5, bad - 1, -5)):
            t = [wrong if row == bad else row for row in range(rows)]
            frame = pl.LazyFrame({"y": [1.0] * rows, "t": t})
            with pytest.raises(ComputeError, match=f"in column `t` {before} is followed by {after};"):
                frame.select(operator("y", "t")).collect(engine=engine)


@pytest.mark.parametrize(("by", "named"), NAMED_GROUPS, ids=[row[1] for row in NAMED_GROUPS])
def test_an_x_out_of_order_names_its_group(by: Any, named: str, engine: Any) -> None:
    """In words that tell the groups apart; wherever the rows of the group stand, and where nulls are skipped."""
    at = datetime(2024, 3, 1, 12, 30)
    broken = pl.DataFrame(
        {"id": "a", "number": 7, "none": None, "day": at.date(), "at": at, "t": [1, 3, 2, 4], "y": [1.0, 2.0, 4.0, 8.0]}
    ).with_columns(pl.col("none").cast(pl.String))
    sound = broken.with_columns(
        pl.lit("b").alias("id"),
        number=pl.lit(8),
        none=pl.lit("n"),
        t=pl.int_range(100, 104),
        at=at + pl.duration(days=1),
    ).with_columns(day=pl.col("at").dt.date())
    in_one_piece = pl.concat([sound, broken.cast(sound.schema)])
    one_group = isinstance(by, pl.Expr) and by.meta.is_literal(allow_aliasing=True)
    for frame in (
        broken if one_group else in_one_piece,
        broken if one_group else in_one_piece[[0, 4, 1, 5, 2, 6, 3, 7]],
    ):
        for options in ({}, {"nulls": "skip"}):
            with_null = frame.with_columns(pl.when(pl.col("t") != 102).then("y").alias("y"))
            with pytest.raises(ComputeError) as caught:
                with_null.lazy().select(pg.gradient("y", "t", by=by, **options)).collect(engine=engine)
            message = str(caught.value)
            assert f"in column `t` 3 is followed by 2 in the group {named}; sort by `t`" in message
            assert "strict=False" in message


def test_an_x_out_of_order_in_a_series() -> None:
    with pytest.raises(ComputeError, match="in column `x` 2 is followed by 1;"):
        FRAME["y"].grad.gradient([0, 2, 1])
    with pytest.raises(ComputeError, match="in column `when` 2 is followed by 1;"):
        FRAME["y"].grad.gradient(pl.Series("when", [0, 2, 1]))


def test_a_slope_that_no_duration_can_hold() -> None:
    frame = pl.DataFrame({"y": pl.Series([-(2**63), 2**63 - 1, 0], dtype=pl.Duration("us"))})
    with pytest.raises(
        ComputeError, match=r"gradient of `y` does not fit in duration\[μs\]: it is 1.8\d*e19 μs; .*strict=False"
    ):
        frame.select(pg.gradient("y"))
    slopes = frame.select(pg.gradient("y", strict=False)).to_series()
    assert slopes.is_null().to_list() == [True, False, False]


def test_an_increase_that_no_integer_can_hold() -> None:
    """Shows it, or where it fits in no number at all the two values, on each way to them."""
    for dtype, given in (
        (pl.Int64, rf"does not fit in i64: it is {2**64 - 1}; cast"),
        (pl.Int128, rf"does not fit in i128: y goes from {-(2**127)} to {2**127 - 1}; cast"),
    ):
        least, most = (-(2**63), 2**63 - 1) if dtype == pl.Int64 else (-(2**127), 2**127 - 1)
        y = pl.Series("y", [least, most, most], dtype=dtype)
        frame = pl.DataFrame({"k": 0, "t": [0, 1, 1]}).with_columns(y)
        for options in ({}, {"nulls": "skip"}, {"x": "t", "duplicates": "last"}):
            with pytest.raises(ComputeError, match=given):
                frame.select(pg.increase("y", **options))
        with pytest.raises(ComputeError, match=given.replace("; cast", " in the group `k` = 0; cast")):
            frame.select(pg.increase("y", by="k"))
        with pytest.raises(ComputeError, match=given):
            list(pg.stitch([frame], pg.increase("y")))


@pytest.mark.parametrize("name", ["{}", "{0} %s {x}", "`a`", "a\nb", "ä €", "", " "])
def test_any_name_of_a_column(name: str) -> None:
    frame = pl.DataFrame({name: [1, 2, 4], f"{name}x": [0, 1, 1], f"{name}s": ["1", "2", "3"]})
    assert frame.select(pg.gradient(name)).to_dict(as_series=False) == {name: [1.0, 1.5, 2.0]}
    with pytest.raises(ComputeError) as caught:
        frame.select(pg.gradient(name, f"{name}x"))
    assert f"in column `{name}x` 1 is followed by 1;" in str(caught.value)
    with pytest.raises(ComputeError) as caught:
        frame.lazy().select(pg.gradient(f"{name}s")).collect_schema()
    assert f"column `{name}s` is str" in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"y": "a\0b"},
        {"y": "t", "x": "a\0b"},
        {"y": "a\0b", "x": "t"},
        {"y": "t", "by": "a\0b"},
        {"y": "t", "by": ["k", "a\0b"]},
    ],
    ids=str,
)
def test_a_nul_character_in_a_name_is_no_panic(arguments: dict[str, Any]) -> None:
    """Arrow's names end at a NUL: slopes, or an error that says so, but not the end of the query in a panic."""
    frame = pl.DataFrame({"a\0b": [0, 1, 2], "t": [0, 1, 2], "k": [0, 0, 0]})
    try:
        slopes = frame.select(pg.gradient(**arguments)).to_series()
    except (ValueError, PolarsError) as error:
        assert "NUL" in str(error)  # noqa: PT017, one of two good ends
    else:
        assert slopes.to_list() == ([None] * 3 if "by" in arguments else [1.0] * 3)
