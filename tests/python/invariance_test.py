"""The same rows have the same results, bit for bit, whatever the context, the engine and the chunks are.

All operators run through, as they are registered; what is asserted of numbers is asserted of the gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from registry import CASES, FURTHEST, GIVE_EVENTS, NEED_RISING_X, RINGS, Case
from strategies import assert_same, frames, in_chunks

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

ENGINES: list[Any] = ["in-memory", "streaming"]

# Polars 1.44 cuts a shifted column at the wrong row, on the streaming engine, with no plugin in sight.
SHIFTED = pl.LazyFrame({"y": range(30)}).select(pl.col("y").shift(1))
CUTS_SHIFTED_COLUMNS = SHIFTED.slice(-3, 1).collect(engine="streaming").height == 1

cases = st.sampled_from([*CASES, *RINGS])
# Operators whose results are numbers, which can be compared and differentiated again.
of_numbers = pytest.mark.parametrize("case", [case for case in FURTHEST if case.name not in GIVE_EVENTS], ids=str)


@pytest.fixture(params=[*FURTHEST, *RINGS], ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """Each of the operators."""
    return request.param


@pytest.fixture
def plain(case: Case) -> pl.Expr:
    """The operator on columns."""
    return case("y", "x")


@pytest.fixture
def frame() -> pl.DataFrame:
    """Two keys, taking turns; each has rows enough for any stencil, and cubes as y, with turns, of two kinds."""
    rows = 30
    x = [row + (0.25 if row % 3 else 0.0) for row in range(rows)]
    return pl.DataFrame(
        {
            "k": ["a", "b", "b"] * (rows // 3),
            "x": x,
            "y": [value**3 - (900.0 if row % 7 == 3 else 0.0) for row, value in enumerate(x)],
            "z": [None if row == 17 else 0.1 * value**2 for row, value in enumerate(x)],
        }
    )


@pytest.fixture
def slopes(frame: pl.DataFrame, plain: pl.Expr) -> pl.Series:
    """The result for the whole column, with nothing around it."""
    return frame.select(plain).to_series()


def by_key(frame: pl.DataFrame, expression: pl.Expr) -> pl.DataFrame:
    """The expression on each key's rows, as a frame of its own; rows where they were."""
    parts = frame.with_row_index("row").partition_by("k", maintain_order=True)
    return pl.concat(part.with_columns(slope=expression) for part in parts).sort("row").drop("row")


def test_select_and_with_columns(plain: pl.Expr, frame: pl.DataFrame, slopes: pl.Series, engine: Any) -> None:
    lazy = frame.lazy()
    assert_same(lazy.select(plain).collect(engine=engine).to_series(), slopes)
    assert_same(lazy.with_columns(plain).collect(engine=engine)["y"], slopes)
    assert_same(lazy.select("y", d=plain).collect(engine=engine)["d"].rename("y"), slopes)


def test_the_function_and_the_methods_of_expressions_and_series(
    case: Case, frame: pl.DataFrame, slopes: pl.Series
) -> None:
    assert_same(frame.select(case.of(pl.col("y"), "x")).to_series(), slopes)
    assert_same(frame.select(case.of(pl.col("y"), pl.col("x"))).to_series(), slopes)
    assert_same(case.of(frame["y"], frame["x"]), slopes)
    assert_same(case.of(frame["y"], frame["x"].to_list()), slopes)
    assert_same(case.of(frame["y"], frame["x"].to_numpy()), slopes)


def test_over(plain: pl.Expr, frame: pl.DataFrame, engine: Any) -> None:
    expected = by_key(frame, plain)
    got = frame.lazy().with_columns(slope=plain.over("k")).collect(engine=engine)
    assert_frame_equal(got, expected, check_exact=True)


def test_over_order_by(plain: pl.Expr, frame: pl.DataFrame, engine: Any) -> None:
    """Rows in any order: each key's are sorted, and stay where they are."""
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=5)
    got = shuffled.lazy().with_columns(slope=plain.over("k", order_by="x")).collect(engine=engine)
    assert_frame_equal(got.sort("x"), by_key(frame, plain), check_exact=True)
    assert_frame_equal(got.drop("slope"), shuffled)


def test_over_several_columns_at_once(case: Case, frame: pl.DataFrame, engine: Any) -> None:
    got = frame.lazy().with_columns(case.of(pl.col("y", "z"), "x").over("k")).collect(engine=engine)
    for name in ("y", "z"):
        assert_same(got[name], by_key(frame, case(name, "x"))["slope"].rename(name))


