"""
What the functions of operators return, and where operators are found.

An operator is registered once: these tests fail for one that is not exported, has no method, or is not documented.
"""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import pkgutil
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError, PolarsError
from registry import REQUIRED, Case
from strategies import assert_same, frames

import polars_grad as pg
from polars_grad._engine.domain import ARGUMENTS, RingDomain
from polars_grad._engine.operator import DOMAINS, OPERATORS, OperatorExpr, Spec, spec_of
from polars_grad.namespace import _Operators

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = pl.DataFrame({"k": ["a", "b", "a", "b", "a"], "t": [0.0, 1.0, 2.0, 4.0, 5.0], "y": [1.0, 2.0, 4.0, 8.0, 16.0]})

# Those for other engines need these to be installed; there are no operators in them.
for path, package in ((pg.__path__, "polars_grad."), (pg.operators.__path__, "polars_grad.operators.")):
    for module in pkgutil.iter_modules(path, package):
        if module.name not in ("polars_grad.spark", "polars_grad.dask"):
            import_module(module.name)


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_found_everywhere(name: str) -> None:
    """In a module of its name, exported by the package, and as a method of expressions and series."""
    function = OPERATORS[name]
    assert function.__module__ == f"polars_grad.operators.{name}"
    assert name in pg.__all__, f"`{name}` is not exported: import it in `__init__.py`, and add it to `__all__`"
    assert getattr(pg, name) is function
    assert name in vars(_Operators), f"`{name}` is no method: add `{name} = OperatorMethod({name})` to the namespace"
    for cls in (pg.ExprGrad, pg.SeriesGrad):
        assert callable(getattr(cls, name))


def test_there_is_no_other_method_of_an_operator() -> None:
    assert {name for name in vars(_Operators) if not name.startswith("_")} == {*OPERATORS}


def test_the_domain_is_documented() -> None:
    """Each argument has a type, a default and a text; the types and the texts are of the same arguments."""
    assert {*RingDomain.__annotations__} == {*ARGUMENTS}
    for name, argument in ARGUMENTS.items():
        assert argument.text.strip(), name


@pytest.mark.parametrize("name", OPERATORS)
def test_a_signature_shows_the_domain(name: str) -> None:
    parameters = inspect.signature(OPERATORS[name]).parameters
    shared = [argument for argument in ARGUMENTS if argument in DOMAINS[name].__annotations__]
    assert [*parameters][-len(shared) :] == shared
    assert {*ARGUMENTS} - {*shared} <= {"y_period", "x_period"}
    for argument in shared:
        assert parameters[argument].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[argument].default == ARGUMENTS[argument].default
    assert all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in parameters.values())


