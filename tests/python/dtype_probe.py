"""Operators on dtypes as y, as x and as keys, in a process of its own: prints what happened.

`python dtype_probe.py TASKS`, where TASKS is a JSON list of pairs: the number of an operator among the registered ones
and the name of a dtype. A line is printed before and after each query, so that a crash can be told from an error, and
whose it was.
"""

# ruff: noqa: DTZ001, T201 (times without a zone are a dtype; the report is what is printed)
from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import polars as pl
from registry import CASES

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry import Case


def column(values: Any, dtype: Any = None) -> Callable[[], pl.Series]:
    return lambda: pl.Series("c", values, dtype=dtype)


def extension() -> pl.Series:
    return pl.Series("c", [1, 2, 4]).ext.to(pl.Extension("tests.plain", pl.Int64))


@cache
def registered_extension() -> pl.Series:
    """Registered once per process."""

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
if hasattr(pl, "Map"):  # from Polars 2 on
    OTHERS["Map"] = ("list[struct[2]]", column([[{"key": "a", "value": 1}]] * 3, pl.Map(pl.String, pl.Int64)))
CELLS: dict[str, Callable[[], pl.Series]] = {
    "List": column([[1], [2], [4]]),
    "List of lists": column([[[1]], [[2]], [[4]]]),
    "Array": column([[1], [2], [4]], pl.Array(pl.Int64, 1)),
}
EXTENSIONS: dict[str, Callable[[], pl.Series]] = {"Extension": extension, "registered Extension": registered_extension}
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


def crash() -> pl.Series:
    os.abort()


# No dtype, but the end of the process in the middle of a query.
CRASH = "crash"
MAKE = {**ALL, CRASH: crash}


def probe(task: list[Any], case: Case, name: str) -> None:
    def once() -> pl.DataFrame:
        return pl.DataFrame({"c": MAKE[name](), "number": [1.0, 2.0, 4.0]})

    def twice() -> pl.DataFrame:
        return pl.concat([once(), once()]).with_columns(rows=pl.Series([1.0, 2.0, 4.0, 11.0, 22.0, 44.0]))

    def cells() -> pl.DataFrame:
        return once().select(pl.all().implode())

    roles: dict[str, tuple[Callable[[], pl.DataFrame], Callable[[], pl.Expr]]] = {
        "y over rows": (once, partial(case, "c", strict=False)),
        "y over numbers": (once, partial(case, "c", "number", strict=False)),
        "x": (once, partial(case, "number", "c", strict=False)),
        "inside": (cells, partial(case, "c", axis=1)),
        "x inside": (cells, partial(case, "number", "c", axis=1, strict=False)),
        "key": (twice, partial(case, "rows", by="c")),
        "key of a broken group": (twice, partial(case, "rows", "number", by="c")),
    }

    def run(frame: Callable[[], pl.DataFrame], operator: Callable[[], pl.Expr], engine: Any) -> str:
        results = frame().lazy().select(operator()).collect(engine=engine).to_series()
        return f"{results.dtype!r} {results.to_list()}"

    def plan(frame: Callable[[], pl.DataFrame], operator: Callable[[], pl.Expr]) -> str:
        return repr(next(iter(frame().lazy().select(operator()).collect_schema().dtypes())))

    for role, (frame, operator) in roles.items():
        queries: dict[str, Callable[[], str]] = {
            "plan": partial(plan, frame, operator),
            "in-memory": partial(run, frame, operator, "in-memory"),
            "streaming": partial(run, frame, operator, "streaming"),
        }
        for query, answer in queries.items():
            print(json.dumps([task, role, query]), flush=True)
            print(json.dumps(outcome(answer)), flush=True)


if __name__ == "__main__":
    for task in json.loads(sys.argv[1]):
        number, name = task
        probe(task, CASES[number], name)
