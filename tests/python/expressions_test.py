"""
What is given as y and x: expressions, literals, aggregations, series and arrays.

Expressions are evaluated once, and have the bits of a column in every context and on every engine.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError, PolarsError
from polars.testing import assert_frame_equal
from strategies import assert_same, frames

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINES: list[Any] = ["in-memory", "streaming"]
ROWS = 30


@pytest.fixture
def frame() -> pl.DataFrame:
    """Three groups in turns, each long enough for any stencil, and a null."""
    t = [row + (0.25 if row % 3 else 0.0) for row in range(ROWS)]
    return pl.DataFrame(
        {
            "k": ["a", "b", "c"] * (ROWS // 3),
            "t": t,
            "y": [None if row == 17 else value**3 for row, value in enumerate(t)],
            "z": [0.1 * value**2 for value in t],
        }
    )


# Expressions, and how the plugin is called for them: with fields, or with whole columns.
EXPRESSIONS: dict[str, tuple[pl.Expr, pl.Expr | None]] = {
    "y": (pl.col("y") * 3, pl.col("t")),
    "x": (pl.col("y"), 2 * pl.col("t") + 1),
    "both": (-pl.col("y"), pl.col("t") * 2),
    "no x": (pl.col("y") * 3, None),
    "one name": (pl.col("y") * 3, (pl.col("t") * 2).alias("y")),
    "a name of fields": ((pl.col("y") * 3).alias("_____0"), pl.col("t").alias("x")),
    "names that are not known": (pl.col("^y$") * 3, pl.col("^t$") * 2),
    "a nested operator": (pg.gradient("y", "t") * 2, pl.col("t")),
    "a nested operator in a branch": (pl.when(pl.col("t") > 3).then(pg.gradient("y", "t")).otherwise(1), pl.col("t")),
    "an operator as x": (pl.col("y"), pg.gradient(pl.col("t") ** 2, "t")),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "second order": {"edge_order": 2},
    "split": {"nulls": "split", "max_gap": 8},
    "skip": {"nulls": "skip", "edge_order": 2},
    "lenient": {"strict": False},
}


def on_columns(frame: pl.DataFrame, y: pl.Expr, x: pl.Expr | None, options: dict[str, Any]) -> pl.Series:
    """The result of the values as columns of a frame."""
    name = frame.select(y).columns[0]
    columns = {"y": frame.select(y).to_series()} | ({} if x is None else {"x": frame.select(x).to_series()})
    options = {key: value for key, value in options.items() if key != "max_gap" or x is not None}
    return pl.DataFrame(columns).select(pg.gradient("y", None if x is None else "x", **options).alias(name)).to_series()


def by_key(frame: pl.DataFrame, y: pl.Expr, x: pl.Expr | None, options: dict[str, Any]) -> pl.Series:
    """The same group by group, each in a frame of its own; rows where they were."""
    parts = frame.with_row_index("row").partition_by("k", maintain_order=True)
    name = frame.select(y).columns[0]
    done = pl.concat(part.select("row").with_columns(on_columns(part, y, x, options).alias("value")) for part in parts)
    return done.sort("row")["value"].alias(name)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("case", EXPRESSIONS)
def test_an_expression_is_the_column_of_its_values(frame: pl.DataFrame, case: str, options: str, engine: Any) -> None:
    """In every context, to the bit, and with the name of y."""
    y, x = EXPRESSIONS[case]
    given_options = {key: value for key, value in OPTIONS[options].items() if key != "max_gap" or x is not None}
    slope = pg.gradient(y, x, **given_options)
    lazy = frame.lazy()
    expected = on_columns(frame, y, x, given_options)
    name = expected.name

    def get(query: pl.LazyFrame) -> pl.Series:
        got = query.collect(engine=engine)
        assert got.schema == query.collect_schema()
        return got[name]

    assert_same(get(lazy.select(slope)), expected)
    assert_same(frame.select(slope).to_series(), expected)
    assert_same(get(lazy.with_columns(slope)), expected)
    assert_same(
        get(lazy.filter(slope > 3).select(pl.col("t").alias(name))), frame.filter(expected > 3)["t"].alias(name)
    )
    chosen = pl.when(pl.col("t") > 5).then(slope).alias(name)
    assert_same(get(lazy.select(chosen)), frame.select(pl.when(pl.col("t") > 5).then(expected).alias(name)).to_series())
    groups = by_key(frame, y, x, given_options)
    assert_same(get(lazy.select(slope.over("k"))), groups)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=5)
    ordered = shuffled.lazy().select("t", o=slope.over("k", order_by="t")).sort("t").collect(engine=engine)
    assert_same(ordered["o"].alias(name), groups)
    aggregated = (
        lazy.group_by("k").agg("t", o=slope).explode("t", "o", empty_as_null=False).sort("t").collect(engine=engine)
    )
    assert_same(aggregated["o"].alias(name), groups)


def test_in_cells(frame: pl.DataFrame, engine: Any) -> None:
    lists = frame.group_by("k", maintain_order=True).agg("z")
    got = lists.lazy().select(pl.col("z").list.eval(pg.gradient(pl.element() * 2))).collect(engine=engine)
    nested = lists.lazy().select(pl.col("z").list.eval(pg.gradient(pg.gradient(pl.element())))).collect(engine=engine)
    for row, values in enumerate(lists["z"]):
        assert_same(got["z"][row], (values * 2).grad.gradient())
        assert_same(nested["z"][row], values.grad.gradient().grad.gradient().alias(""))


def test_several_columns_at_once(frame: pl.DataFrame, engine: Any) -> None:
    for columns in (pl.col("y", "z") * 2, cs.float() * 2, pg.gradient(pl.col("y", "z"), "t")):
        names = frame.select(columns).columns
        got = frame.lazy().select(pg.gradient(columns, pl.col("t") + 1)).collect(engine=engine)
        over = frame.lazy().select(pg.gradient(columns, pl.col("t") + 1).over("k")).collect(engine=engine)
        assert got.columns == over.columns == names
        for name in names:
            values = frame.select(columns)[name]
            assert_same(
                got[name], on_columns(frame.with_columns(v=values), pl.col("v"), pl.col("t") + 1, {}).alias(name)
            )


@given(data=st.data(), frame=frames())
def test_any_data(data: st.DataObject, frame: pl.DataFrame) -> None:
    options = {
        "edge_order": data.draw(st.sampled_from([1, 2])),
        "nulls": data.draw(st.sampled_from(["propagate", "skip", "split"])),
        "strict": False,
    }
    y, x = pl.col("y") * 0.5, pl.col("x") + 0.25
    expected = on_columns(frame, y, x, options)
    for engine in ENGINES:
        for own_y in (y, pl.when(pl.int_range(pl.len()) >= 0).then(y)):
            got = frame.lazy().select(pg.gradient(own_y, x, **options)).collect(engine=engine)
            assert_same(got.to_series(), expected)
    assert_same(frame.select(pg.gradient(y, x, **options).over("k")).to_series(), by_key(frame, y, x, options))


class Counter:
    """Counts the rows that an expression is evaluated on."""

    def __init__(self, of: str) -> None:
        self.rows = 0
        self.values: list[pl.Series] = []
        self.expr = pl.col(of).map_batches(self._see, return_dtype=pl.Float64)

    def _see(self, values: pl.Series) -> pl.Series:
        self.rows += len(values)
        self.values.append(values)
        return values.cast(pl.Float64)


@pytest.mark.parametrize(
    "use",
    [
        lambda lazy, slope: lazy.select(slope),
        lambda lazy, slope: lazy.with_columns(slope),
        lambda lazy, slope: lazy.select(slope.over("k")),
        lambda lazy, slope: lazy.group_by("k").agg(slope),
        lambda lazy, slope: lazy.select(pl.when(pl.col("t") > 3).then(slope)),
        lambda lazy, slope: lazy.filter(slope > 3),
    ],
    ids=["select", "with_columns", "over", "agg", "when", "filter"],
)
@pytest.mark.parametrize("options", [{}, {"edge_order": 2}, {"nulls": "skip"}], ids=str)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_y_and_x_are_evaluated_once(
    frame: pl.DataFrame, use: Callable[..., pl.LazyFrame], options: dict[str, Any], depth: int, engine: Any
) -> None:
    """However deep operators nest, also in eager frames, whose expressions Polars does not optimize."""
    for eager in (True, False):
        y, x = Counter("z"), Counter("t")
        slope = pg.gradient(y.expr, x.expr, **options)
        for _ in range(1, depth):
            slope = pg.gradient(slope * 2, "t", **options)
        query = use(frame.lazy(), slope)
        if eager:
            query.collect(engine=engine, optimizations=pl.QueryOptFlags.none())
        else:
            query.collect(engine=engine)
        assert (y.rows, x.rows) == (ROWS, ROWS)


def test_an_eager_frame_evaluates_once(frame: pl.DataFrame) -> None:
    for by in (None, "k"):
        y, x = Counter("z"), Counter("t")
        frame.select(pg.gradient(y.expr, x.expr, by=by))
        frame.with_columns(pg.gradient(y.expr, x.expr, by=by))
        assert (y.rows, x.rows) == (2 * ROWS, 2 * ROWS)


def test_an_expression_that_differs_each_time(frame: pl.DataFrame, engine: Any) -> None:
    """All neighbours are of one evaluation."""
    shuffled = pl.col("z").shuffle().map_batches(lambda values: seen.append(values) or values, return_dtype=pl.Float64)
    seen: list[pl.Series] = []
    got = frame.lazy().select(pg.gradient(shuffled)).collect(engine=engine).to_series()
    assert len(seen) == 1
    assert_same(got, seen[0].grad.gradient())


@pytest.mark.parametrize(
    "other",
    [pl.col("y").shuffle(seed=3), pl.col("z").sort(descending=True), pl.col("y").drop_nulls(), pl.col("k").rle_id(),
     pl.col("y").head(7), pl.col("z").unique(maintain_order=True), pl.col("z").filter(pl.col("t") > 4),
     pl.col("k").rle().struct.field("len")],
    ids=str,
)  # fmt: skip
def test_an_expression_of_other_rows_or_of_another_length(frame: pl.DataFrame, other: pl.Expr, engine: Any) -> None:
    values = frame.select(other).to_series()
    got = frame.lazy().select(pg.gradient(other)).collect(engine=engine).to_series()
    assert_same(got, values.grad.gradient())


def test_deep_nesting_stays_linear(frame: pl.DataFrame) -> None:
    """The size of the expression, which shifted copies would triple with each level."""
    slope = pl.col("y")
    sizes = []
    for _ in range(12):
        slope = pg.gradient(slope, "t", strict=False) * 1
        sizes.append(len(slope.meta.serialize()))
    assert sizes[-1] < 13 * sizes[0]
    assert frame.select(slope).height == ROWS


def test_a_plain_column_streams_and_an_expression_too() -> None:
    """Only what needs whole columns is not elementwise."""
    lazy = pl.LazyFrame({"y": [1.0], "t": [0.0]})
    for slope in (pg.gradient("y", "t"), pg.gradient(pl.col("y") * 2, "t"), pg.gradient("y", pl.col("t") + 1)):
        assert "evaluate_whole" not in lazy.select(slope).explain(engine="streaming")
    assert "evaluate_whole" in lazy.select(pg.gradient(pg.gradient("y"), "t")).explain(engine="streaming")


# Literals and aggregations.

SCALARS: dict[str, pl.Expr] = {
    "literal": pl.lit(2.0),
    "named literal": pl.lit(7).alias("seven"),
    "aggregation": pl.col("z").mean(),
    "of aggregations": pl.col("z").max() - pl.col("z").min(),
    "quantile": pl.col("z").quantile(0.5),
    "length": pl.len(),
    "first": pl.col("z").first(),
    "get": pl.col("z").get(0),
    "time": pl.lit(timedelta(hours=1)),
    "python": pl.col("z").map_batches(lambda values: values, return_dtype=pl.Float64).sum(),
}


@pytest.mark.parametrize("case", SCALARS)
def test_a_scalar_is_a_column_of_its_value(frame: pl.DataFrame, case: str, engine: Any) -> None:
    """Of the height of the frame or of the group, so that its slope is zero on every row."""
    scalar = SCALARS[case]
    slope = pg.gradient(scalar)
    zero = 0.0 if case != "time" else timedelta(0)
    name = scalar.meta.output_name()
    lazy = frame.lazy()
    expected = pl.Series(name, [zero] * ROWS)
    queries = {
        "select": lazy.select(slope),
        "with x": lazy.select(pg.gradient(scalar, pl.col("t").alias("other"))),
        "with_columns": lazy.with_columns(slope).select(name),
        "over": lazy.select(slope.over("k")),
        "ordered": lazy.select(slope.over("k", order_by="t")),
        "agg": lazy.group_by("k").agg(slope).explode(name, empty_as_null=False).select(name),
        "by": lazy.select(pg.gradient(scalar, by="k")),
        "skip": lazy.select(pg.gradient(scalar, nulls="skip")),
        "nested": lazy.select(pg.gradient(slope)),
        "when": lazy.select(pl.when(True).then(slope).alias(name)),
    }
    for context, query in queries.items():
        got = query.collect(engine=engine).to_series()
        # Polars casts a literal in the query, not in the frame.
        assert got.to_list() == expected.to_list(), context
        assert got.name == name
    assert frame.select(slope).to_series().to_list() == expected.to_list()
    assert lazy.filter(slope == zero).collect(engine=engine).height == ROWS
    assert frame[:1].select(slope).to_series().to_list() == [None]
    assert frame[:0].select(slope).to_series().to_list() == []


def test_several_scalars_at_once(frame: pl.DataFrame, engine: Any) -> None:
    got = frame.lazy().select(pg.gradient(pl.col("y", "z").mean())).collect(engine=engine)
    assert_frame_equal(got, pl.DataFrame({"y": [0.0] * ROWS, "z": [0.0] * ROWS}))
    lists = pl.DataFrame({"l": [[1.0, 2.0], [5.0], []]})
    assert lists.select(pl.col("l").list.eval(pg.gradient(pl.element().mean())))["l"].to_list() == [
        [0.0, 0.0],
        [None],
        [],
    ]


@pytest.mark.parametrize("case", [case for case in SCALARS if case != "time"])
def test_a_scalar_x_repeats(frame: pl.DataFrame, case: str, engine: Any) -> None:
    scalar = SCALARS[case]
    for by in (None, "k"):
        slope = pg.gradient("z", scalar, by=by)
        for query in (frame.lazy().select(slope), frame.lazy().select(slope.over("k")) if by is None else None):
            if query is not None:
                with pytest.raises(ComputeError, match="must be finite and strictly monotonic"):
                    query.collect(engine=engine)
        lenient = pg.gradient("z", scalar, by=by, strict=False)
        assert frame.lazy().select(lenient).collect(engine=engine).to_series().null_count() == ROWS
    assert frame[:1].select(pg.gradient("z", scalar)).to_series().to_list() == [None]


def test_scalars_on_grids(engine: Any) -> None:
    grid = pl.LazyFrame({"a": [0, 1, 0, 1], "b": [0, 0, 1, 1], "f": [1.0, 2.0, 3.0, 4.0]})
    flat = grid.select(pg.partials(pl.col("f").mean(), wrt=["a", "b"])).collect(engine=engine)
    assert flat["f"].to_list() == [{"a": 0.0, "b": 0.0}] * 4
    line = grid.filter(pl.col("b") == 0).select(pg.partials("f", wrt=["a", pl.lit(3).alias("b")]))
    assert line.collect(engine=engine)["f"].to_list() == [{"a": 1.0, "b": None}] * 2


AGGREGATIONS = """
    mean sum min max nan_min nan_max std var median product first last item count len n_unique approx_n_unique
    null_count any all skew kurtosis entropy has_nulls arg_min arg_max implode bitwise_and bitwise_or
    bitwise_xor lower_bound upper_bound