def test_group_by_agg(plain: pl.Expr, frame: pl.DataFrame, engine: Any) -> None:
    """Groups in any order, each with as many results as rows."""
    grouped = (
        frame.lazy()
        .group_by("k")
        .agg("x", slope=plain)
        .explode("x", "slope", empty_as_null=False)
        .sort("x")
        .collect(engine=engine)
    )
    assert_same(grouped["slope"], by_key(frame, plain)["slope"])


@of_numbers
def test_an_aggregation_of_the_result(plain: pl.Expr, frame: pl.DataFrame, engine: Any) -> None:
    largest = frame.lazy().group_by("k").agg(plain.max()).sort("k").collect(engine=engine)
    expected = by_key(frame, plain).group_by("k").agg(pl.col("slope").max()).sort("k")
    assert_same(largest["y"], expected["slope"].rename("y"))


def assume_rising(case: Case, x: pl.DataFrame) -> None:
    if case.name in NEED_RISING_X and x.to_series().is_sorted(descending=True) and x.height > 1:
        pytest.skip("a counter needs a rising x")


@pytest.mark.parametrize(
    "part",
    [
        lambda column: column.head(4),
        lambda column: column.slice(2, 5),
        lambda column: column.filter(pl.col("x") > 3),
        lambda column: column.sort_by("x", descending=True),
        lambda column: column.head(1),
        lambda column: column.gather_every(20),
    ],
    ids=["head", "slice", "filter", "sort", "one row", "gather_every"],
)
def test_parts_of_groups(case: Case, frame: pl.DataFrame, part: Callable[[pl.Expr], pl.Expr], engine: Any) -> None:
    """In `agg`, y and x may be any part of the group; one row has no neighbors, and none in the next group."""
    y, x = part(pl.col("y")), part(pl.col("x"))
    assume_rising(case, frame.select(x))
    grouped = frame.lazy().group_by("k").agg(slope=case(y, x)).sort("k").collect(engine=engine)
    for key, slopes in grouped.iter_rows():
        points = frame.filter(k=key).select(y, x)
        assert slopes == points.select(case("y", "x"))["y"].to_list()


@pytest.mark.parametrize("y", [pl.lit(1.0), pl.col("y").first(), pl.col("y").mean() * 2], ids=str)
def test_a_scalar_in_a_group_has_the_height_of_the_group(
    case: Case, y: pl.Expr, frame: pl.DataFrame, engine: Any
) -> None:
    query = frame.lazy().group_by("k").agg("x", slope=case(y, "x")).sort("k")
    constant = frame.drop("y").join(frame.group_by("k").agg(y=y), on="k", maintain_order="left")
    for key, x, slopes in query.collect(engine=engine).iter_rows():
        assert len(slopes) == len(x) > 1
        assert slopes == constant.filter(k=key).select(case("y", "x"))["y"].to_list()


def test_windows_that_overlap(case: Case, frame: pl.DataFrame, engine: Any) -> None:
    """Each window is a segment of its own: of `rolling`, one per row, of `group_by_dynamic`, one per step."""
    rows = frame.lazy().with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    windows = {
        "rolling": rows.rolling("row", period="4i").agg("y", slope=case("y", "x")),
        "dynamic": rows.group_by_dynamic("row", every="3i", period="5i").agg("y", slope=case("y", "x")),
    }
    for name, lazy in windows.items():
        got = lazy.collect(engine=engine)
        assert got["y"].list.len().max() > 3, name
        for row, window, slope in got.iter_rows():
            start = row if name == "dynamic" else max(0, row - 3)
            points = frame.slice(start, len(window))
            assert points["y"].to_list() == window
            assert points.select(case("y", "x"))["y"].to_list() == slope


@pytest.mark.parametrize("strategy", ["group_to_rows", "join", "explode"])
def test_over_with_any_mapping_strategy(plain: pl.Expr, frame: pl.DataFrame, strategy: Any) -> None:
    by_group = frame.sort("k", maintain_order=True)
    got = by_group.select(plain.over("k", mapping_strategy=strategy)).to_series()
    expected = by_key(by_group, plain)["slope"].rename("y")
    # "join" gives each row the slopes of all its group: the first and the last row have them all.
    assert_same(pl.Series("y", [*got[0], *got[-1]], dtype=expected.dtype) if strategy == "join" else got, expected)


