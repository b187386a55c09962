"""The errors of `derivative`, and its arguments."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.exceptions import ComputeError, PolarsError

import polars_grad as pg

RNG = np.random.default_rng(23)
FRAME = pl.DataFrame({"x": np.cumsum(RNG.uniform(0.5, 1.5, 200)), "y": RNG.normal(size=200)})
OPTIONS: list[dict[str, Any]] = [
    {"order": order, "accuracy": accuracy, **side}
    for order, accuracy in [(1, 1), (1, 2), (1, 4), (2, 2), (2, 3), (3, 2), (4, 4)]
    for side in ({}, {"side": "backward"}, {"side": "forward"})
]


def errors(options: dict[str, Any], x: str | None = "x", frame: pl.DataFrame = FRAME, **more: Any) -> pl.DataFrame:
    return frame.select(pg.derivative("y", x, **options, with_error=True, **more).struct.unnest())


@pytest.mark.parametrize("x", ["x", None])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_value_is_the_derivative(options: dict[str, Any], x: str | None) -> None:
    got = errors(options, x, sigma=1.0)
    assert got.columns == ["value", "truncation", "stderr"]
    assert got["value"].equals(FRAME.select(pg.derivative("y", x, **options)).to_series(), null_equal=True)


@pytest.mark.parametrize("x", ["x", None])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_truncation_is_the_difference_from_two_more_rows(options: dict[str, Any], x: str | None) -> None:
    got = errors(options, x)
    wider = FRAME.select(pg.derivative("y", x, **{**options, "accuracy": options["accuracy"] + 2})).to_series()
    half = (options["order"] + options["accuracy"]) // 2
    for row, (value, truncation, _) in enumerate(got.rows()):
        # The last row before the ends reads no wider stencil.
        is_between = "side" not in options and row in (half, len(got) - 1 - half)
        assert (truncation is None) == (value is None or is_between or wider[row] is None), row
        # Next to an end the wider stencil with its own options is that of an end.
        if truncation is not None:
            assert truncation == pytest.approx(abs(wider[row] - value), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "options", [{"order": 3, "accuracy": 5}, {"accuracy": 6}, {"order": 5, "accuracy": 4}], ids=str
)
def test_the_errors_at_one_end_are_those_at_the_other(options: dict[str, Any]) -> None:
    """At ends of a lower accuracy. The numbers of rows are even: no row is as near to one end as to the other."""
    for rows in (8, 10, 30):
        frame = FRAME[:rows]
        got = errors({**options, "edge_accuracy": 2}, frame=frame, sigma=1.0)
        back = errors({**options, "edge_accuracy": 2}, frame=frame.reverse(), sigma=1.0).reverse()
        for name in ("truncation", "stderr"):
            np.testing.assert_allclose(got[name].to_numpy(), back[name].to_numpy(), rtol=1e-6, atol=1e-6)


def test_a_segment_too_short_for_its_ends_is_null(engine: str) -> None:
    groups = pl.concat([FRAME[:rows].with_columns(key=pl.lit(rows)) for rows in range(1, 12)])
    options = {"order": 2, "accuracy": 2, "edge_accuracy": 5}
    by = pg.derivative("y", "x", by="key", **options)
    over = pg.derivative("y", "x", **options).over("key")
    got = groups.lazy().select("key", by=by, over=over).collect(engine=engine)
    assert got["by"].equals(got["over"])
    # Whole groups, also where a centred stencil would fit.
    assert got.group_by("key", maintain_order=True).agg(pl.col("by").null_count())["by"].to_list() == [
        *range(1, 7),
        *[0] * 5,
    ]


def test_the_truncation_is_about_the_true_error() -> None:
    """A smooth curve: the ratio has a median near 1."""
    x = np.cumsum(RNG.uniform(0.05, 0.15, 1000))
    frame = pl.DataFrame({"x": x, "y": np.sin(x)})
    for options, true in (({}, np.cos(x)), ({"accuracy": 3}, np.cos(x)), ({"order": 2}, -np.sin(x))):
        got = errors(options, frame=frame)
        ratio = (got["truncation"] / (got["value"] - pl.Series(true)).abs()).drop_nulls()
        assert ratio.median() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("x", ["x", None])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_standard_error_is_that_of_the_weights(options: dict[str, Any], x: str | None) -> None:
    rows = 24
    frame = FRAME[:rows]
    units = frame.with_columns(**{f"y{row}": (pl.int_range(rows) == row).cast(pl.Float64) for row in range(rows)})
    # Each value alone, as the column, gives its weights.
    weights = units.select(pg.derivative(pl.col(f"y{row}"), x, **options) for row in range(rows)).to_numpy()
    got = errors(options, x, frame, sigma=0.25)["stderr"].to_numpy()
    np.testing.assert_allclose(got, 0.25 * np.sqrt((weights**2).sum(axis=1)), rtol=1e-9)


def test_without_sigma_the_standard_error_is_null() -> None:
    assert errors({})["stderr"].null_count() == len(FRAME)
    assert errors({})["stderr"].dtype == pl.Float64


def test_a_null_in_the_wider_stencil_leaves_the_value() -> None:
    frame = FRAME.with_columns(y=pl.when(pl.int_range(pl.len()) != 100).then("y"))
    got = errors({"order": 1, "accuracy": 4}, frame=frame)
    values, truncations = ([row for row in range(50, 150) if got[name][row] is None] for name in got.columns[:2])
    assert values == [98, 99, 100, 101, 102]
    assert truncations == [97, 98, 99, 100, 101, 102, 103]


def test_nan_is_in_the_errors_that_read_it() -> None:
    frame = FRAME.with_columns(y=pl.when(pl.int_range(pl.len()) != 100).then("y").otherwise(float("nan")))
    got = errors({"order": 1, "accuracy": 4}, frame=frame, sigma=1.0)
    assert got["value"].is_nan().arg_true().to_list() == [98, 99, 100, 101, 102]
    assert got["truncation"].is_nan().arg_true().to_list() == [97, 98, 99, 100, 101, 102, 103]
    assert not got["stderr"].is_nan().any()


def test_the_unit_of_sigma_is_that_of_y() -> None:
    times = FRAME.select(
        "x",
        y=pl.lit(datetime(2024, 1, 1), pl.Datetime("us")) + pl.duration(milliseconds=pl.col("y") * 1e6),
        n=(pl.col("y") * 1e9).cast(pl.Int64),
        decimal=pl.col("y").cast(pl.Decimal(18, 6)),
        at=pl.lit(datetime(2024, 1, 1)) + pl.duration(milliseconds=pl.col("x") * 1e3),
    )
    sigma = timedelta(milliseconds=3)
    expected = errors({"order": 1}, sigma=3.0)["stderr"]
    got = errors({}, frame=times, sigma=sigma)["stderr"]
    assert got.dtype == pl.Duration("us")
    np.testing.assert_allclose(got.dt.total_microseconds() / 1e3, expected, atol=1e-3)
    ratio = errors({}, "at", times, sigma="3ms")["stderr"]
    np.testing.assert_allclose(ratio * 1e3, expected, rtol=1e-3)
    decimal = times.select("x", y="decimal")
    np.testing.assert_allclose(errors({}, frame=decimal, sigma=3)["stderr"], expected, rtol=1e-12)


ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"sigma": 1.0}, ValueError, "`with_error=True`"),
    ({"with_error": 1}, TypeError, "`with_error` must be True or False, got 1"),
    ({"with_error": True, "sigma": 0}, ValueError, "`sigma` must be finite and positive, got 0"),
    ({"with_error": True, "sigma": -1.5}, ValueError, "`sigma` must be finite and positive, got -1.5"),
    ({"with_error": True, "sigma": float("nan")}, ValueError, "`sigma` must be finite and positive, got nan"),
    ({"with_error": True, "sigma": float("inf")}, ValueError, "`sigma` must be finite and positive, got inf"),
    ({"with_error": True, "sigma": timedelta(0)}, ValueError, "`sigma` must be longer than zero"),
    ({"with_error": True, "sigma": [1.0]}, TypeError, "`sigma` must be a number, a timedelta .*got list"),
    ({"with_error": True, "sigma": True}, TypeError, "`sigma` must be a number.*got bool"),
]


@pytest.mark.parametrize(("options", "error", "message"), ARGUMENTS, ids=str)
def test_wrong_arguments(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        pg.derivative("y", "x", **options)


@pytest.mark.parametrize("sigma", [1.0, timedelta(1)])
def test_sigma_of_another_kind_than_y(sigma: Any) -> None:
    frame = FRAME if isinstance(sigma, timedelta) else FRAME.with_columns(pl.col("y").cast(pl.Duration("us")))
    query = frame.lazy().select(pg.derivative("y", "x", with_error=True, sigma=sigma))
    with pytest.raises((ComputeError, PolarsError), match=r"`sigma` must be a (duration|number) where y is"):
        query.collect_schema()


def test_the_documented_factors_of_noise() -> None:
    """The table in the docstring is what the stencils do on even spacing."""
    rows = re.findall(r"^ *([1-4])((?: +[0-9.]+){7})$", pg.derivative.__doc__ or "", re.MULTILINE)
    columns = [((1, 2), "center"), ((3, 4), "center"), ((5, 6), "center"), ((7, 8), "center")]
    columns += [((accuracy,), "backward") for accuracy in (1, 2, 4)]
    assert [order for order, _ in rows] == ["1", "2", "3", "4"]
    for order, factors in rows:
        for (accuracies, side), factor in zip(columns, factors.split(), strict=True):
            digits = len(factor.replace(".", "").lstrip("0"))
            for accuracy in accuracies:
                options = {"order": int(order), "accuracy": accuracy, "side": side}
                got = errors(options, None, sigma=1.0)["stderr"][100]
                assert float(f"{got:.{digits}g}") == float(factor), options


def test_long_columns_in_several_threads() -> None:
    long = pl.concat([FRAME] * 3000).with_columns(x=pl.int_range(pl.len()).cast(pl.Float64) ** 1.01)
    whole = long.select(pg.derivative("y", "x", order=2, with_error=True)).to_series()
    head = long[:1000].select(pg.derivative("y", "x", order=2, with_error=True)).to_series()
    assert whole[:990].equals(head[:990], null_equal=True)
    assert whole.null_count() == 0
    causal = long.select(pg.derivative("y", "x", side="backward", with_error=True)).to_series()
    assert causal.is_null().arg_true().to_list() == [0, 1]
