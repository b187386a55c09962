"""A dtype as y, as x and as a key, in a process of its own: `python dtype_probe.py NAME` prints what happened.

A line is printed before and after each query, so that a crash can be told from an error, and whose it was.
"""

# ruff: noqa: DTZ001, T201 (times without a zone are a dtype; the report is what is printed)
from __future__ import annotations

import json
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable


def column(values: Any, dtype: Any = None) -> Callable[[], pl.Series]:
    return lambda: pl.Series("c", values, dtype=dtype)


def extension() -> pl.Series:
    return pl.Series("c", [1, 2, 4]).ext.to(pl.Extension("tests.plain", pl.Int64))


def registered_extension() -> pl.Series:
    class Level(pl.BaseExtension):
        def __init__(self) -> None:
            super().__init__("tests.level", pl.Int64)

    pl.register_extension_type("tests.level", Level)
    return pl.Series("c", [1, 2, 4]).ext.to(Level())


INSTANTS = [datetime(2024, 1, day) for day in (1, 2, 4)]
DAYS = [timedelta(days=days) for days in (1, 2, 4)]

NUMBERS: dict[str, Callable[[], pl.Series]] = {
    **{
        name: column([1, 2, 4], getattr(pl, name))
        for name in (
            *("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128"),
            *("Float16", "Float32", "Float64"),
        )
        if hasattr(pl, name)
    },
    "Decimal": column([Decimal("1.0"), Decimal("2.0"), Decimal("4.0")], pl.Decimal(38, 1)),
}
TIMES: dict[str, Callable[[], pl.Series]] = {
    "Date": column([date(2024, 1, day) for day in (1, 2, 4)]),
    "Time": column([time(hour) for hour in (1, 2, 4)]),
    **{
        f"Datetime {unit} {zone}": column(INSTANTS, pl.Datetime(unit, zone))
        for unit in ("ms", "us", "ns")
        for zone in (None, "UTC", "Europe/Paris")
    },
    **{f"Duration {unit}": column(DAYS, pl.Duration(unit)) for unit in ("ms", "us", "ns")},
}
# With the name by which the error is to call them. Polars hands an Object to plugins as Binary, a Map as its List.
OTHERS: dict[str, tuple[str, Callable[[], pl.Series]]] = {
    "String": ("str", column(["1", "2", "4"])),
    "Binary": ("binary", column([b"1", b"2", b"4"])),
    "Categorical": ("cat", column(["1", "2", "4"], pl.Categorical)),
    "Enum": ("enum", column(["1", "2", "4"], pl.Enum(["1", "2", "4"]))),
    "Struct": ("struct[1]", column([{"a": 1}, {"a": 2}, {"a": 4}])),
    "Object": ("binary", column([object(), object(), object()], pl.Object)),
}
if hasattr(pl, "Map"):
    OTHERS["Map"] = ("list[struct[2]]", column([[{"key": "a", "value": 1}]] * 3, pl.Map(pl.String, pl.Int64)))
CELLS: dict[str, Callable[[], pl.Series]] = {
    "List": column([[1], [2], [4]]),
    "List of lists": column([[[1]], [[2]], [[4]]]),
    "Array": column([[1], [2], [4]], pl.Array(pl.Int64, 1)),
}
EXTENSIONS: dict[str, Callable[[], pl.Series]] = (
    {"Extension": extension, "registered Extension": registered_extension} if hasattr(pl, "BaseExtension") else {}
)
SPECIAL: dict[str, Callable[[], pl.Series]] = {
    "Boolean": column([False, True, False]),
    "Null": column([None, None, None]),
}
ALL = {**NUMBERS, **TIMES, **{name: make for name, (_, make) in OTHERS.items()}, **CELLS, **EXTENSIONS, **SPECIAL}


def outcome(query: Callable[[], Any]) -> list[str]:
    try:
        return ["ok", query()]
    except BaseException as error:  # noqa: BLE001, a panic is no Exception
        return [type(error).__name__, str(error)]


def probe(name: str) -> None:
    once = pl.DataFrame({"c": ALL[name](), "number": [1.0, 2.0, 4.0]})
    twice = pl.concat([once, once]).with_columns(rows=pl.Series([1.0, 2.0, 4.0, 11.0, 22.0, 44.0]))
    roles = {
        "y over rows": (once, pg.gradient("c", strict=False)),
        "y over numbers": (once, pg.gradient("c", "number", edge_order=2, strict=False)),
        "x": (once, pg.gradient("number", "c", strict=False)),
        "inside": (once, pg.gradient(pl.col("c").implode(), axis=1)),
        "x inside": (once, pg.gradient(pl.col("number").implode(), pl.col("c").implode(), axis=1, strict=False)),
        "key": (twice, pg.gradient("rows", by="c")),
        "key of a broken group": (twice, pg.gradient("rows", "number", by="c")),
    }

    def run(frame: pl.DataFrame, slope: pl.Expr, engine: Any) -> str:
        slopes = frame.lazy().select(slope).collect(engine=engine).to_series()
        return f"{slopes.dtype!r} {slopes.to_list()}"

    def plan(frame: pl.DataFrame, slope: pl.Expr) -> str:
        return repr(next(iter(frame.lazy().select(slope).collect_schema().dtypes())))

    for role, (frame, slope) in roles.items():
        queries: dict[str, Callable[[], str]] = {
            "plan": partial(plan, frame, slope),
            "in-memory": partial(run, frame, slope, "in-memory"),
            "streaming": partial(run, frame, slope, "streaming"),
        }
        for query, answer in queries.items():
            print(json.dumps([role, query]), flush=True)
            print(json.dumps(outcome(answer)), flush=True)


if __name__ == "__main__":
    probe(sys.argv[1])