def test_the_filter_of_a_key_may_go_past_over(plain: pl.Expr, frame: pl.DataFrame, engine: Any) -> None:
    got = frame.lazy().with_columns(slope=plain.over("k")).filter(k="b").collect(engine=engine)
    assert_frame_equal(got, by_key(frame, plain).filter(k="b"), check_exact=True)


def test_the_order_of_groups_does_not_matter(plain: pl.Expr, frame: pl.DataFrame) -> None:
    sorted_by_key = frame.sort("k", maintain_order=True)
    got = sorted_by_key.with_columns(slope=plain.over("k")).sort("x")
    assert_frame_equal(got, by_key(frame, plain), check_exact=True)


@of_numbers
def test_when_then(plain: pl.Expr, case: Case, frame: pl.DataFrame, slopes: pl.Series, engine: Any) -> None:
    """`then` sees all rows; a y made null by `when` is a null."""
    late = pl.col("x") > 10
    got = frame.lazy().select(pl.when(late).then(plain).otherwise(-1.0)).collect(engine=engine).to_series()
    assert got.to_list() == [slope if is_late else -1.0 for slope, is_late in zip(slopes, frame["x"] > 10, strict=True)]
    hidden = frame.lazy().select(case(pl.when(late).then("y"), "x")).collect(engine=engine).to_series()
    assert_same(hidden, frame.with_columns(pl.when(late).then("y")).select(case("y", "x")).to_series())


@pytest.mark.parametrize("keep", [pl.col("x") % 1 == 0, pl.col("k") == "b", pl.col("x").is_between(5, 20)], ids=str)
def test_filter_before_and_after(
    plain: pl.Expr, frame: pl.DataFrame, slopes: pl.Series, keep: pl.Expr, engine: Any
) -> None:
    """Before, it takes neighbors away. After, it does not: the optimizer must not move it."""
    lazy, kept = frame.lazy(), frame.filter(keep)
    before = lazy.filter(keep).select(plain).collect(engine=engine).to_series()
    assert_same(before, kept.select(plain).to_series())
    after = lazy.with_columns(d=plain).filter(keep).select("d").collect(engine=engine).to_series()
    assert_same(after, frame.select(slopes.filter(frame.select(keep).to_series())).to_series().rename("d"))
    inside = lazy.select(plain.filter(keep)).collect(engine=engine).to_series()
    assert_same(inside, after.rename("y"))


@of_numbers
def test_filter_by_the_slope(plain: pl.Expr, frame: pl.DataFrame, slopes: pl.Series, engine: Any) -> None:
    got = frame.lazy().filter(plain > 50).select("x").collect(engine=engine).to_series()
    assert_same(got, frame["x"].filter(slopes > 50))


@pytest.mark.parametrize(
    "cut",
    [
        lambda rows: rows.slice(7, 9),
        lambda rows: rows.slice(-9, 5),
        lambda rows: rows.head(4),
        lambda rows: rows.tail(4),
        lambda rows: rows.reverse(),
        lambda rows: rows.gather_every(3),
        lambda rows: rows.unique(maintain_order=True),
    ],
    ids=["slice", "slice from the end", "head", "tail", "reverse", "gather_every", "unique"],
)
def test_cut_after(
    plain: pl.Expr, frame: pl.DataFrame, cut: Callable[[Any], Any], engine: Any, request: pytest.FixtureRequest
) -> None:
    if "streaming-slice from the end" in request.node.callspec.id and not CUTS_SHIFTED_COLUMNS:
        pytest.skip("this Polars cuts shifted columns at the wrong row")
    got = cut(frame.lazy().select("x", d=plain)).select("d").collect(engine=engine).to_series()
    assert_same(got, cut(frame.select("x", d=plain))["d"])


def test_cut_before(plain: pl.Expr, frame: pl.DataFrame, engine: Any) -> None:
    for cut in (lambda rows: rows.slice(7, 9), lambda rows: rows.head(4), lambda rows: rows.tail(3)):
        assert_same(
            cut(frame.lazy()).select(plain).collect(engine=engine).to_series(),
            cut(frame).rechunk().select(plain).to_series(),
        )


def test_list_eval(case: Case) -> None:
    lists = [[1.0, 4.0, 9.0, 16.0], [3.0, None, 5.0], [], None, [7.0], [1e9, 1e9 + 1]]
    frame = pl.DataFrame({"values": lists})
    got = frame.select(pl.col("values").list.eval(case.of(pl.element())))
    expected = [values and case.of(pl.Series(values, dtype=pl.Float64)).to_list() for values in lists]
    assert got["values"].to_list() == expected