# What docstrings call dtypes of y.
DTYPES_OF_Y: dict[str, Any] = {
    "integer": pl.UInt8,
    "float": pl.Float32,
    "Decimal": pl.Decimal(9, 2),
    "Date": pl.Date,
    "Datetime": pl.Datetime("ms"),
    "Duration": pl.Duration("us"),
    "Time": pl.Time,
    "Boolean": pl.Boolean,
    "String": pl.String,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_the_dtypes_of_y_are_those_documented(name: str) -> None:
    text = parameter("y", OPERATORS[name].__doc__)
    operator = Case(name, REQUIRED.get(name, {}))
    for word, dtype in DTYPES_OF_Y.items():
        frame = pl.LazyFrame(schema={"t": pl.Float64, "y": dtype})
        try:
            takes = bool(frame.select(operator("y", "t")).collect_schema())
        except ComputeError as error:
            assert "`y`" in str(error)  # noqa: PT017
            takes = False
        assert takes == bool(re.search(rf"\b{word}\b", text)), word


def sections(text: str | None) -> dict[str, str]:
    parts = re.split(r"^(\w+)\n-+$", inspect.cleandoc(text or ""), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def parameter(name: str, text: str | None) -> str:
    described = re.search(rf"^{name}\n((?: .+\n|\n)+)", sections(text)["Parameters"], re.MULTILINE)
    assert described is not None
    return described[1]


def parameters(text: str) -> list[str]:
    return re.findall(r"^\*?(\w+)$", text, re.MULTILINE)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("cls", [pg.ExprGrad, pg.SeriesGrad])
def test_a_method_has_the_docstring_of_the_function_without_y(name: str, cls: type[Any]) -> None:
    function, method = OPERATORS[name], getattr(cls, name)
    own, of_function = sections(method.__doc__), sections(function.__doc__)
    assert [*own] == [*of_function]
    first, *rest = parameters(of_function["Parameters"])
    assert parameters(own["Parameters"]) == rest
    assert f"`{first}` is the " in own[""]
    same = {*own} - {"", "Parameters", *(["Returns"] if cls is pg.SeriesGrad else [])}
    assert all(own[section] == of_function[section] for section in same)
    assert own[""].startswith(of_function[""].partition("\n")[0])
    assert "<" not in re.sub(r"`[^`]*`|>>>.*|:math:.*", "", own["Parameters"])
    assert list(inspect.signature(method).parameters)[1:] == list(inspect.signature(function).parameters)[1:]
    instance = pl.col("y").grad if cls is pg.ExprGrad else FRAME["y"].grad
    bound = getattr(instance, name)
    assert bound.__doc__ == method.__doc__
    assert bound.__name__ == name
    assert bound.__qualname__ == f"{cls.__name__}.{name}"
    assert list(inspect.signature(bound).parameters) == list(inspect.signature(function).parameters)[1:]
    returned = inspect.signature(bound).return_annotation
    assert returned == ("pl.Series" if cls is pg.SeriesGrad else inspect.signature(function).return_annotation)
    assert own["Returns"].strip().startswith("Series" if cls is pg.SeriesGrad else "Expr")


# The expression that knows what it is.


def operator() -> OperatorExpr:
    return pg.gradient(pl.col("y") * 2, "t", by="k", max_gap=3, edge_order=2)


KEPT: dict[str, Callable[[Any], Any]] = {
    "alias": lambda expr: expr.alias("slope"),
    "keep": lambda expr: expr.alias("z").name.keep(),
    "map": lambda expr: expr.name.map(lambda name: name + "!"),
    "map a function that pickles": lambda expr: expr.name.map(str.upper),
    "prefix": lambda expr: expr.name.prefix("d_"),
    "suffix": lambda expr: expr.name.suffix("_dt"),
    "strip_prefix": lambda expr: expr.alias("d_y").name.strip_prefix("d_"),
    "strip_suffix": lambda expr: expr.alias("y_d").name.strip_suffix("_d"),
    "to_uppercase": lambda expr: expr.name.to_uppercase(),
    "to_lowercase": lambda expr: expr.alias("Y").name.to_lowercase(),
    "replace": lambda expr: expr.name.replace("y", "z", literal=True),
    "twice": lambda expr: expr.name.suffix("_1").name.suffix("_2").alias("end").name.prefix("the "),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda expr: pickle.loads(pickle.dumps(expr)),
    "pickle of a renamed one": lambda expr: pickle.loads(pickle.dumps(expr.alias("a").name.suffix("b"))),
    "pickle of a lambda": lambda expr: pickle.loads(pickle.dumps(expr.name.map(lambda name: name + "?"))),
    "cloudpickle": lambda expr: cloudpickle.loads(cloudpickle.dumps(expr)),
}


if not hasattr(pl.col("y").name, "strip_prefix"):
    del KEPT["strip_prefix"], KEPT["strip_suffix"]


@pytest.mark.parametrize("case", KEPT)
def test_it_stays_an_operator(case: str) -> None:
    kept = KEPT[case](operator())
    plain = KEPT[case](operator().plain())
    spec = spec_of(kept)
    assert spec is not None
    assert type(kept) is OperatorExpr
    assert spec.operator == {"gradient": {"edge_order": 2}}
    assert spec.domain == {"max_gap": {"step": 3.0}}
    assert spec.y.meta.eq(pl.col("y") * 2)
    assert spec.x is not None
    assert spec.x.meta.eq(pl.col("t"))
    assert [key.meta.eq(pl.col("k")) for key in spec.by] == [True]
    assert spec.reach == (2, 2)
    for expr in (kept, spec.expression(), spec.expression().plain()):
        assert FRAME.select(expr).equals(FRAME.select(plain))
        assert FRAME.select(expr).columns == FRAME.select(plain).columns


def test_every_way_to_rename_is_kept() -> None:
    """Also those of a Polars to come: methods of fields are for results that are structs."""
    methods = {name for name in vars(type(pl.col("a").name)) if not name.startswith("_")}
    arguments: dict[str, tuple[Any, ...]] = {"replace": ("a", "b"), "map": (str.upper,), "map_fields": (str.upper,)}
    for name in methods:
        takes = len(inspect.signature(getattr(pl.col("a").name, name)).parameters)
        given = arguments.get(name, ("a",) * takes)
        expr = getattr(operator().name, name)(*given)
        assert spec_of(expr) is not None, name
        assert getattr(operator().name, name).__doc__ == getattr(pl.col("a").name, name).__doc__


def test_columns_of_an_operator_are_exchanged() -> None:
    spec = spec_of(pg.gradient("y", "t", by="k", strict=False).alias("d"))
    assert spec is not None
    other = spec.on(pl.col("t"), None, ())
    assert isinstance(other, Spec)
    assert other.expression().meta.eq(pg.gradient("t", strict=False).alias("d"))
    assert spec.expression().meta.eq(pg.gradient("y", "t", by="k", strict=False).alias("d"))


FOREIGN: dict[str, Callable[[Any], Any]] = {
    "over": lambda expr: expr.over("k"),
    "times": lambda expr: expr * 2,
    "reflected": lambda expr: 2 * expr,
    "abs": abs,
    "negative": lambda expr: -expr,
    "cast": lambda expr: expr.cast(pl.Float32),
    "max": lambda expr: expr.max(),
    "fill_null": lambda expr: expr.fill_null(0.0),
    "namespace": lambda expr: expr.cast(pl.Int64).cast(pl.Duration).dt.total_seconds(),
    "numpy": np.sqrt,
    "pipe": lambda expr: expr.pipe(lambda own: own + 1),
    "undo_aliases": lambda expr: expr.alias("z").meta.undo_aliases(),
    "deserialize": lambda expr: OperatorExpr.deserialize(io.BytesIO(expr.meta.serialize())),
    "struct": pl.struct,
    "when": lambda expr: pl.when(True).then(expr),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_any_other_method_gives_an_ordinary_expression(case: str) -> None:
    expr = FOREIGN[case](operator())
    assert not isinstance(expr, OperatorExpr)
    assert isinstance(expr, pl.Expr)
    assert spec_of(expr) is None
    assert FRAME.select(expr).equals(
        FRAME.select(FOREIGN[case](operator().plain() if case != "deserialize" else operator()))
    )


ORDINARY: list[str] = [
    name
    for name in dir(pl.Expr)
    if not name.startswith("_")
    and inspect.isfunction(inspect.getattr_static(pl.Expr, name))
    and all(
        each.default is not each.empty or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        for each in [*inspect.signature(getattr(pl.Expr, name)).parameters.values()][1:]
    )
    and name not in ("inspect", "deserialize", "from_json")
]


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_method_gives_an_operator_that_has_lost_what_it_is(name: str) -> None:
    expr = operator()
    try:
        result = getattr(expr, name)()
    except (TypeError, ValueError, PolarsError):
        pytest.skip("it needs an argument")
    # `and_` and `or_` of nothing are the expression itself.
    assert result is expr or type(result) is not OperatorExpr


def test_what_is_stored_knows_nothing_of_the_class() -> None:
    expr, plain = operator(), operator().plain()
    assert expr.meta.serialize() == plain.meta.serialize()
    assert expr.meta.serialize(format="json") == plain.meta.serialize(format="json")
    assert FRAME.lazy().select(expr).serialize() == FRAME.lazy().select(plain).serialize()
    assert expr.meta.eq(plain)
    assert expr.meta == plain
    assert str(expr) == str(plain)
    assert expr._repr_html_() == plain._repr_html_()
    assert hash(expr.meta) == hash(plain.meta)
    assert expr.meta.output_name() == "y"
    with pytest.raises(TypeError, match="truth value of an Expr is ambiguous"):
        bool(expr)


def test_what_is_no_operator_has_no_specification() -> None:
    grid = pl.DataFrame({"x": [0, 1], "f": [1.0, 2.0]})
    for other in ("y", None, pl.col("y"), pl.Series([1]), pg.partials("f", wrt="x"), pg.gradient("f", axis=(0, 1))):
        assert spec_of(other) is None
    assert grid.select(pg.partials("f", wrt="x").alias("p")).columns == ["p"]


def test_options_as_by_default_make_the_same_expression() -> None:
    domain = {name: argument.default for name, argument in ARGUMENTS.items()}
    assert pg.gradient("y", "t", **domain).meta.eq(pg.gradient("y", "t"))
    assert spec_of(pg.gradient("y", "t", **domain)).domain == {}


# Series


series_options = st.fixed_dictionaries(
    {
        "edge_order": st.sampled_from([1, 2]),
        "strict": st.booleans(),
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
    },
    optional={"max_gap": st.sampled_from([0.5, 2, 20])},
)


@given(
    frame=frames(),
    columns=st.sampled_from([("y", "x"), ("y", "mask"), ("x", "y")]),
    options=series_options,
    by=st.booleans(),
)
def test_a_series_has_the_slopes_and_the_errors_of_a_column(
    frame: pl.DataFrame, columns: tuple[str, str], options: dict[str, Any], by: bool
) -> None:
    keys = {"by": ["k", "mask"]} if by else {}
    values = {"by": [frame["k"], frame["mask"]]} if by else {}
    y, x = columns
    try:
        expected = frame.select(pg.gradient(y, x, **options, **keys)).to_series()
    except ComputeError as error:
        # Which of several groups is named is up to the order in which Polars finds them.
        told = str(error).partition("message: ")[2].partition("in column" if by else "\n\n")[0]
        with pytest.raises(ComputeError, match=re.escape(told)):
            frame[y].grad.gradient(frame[x], **options, **values)
    else:
        assert_same(frame[y].grad.gradient(frame[x], **options, **values), expected)
    if "max_gap" not in options:
        expected = frame.select(pg.gradient("y", **options, **keys)).to_series()
        assert_same(frame["y"].grad.gradient(**options, **values), expected)


def test_a_series_takes_what_holds_values() -> None:
    y, t, k = FRAME["y"], FRAME["t"], FRAME["k"]
    expected = FRAME.select(pg.gradient("y", "t", by="k")).to_series()
    for x in (t, t.alias(""), t.to_list(), tuple(t), t.to_numpy(), t.to_arrow()):
        for by in (k, k.alias(""), k.to_list(), k.to_numpy(), [k, k], [k.alias(""), k.alias("")]):
            assert_same(y.grad.gradient(x, by=by), expected)
    assert y.alias("").grad.gradient(t).name == ""
    assert_same(
        pl.Series("f", [[0.0, 1.0], [2.0, 8.0]]).grad.gradient([0.0, 2.0], axis=1),
        pl.Series("f", [[0.5] * 2, [3.0] * 2]),
    )
    image = pl.Series("f", [[1.0, 2.0, 6.0], [3.0, 4.0, 5.0]])
    both = image.grad.gradient(axis=(0, 1))
    assert_same(both, image.to_frame().select(pg.gradient("f", axis=(0, 1))).to_series())
    apart = image.grad.gradient((pl.Series([0.0, 2.0]), [0.0, 1.0, 3.0]), axis=(0, -1))
    assert_same(
        apart,
        pl.DataFrame({"f": image, "r": [0.0, 2.0]})
        .select(pg.gradient("f", ("r", [0.0, 1.0, 3.0]), axis=(0, -1)))
        .to_series(),
    )


@pytest.mark.parametrize("column", ["y", "x", "by"])
def test_a_nul_character_in_the_name_of_a_series(column: str) -> None:
    named = {"y": "y", "x": "x", "by": "k", column: "a\0b"}
    y, x, k = (FRAME[old].alias(named[new]) for old, new in (("y", "y"), ("t", "x"), ("k", "by")))
    with pytest.raises(ValueError, match="a column name with a NUL character"):
        y.grad.gradient(x, by=k)
    with pytest.raises(ValueError, match="a column name with a NUL character"):
        pl.DataFrame([y, x, k]).select(pg.gradient(y.name, x.name, by=k.name))


@pytest.mark.parametrize(
    ("y", "arguments", "words"),
    [
        (pl.Series("name", ["a"]), {}, "column `name` is str"),
        (pl.Series("flag", [True]), {}, "column `flag` is bool"),
        (pl.Series("y", [1.0]), {"x": pl.Series("when", ["a"])}, "column `when` is str"),
        (pl.Series("y", [1.0]), {"x": [1.0], "per": "1h"}, "`per`"),
        (pl.Series("y", [1.0]), {"axis": 1}, "`axis`"),
        (pl.Series("y", [1.0, 2.0, 3.0]), {"x": [1, 3, 2]}, "in column `x` 3 is followed by 2"),
    ],
)
def test_errors_of_a_series_are_those_of_an_expression(y: pl.Series, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ComputeError, match=re.escape(words)) as of_series:
        y.grad.gradient(**arguments)
    x = arguments.pop("x", None)
    with pytest.raises(ComputeError, match=re.escape(words)) as of_column:
        pl.select(
            pg.gradient(
                y, None if x is None else pl.Series(x) if isinstance(x, pl.Series) else pl.Series("x", x), **arguments
            )
        )
    assert str(of_series.value) in str(of_column.value)
