"""Random data for the properties, and the comparison they end in."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st
from polars.testing import assert_series_equal

nan, inf = math.nan, math.inf

# The integers whose differences are the hardest, by dtype.
EXTREMES = [
    (pl.Int64, -(2**63), 2**63 - 1),
    (pl.UInt64, 0, 2**64 - 1),
    (pl.Int128, -(2**127), 2**127 - 1),
    *([(pl.UInt128, 0, 2**128 - 1)] if hasattr(pl, "UInt128") else []),
]

# Some versions of Polars export a sliced column of arrays, if it has nulls, from beyond its end.
EXPORTS_NULL_ARRAYS = pl.Series([[1], [2], None], dtype=pl.Array(pl.Int64, 1)).slice(1).to_arrow().offset == 0

tame_floats = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda value: value if abs(value) > 1e-6 else 0.0)
wild_floats = st.one_of(tame_floats, st.sampled_from([nan, inf, -inf, 0.0, -0.0]))
steps = st.floats(0.01, 100.0)


def rising(draw: st.DrawFn, rows: int, step: st.SearchStrategy[float] = steps) -> list[float]:
    """Strictly rising, irregular coordinates."""
    return list(accumulate(draw(st.lists(step, min_size=rows, max_size=rows)), initial=draw(tame_floats)))[:rows]


@st.composite
def in_chunks(draw: st.DrawFn, column: pl.Series) -> pl.Series:
    """The same column, cut into chunks at random rows."""
    cuts = draw(st.sets(st.integers(1, max(1, len(column) - 1)), max_size=4))
    borders = [0, *sorted(cut for cut in cuts if cut < len(column)), len(column)]
    pieces = [column[start:end] for start, end in pairwise(borders)]
    return pl.concat(pieces, rechunk=False)


@st.composite
def frames(draw: st.DrawFn, *, max_rows: int = 40) -> pl.DataFrame:
    """Columns `y` and `x` with nulls, a key `k` of few values in any order, a `mask`; each in chunks of its own."""
    rows = draw(st.integers(1, max_rows))

    def column(name: str, values: list[Any], dtype: Any) -> pl.Series:
        return draw(in_chunks(pl.Series(name, values, dtype=dtype)))

    def some_null(values: list[Any]) -> list[Any]:
        absent = draw(st.one_of(st.just(set()), st.sets(st.integers(0, rows - 1), max_size=rows // 3)))
        return [None if row in absent else value for row, value in enumerate(values)]

    y = draw(st.lists(wild_floats, min_size=rows, max_size=rows))
    return pl.DataFrame(
        [
            column("y", some_null(y), pl.Float64),
            column("x", some_null(rising(draw, rows)), pl.Float64),
            column("k", draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows)), pl.String),
            column("mask", draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), pl.Boolean),
        ]
    )


def assert_same(got: pl.Series, expected: pl.Series) -> None:
    """The same name, dtype and bits, but for what kind of NaN a NaN is."""
    assert_series_equal(got, expected, check_exact=True)
    if got.dtype.is_float():
        # That -0.0 is 0.0 to a comparison is not enough.
        signs = [np.signbit(column.fill_null(0.0).fill_nan(0.0).to_numpy()) for column in (got, expected)]
        np.testing.assert_array_equal(*signs)