def test_list_eval_of_points() -> None:
    """A y and its x in one list."""
    frame = pl.DataFrame({"points": [[{"x": 0, "y": 1}, {"x": 2, "y": 5}], [{"x": 4, "y": 0}, {"x": 5, "y": -1}]]})
    y, x = pl.element().struct.field("y"), pl.element().struct.field("x")
    assert frame.select(pl.col("points").list.eval(pg.gradient(y, x))).to_series().to_list() == [[2.0] * 2, [-1.0] * 2]


@pytest.mark.parametrize(
    "columns",
    [
        pl.col("y", "z"),
        pl.col(["y", "z"]),
        pl.col("^(y|z)$"),
        pl.exclude("k", "x"),
        cs.float() - cs.by_name("x"),
        cs.by_name("y", "z"),
        pl.nth(2, 3),
    ],
    ids=str,
)
def test_several_columns_at_once(case: Case, frame: pl.DataFrame, columns: pl.Expr, engine: Any) -> None:
    got = frame.lazy().select(case.of(columns, "x")).collect(engine=engine)
    assert got.columns == ["y", "z"]
    for name in got.columns:
        assert_same(got[name], frame.select(case(name, "x")).to_series())


def test_several_columns_of_several_types() -> None:
    frame = pl.DataFrame({"x": [0, 1, 3], "i": [5, 6, 9], "f": pl.Series([1, 2, 4], dtype=pl.Float32)})
    got = frame.with_columns(pl.exclude("x").grad.gradient("x"))
    assert got.schema == {"x": pl.Int64, "i": pl.Float64, "f": pl.Float32}


def test_several_x_for_several_y(case: Case, frame: pl.DataFrame) -> None:
    frame = frame.with_columns(w=pl.col("x") ** 2)
    got = frame.select(case.of(pl.col("y", "z"), pl.col("x", "w")))
    assert_same(got["y"], frame.select(case("y", "x")).to_series())
    assert_same(got["z"], frame.select(case("z", "w")).to_series())


def test_the_result_is_named_like_y(plain: pl.Expr, case: Case, frame: pl.DataFrame, slopes: pl.Series) -> None:
    names = {
        "y": plain,
        "y_per_x": plain.name.suffix("_per_x"),
        "dy": plain.name.prefix("d"),
        "Y": plain.name.to_uppercase(),
        "renamed": plain.alias("renamed"),
        "before": case(pl.col("y").alias("before"), "x"),
    }
    for name, expression in names.items():
        assert_same(frame.select(expression).to_series(), slopes.rename(name))
    got = frame.select(case.of(pl.col("y", "z"), "x").name.suffix("'"))
    assert got.columns == ["y'", "z'"]


def test_y_and_x_of_one_name(case: Case, frame: pl.DataFrame, slopes: pl.Series) -> None:
    assert set(frame.select(pg.gradient("x", "x", edge_order=2)).to_series()) == {1.0}
    assert_same(frame.select(case(pl.col("y").alias("x"), "x")).to_series(), slopes.rename("x"))
    assert_same(frame.select(case("y", pl.col("x").alias("y"))).to_series(), slopes)


def test_expressions_as_y_and_x(case: Case, frame: pl.DataFrame, slopes: pl.Series, engine: Any) -> None:
    got = frame.lazy().select(case(pl.col("y") * 2, pl.col("x") / 2)).collect(engine=engine)
    doubled = frame.with_columns(pl.col("y") * 2, pl.col("x") / 2)
    assert_same(got.to_series(), doubled.select(case("y", "x")).to_series())
    if case.name == "gradient" and case not in RINGS:
        assert_same(got.to_series(), slopes * 4)
    rows = frame.lazy().select(case("y", pl.int_range(pl.len()))).collect(engine=engine).to_series()
    assert_same(rows, frame.with_columns(x=pl.Series(range(len(frame)))).select(case("y", "x")).to_series())
    literal = frame.select(case("y", pl.lit(frame["x"])))
    assert_same(literal.to_series(), slopes)


def test_fields_of_a_struct(case: Case, frame: pl.DataFrame, slopes: pl.Series) -> None:
    packed = frame.select(point=pl.struct("x", "y", "z"))
    x = pl.col("point").struct.field("x")
    got = packed.select(case.of(pl.col("point").struct.field("y", "z"), x))
    assert_same(got["y"], slopes)
    assert_same(got["z"], frame.select(case("z", "x")).to_series())