""".split()  # noqa: SIM905, shorter


def test_a_scalar_is_told_by_polars_and_by_its_nodes_alike() -> None:
    from polars_grad._engine.scalar import is_scalar, is_scalar_by_its_nodes

    y, t = pl.col("y"), pl.col("t")
    scalars = [
        *(getattr(y, name)() for name in AGGREGATIONS),
        pl.len(), pl.corr("y", "t"), pl.cov("y", "t"), y.dot(t), y.get(0), y.quantile(0.5), y.max_by("t"),
        y.first(ignore_nulls=True), pl.first("y"), y.str.join(","), pl.lit(1.0), pl.lit(None), pl.lit([1, 2]),
        pl.lit(1).alias("one"), pl.lit(datetime(2024, 1, 1)), pl.duration(hours=1), pl.date(2024, 1, 1),  # noqa: DTZ001
        -y.mean(), y.mean() + 1, y.mean().alias("m"), y.mean().name.suffix("_m"), y.mean().name.keep(),
        y.mean().cast(pl.Float32), y.mean().round(1).clip(0, 1), pl.when(y.mean() > 0).then(y.max()).otherwise(0),
        pl.struct(y.mean(), t.max()), pl.struct(y.mean()).struct.field("y"), pl.sum_horizontal(y.mean(), 1),
        pl.concat_list(y.mean(), t.mean()), y.implode().list.mean(), y.mean().fill_null(0), pl.coalesce(y.mean(), 1),
        y.mean().repeat_by(3), y.mean() ** 2, (y.max() - y.min()) / 2, y.max().dt.truncate("1h"), y.mean().shift(),
        pl.col("y", "t").mean(), cs.numeric().max(), pl.nth(0).sum(), pl.all().first(), pl.element().mean(),
        pg.gradient("y").mean(), pg.gradient(y * 2, "t").max() + 1,
    ]  # fmt: skip
    columns = [
        y, pl.col("y", "t"), cs.numeric(), pl.all(), pl.element(), y * 2, y - y.mean(), y.fill_null(y.mean()),
        y.mean().over("k"), y.gather(0), y.head(1), y.slice(0, 1), y.filter(t > 0), y.mode(), y.unique(), y.sort(),
        y.sort_by("t"), y.cum_sum(), y.sample(2), y.shuffle(), y.rle(), y.rle_id(), y.diff(), y.rolling_mean(2),
        y.rank(), y.search_sorted(t), y.top_k(1), y.implode().explode(empty_as_null=False), y.value_counts(),
        y.cum_count(),
        pl.lit(pl.Series([1, 2])), pl.lit(pl.Series([1])), pl.int_range(3), pl.int_range(pl.len()), pl.repeat(1, 3),
        pl.repeat(1, pl.len()), pl.when(y > 0).then(1).otherwise(0), pl.any_horizontal("y", "t"), y.arr.mean(),
        pl.sum_horizontal(y, t.mean()), y.list.sum(), y.list.eval(pl.element().mean()), y.mean().extend_constant(1, 2),
        y.map_batches(lambda s: s), y.map_elements(lambda v: v, return_dtype=pl.Float64), pl.arg_where(y > 0),
        pg.gradient("y"), pg.gradient(y * 2, "t"), pg.gradient(y.mean()), pg.gradient(pg.gradient("y")),
        y.rolling_sum_by("t", "1h"),
    ]  # fmt: skip
    decided = 0
    for expected, exprs in ((True, scalars), (False, columns)):
        for expr in exprs:
            assert is_scalar(expr) is expected, expr
            assert is_scalar_by_its_nodes(expr) is expected, expr
            if hasattr(expr.meta, "is_scalar"):
                try:
                    assert expr.meta.is_scalar() is expected, expr
                    decided += 1
                except PolarsError:
                    pass
    assert decided > 90 or not hasattr(y.meta, "is_scalar")


# Series and arrays.


def test_series_and_arrays_are_columns(frame: pl.DataFrame, engine: Any) -> None:
    y, t = frame["z"], frame["t"]
    expected = frame.select(pg.gradient("z", "t")).to_series()
    lazy = frame.lazy()
    for x in (t, t.alias(""), t.to_numpy(), t.alias("any")):
        assert_same(lazy.select(pg.gradient("z", x)).collect(engine=engine).to_series(), expected)
        assert_same(lazy.with_columns(g=pg.gradient("z", x)).collect(engine=engine)["g"].alias("z"), expected)
        assert_same(lazy.select(pg.gradient(y, x)).collect(engine=engine).to_series(), expected)
        assert_same(pl.select(pg.gradient(y, x)).to_series(), expected)
        grouped = frame.select(pg.gradient("z", "t", by="k")).to_series()
        assert_same(lazy.select(pg.gradient("z", x, by="k")).collect(engine=engine).to_series(), grouped)
        assert_same(lazy.select(pg.gradient(y, x, by="k")).collect(engine=engine).to_series(), grouped)
        for by in (frame["k"], frame["k"].alias(""), frame["k"].to_numpy(), ["k", frame["k"], pl.lit(1)]):
            assert_same(lazy.select(pg.gradient("z", x, by=by)).collect(engine=engine).to_series(), grouped)
    assert_same(lazy.select(pg.gradient(y, "t")).collect(engine=engine).to_series(), expected)
    assert frame.select(pg.gradient(y.to_numpy(), "t")).columns == ["y"]
    assert frame.select(pg.gradient(y.alias(""), "t")).columns == ["y"]
    times = np.arange("2024-01-01", "2024-01-31", dtype="datetime64[D]")
    assert frame.select(pg.gradient(pl.lit(1.0), times)).to_series().to_list() == [0.0] * ROWS
    expression = frame.select(pg.gradient(pl.col("z") * 2, t)).to_series()
    assert_same(expression, frame.select(pg.gradient(pl.col("z") * 2, "t")).to_series())
    partial = frame.select(pg.partials(y, wrt="t")).to_series()
    assert_frame_equal(partial.struct.unnest(), expected.alias("t").to_frame())


def test_the_x_of_a_series_is_named_in_errors(frame: pl.DataFrame) -> None:
    for x, name in ((frame["t"].reverse().shift(1), "t"), (np.ones(ROWS), "x"), (pl.Series([1] * ROWS), "x")):
        with pytest.raises(ComputeError, match=f"in column `{name}`"):
            frame.select(pg.gradient("z", pl.Series(x).sort() if isinstance(x, str) else x * 0 + 1))


def test_a_sequence_inside_of_cells_stays_the_coordinates_along_the_axis() -> None:
    cells = pl.DataFrame({"f": [[0.0, 1.0, 4.0], [1.0, 1.0, 1.0]]})
    for x in ([0.0, 1.0, 2.0], np.arange(3.0), pl.Series([0.0, 1.0, 2.0])):
        assert cells.select(pg.gradient("f", x, axis=1))["f"].to_list() == [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"x": np.ones((3, 2))}, ValueError, "`x` must be a 1-D array, got one of shape (3, 2)"),
        ({"y": np.array(1.0)}, ValueError, "`y` must be a 1-D array, got one of shape ()"),
        ({"x": [1.0, 2.0, 3.0]}, TypeError, "got list; for values that are no column use `x=pl.Series(...)`"),
        ({"y": (1.0, 2.0)}, TypeError, "got tuple; for values that are no column use `y=pl.Series(...)`"),
    ],
)  # fmt: skip
def test_values_that_are_no_column(arguments: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        pg.gradient(**{"y": "y", **arguments})
    assert words in str(caught.value)


def test_another_length(frame: pl.DataFrame) -> None:
    with pytest.raises(PolarsError, match=r"length|height"):
        frame.select(pg.gradient("z", pl.Series([1.0, 2.0, 3.0])))
    with pytest.raises(PolarsError, match=r"length|height"):
        frame.with_columns(pg.gradient(pl.Series("q", [1.0, 2.0, 3.0]), "t"))


def test_names_are_never_taken_for_those_made_up(engine: Any) -> None:
    """Those of fields, of lagged copies and of keys whose names are taken."""
    frame = pl.DataFrame(
        {"a": [1, 1, 2, 2], "a (1)": [1, 2, 1, 2], "t (y)": [1.0, 2.0, 4.0, 8.0], "t": [0.0, 1.0, 2.0, 3.0]}
    )
    lazy = frame.lazy()
    across = lazy.select(pg.gradient_horizontal("a", "a", "a (1)")).collect(engine=engine).to_series()
    assert across.struct.fields == ["a", "a (2)", "a (1)"]
    assert across.struct.field("a (1)").to_list() == [0.0, 1.0, -1.0, 0.0]
    keyed = lazy.select(pg.gradient("t (y)", by=["a", "a", "a (1)"])).collect(engine=engine)
    assert keyed["t (y)"].to_list() == [None] * 4
    one = pg.gradient("t (y)", "t", by=["a", pl.col("a") * 0, pl.col("a") * 0])
    assert lazy.select(one).collect(engine=engine)["t (y)"].to_list() == [1.0, 1.0, 4.0, 4.0]
    for name in ("^t$", "*", "_____0", "y", "x"):
        named = frame.select(pl.col("t (y)").alias(name)).lazy()
        got = named.select(pg.gradient(pl.all() * 1, pl.all() + 1)).collect(engine=engine)
        assert got.to_dict(as_series=False) == {name: [1.0, 1.0, 1.0, 1.0]}
        got = lazy.select(pg.gradient((pl.col("t (y)") * 1).alias(name), pl.col("t"))).collect(engine=engine)
        assert got.to_dict(as_series=False) == {name: [1.0, 1.5, 3.0, 4.0]}
    for y, x in (("t (y)", "t"), ("t", "t"), ("t", "t (y)"), ("t (y)", "t (y)")):
        plain = lazy.select(pg.gradient(y, x)).collect(engine=engine).to_series()
        computed = lazy.select(pg.gradient(pl.col(y) * 1, pl.col(x) * 1)).collect(engine=engine).to_series()
        assert_same(computed, plain)
        assert plain.name == y