@of_numbers
def test_two_operators_in_a_row(
    plain: pl.Expr, case: Case, frame: pl.DataFrame, slopes: pl.Series, engine: Any
) -> None:
    twice = case.of(case.of(pl.col("y"), "x"), "x")
    expected = pl.DataFrame({"y": slopes, "x": frame["x"]}).select(case("y", "x")).to_series()
    assert_same(frame.lazy().select(twice).collect(engine=engine).to_series(), expected)
    over = frame.lazy().with_columns(slope=twice.over("k")).collect(engine=engine)
    expected_over = by_key(by_key(frame, plain), case("slope", "x"))
    assert_same(over["slope"], expected_over["slope"])


def test_operators_side_by_side(
    plain: pl.Expr, case: Case, frame: pl.DataFrame, slopes: pl.Series, engine: Any
) -> None:
    """Common subexpressions are found, different options told apart."""
    lazy = frame.lazy().select(
        pg.gradient("y", "x").alias("1"), plain.alias("2"), plain.alias("again"), case("y").alias("rows")
    )
    got = lazy.collect(engine=engine)
    assert_same(got["2"].rename("y"), slopes)
    assert_same(got["again"].rename("y"), slopes)
    assert_same(got["1"].rename("y"), frame.select(pg.gradient("y", "x")).to_series())
    assert_same(got["rows"].rename("y"), frame.select(case("y")).to_series())


def test_a_second_evaluation(plain: pl.Expr, frame: pl.DataFrame, slopes: pl.Series, engine: Any) -> None:
    lazy = frame.lazy().select(plain)
    for _ in range(2):
        assert_same(lazy.collect(engine=engine).to_series(), slopes)
    assert_same(frame.select(plain).to_series(), slopes)


def test_after_a_sort_a_join_and_a_concatenation(
    plain: pl.Expr, frame: pl.DataFrame, slopes: pl.Series, engine: Any
) -> None:
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=7).lazy()
    assert_same(shuffled.sort("x").select(plain).collect(engine=engine).to_series(), slopes)
    joined = frame.lazy().select("x").join(frame.lazy().select("x", "y"), on="x", how="left", maintain_order="left")
    assert_same(joined.select(plain).collect(engine=engine).to_series(), slopes)
    parts = pl.concat([frame[:11].lazy(), frame[11:12].lazy(), frame[12:].lazy()])
    assert_same(parts.select(plain).collect(engine=engine).to_series(), slopes)


def test_small_frames_are_several_batches_here() -> None:
    """The streaming engine is told so in conftest.py: else the tests below would prove less."""
    streamed = pl.LazyFrame({"y": [0.0] * 40}).select(pg.gradient("y")).collect(engine="streaming")
    assert streamed["y"].n_chunks() > 1


@given(case=cases, frame=frames(), strict=st.booleans())
def test_chunks_engines_and_groups_do_not_matter(case: Case, frame: pl.DataFrame, strict: bool) -> None:
    """Any data, y and x in chunks of their own."""
    whole = frame.rechunk()
    for slope in (case("y", "x", strict=strict), case("y")):
        expected = whole.select(slope).to_series()
        assert_same(frame.select(slope).to_series(), expected)
        grouped = by_key(whole, slope)["slope"]
        for engine in ENGINES:
            lazy = frame.lazy()
            assert_same(lazy.select(slope).collect(engine=engine).to_series(), expected)
            assert_same(lazy.select(slope=slope.over("k")).collect(engine=engine).to_series(), grouped)
            agg = (
                lazy.with_row_index("row")
                .group_by("k")
                .agg("row", slope=slope)
                .explode("row", "slope", empty_as_null=False)
            )
            assert_same(agg.sort("row").collect(engine=engine)["slope"], grouped)


@given(case=cases, frame=frames(), strict=st.booleans(), data=st.data())
def test_filter_and_slice_see_the_results_of_all_rows(
    case: Case, frame: pl.DataFrame, strict: bool, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(-len(frame) if CUTS_SHIFTED_COLUMNS else 0, len(frame)))
    length = data.draw(st.integers(0, len(frame)))
    slope = case("y", "x", strict=strict)
    everything = frame.rechunk().with_columns(slope=slope)
    for engine in ENGINES:
        lazy = frame.lazy().with_columns(slope=slope)
        cut = lazy.slice(offset, length).collect(engine=engine)["slope"]
        assert_same(cut, everything.slice(offset, length)["slope"])
        filtered = lazy.filter("mask").collect(engine=engine)["slope"]
        assert_same(filtered, everything.filter("mask")["slope"])
        before = frame.lazy().filter("mask").select(slope).collect(engine=engine).to_series()
        assert_same(before, frame.rechunk().filter("mask").rechunk().select(slope).to_series())


@given(case=cases, data=st.data())
def test_chunks_of_every_type_do_not_matter(case: Case, data: st.DataObject) -> None:
    """Types are brought to a common one inside: whole, chunked and sliced columns, some of whose chunks are null."""
    dtypes = [pl.Int8, pl.UInt32, pl.Int64, pl.UInt64, pl.Int128, pl.Float32, pl.Date, pl.Datetime("ms"), pl.Duration]
    rows = data.draw(st.integers(1, 12))

    def column(name: str, values: list[int]) -> pl.Series:
        absent = data.draw(st.sets(st.integers(0, rows - 1)))
        values_or_null = [None if row in absent else value for row, value in enumerate(values)]
        series = pl.Series(name, values_or_null, dtype=pl.Int64).cast(data.draw(st.sampled_from(dtypes)))
        return data.draw(in_chunks(series))

    y = column("y", data.draw(st.lists(st.integers(0, 99), min_size=rows, max_size=rows)))
    x = column("x", sorted(data.draw(st.sets(st.integers(0, 99), min_size=rows, max_size=rows))))
    frame = pl.DataFrame([y, x])
    assert frame.n_chunks("all") == [y.n_chunks(), x.n_chunks()]
    for slope in (case("y", "x"), case("y")):
        whole = frame.rechunk()
        try:
            expected = whole.select(slope).to_series()
        except ComputeError:
            # A dtype that is no y or x of this operator.
            with pytest.raises(ComputeError):
                frame.select(slope)
            for engine in ENGINES:
                with pytest.raises(ComputeError):
                    frame.lazy().select(slope).collect(engine=engine)
            continue
        assert_same(frame.select(slope).to_series(), expected)
        for engine in ENGINES:
            assert_same(frame.lazy().select(slope).collect(engine=engine).to_series(), expected)


@pytest.mark.parametrize("row_group_size", [3, 64, 1000])
def test_from_parquet_to_parquet(plain: pl.Expr, tmp_path: Path, row_group_size: int) -> None:
    """Row groups smaller and larger than a batch."""
    rows = 1000
    frame = pl.select(
        x=pl.int_range(rows) + pl.int_range(rows) % 3 * 0.25, y=(pl.int_range(rows) * 7919 % 1009).cast(pl.Float64)
    )
    frame.write_parquet(tmp_path / "points.parquet", row_group_size=row_group_size)
    lazy = pl.scan_parquet(tmp_path / "points.parquet").with_columns(d=plain)
    lazy.sink_parquet(tmp_path / "slopes.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "slopes.parquet"), frame.with_columns(d=plain), check_exact=True)
    some = lazy.filter(pl.col("x") > 500).tail(50).select("d").collect(engine="streaming")
    assert_frame_equal(some, frame.with_columns(d=plain).filter(pl.col("x") > 500).tail(50).select("d"))


REAL_SIZE = """
import sys
from pathlib import Path

import polars as pl
import polars_grad as pg
from polars.testing import assert_frame_equal

folder, rows, row = Path(sys.argv[1]), 300_000, pl.int_range(300_000)
frame = pl.select(
    k=row // 70_001, x=row + row % 3 * 0.25, y=pl.when(row % 1013 != 0).then((row * 7919 % 1009).cast(pl.Float64))
)
slopes = (pg.gradient("y", "x", edge_order=2).alias("all"), pg.gradient("y", "x").over("k").alias("by key"))
expected = frame.with_columns(slopes)
assert expected["all"].null_count() == 3 * expected["y"].null_count() - 1
frame.write_parquet(folder / "points.parquet", row_group_size=40_000)
streamed = pl.scan_parquet(folder / "points.parquet").with_columns(slopes).collect(engine="streaming")
assert_frame_equal(streamed, expected, check_exact=True)
pl.scan_parquet(folder / "points.parquet").with_columns(slopes[0]).sink_parquet(folder / "slopes.parquet")
assert_frame_equal(pl.read_parquet(folder / "slopes.parquet"), expected.drop("by key"), check_exact=True)
print("same")
"""


def test_batches_of_the_usual_size(run: Run, tmp_path: Path) -> None:
    done = run(REAL_SIZE, tmp_path)
    assert done.stdout == "same\n", done.stderr
