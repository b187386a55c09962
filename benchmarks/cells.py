"""Lists and Arrays: the gradient inside of cells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from agreement import agree
from case import Case, Part
from flat import NUMPY
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rounds import Contenders

WIDTHS = (10, 100, 1_000)
# The limit is for cells of at least this many values.
WIDE = 100
LIMIT = 1.5
FLAT = "one column of the same values"
ARRAY, LIST = "Array, `axis=1`", "List, `axis=1`"
DOWN = "Array, `axis=0`"
ABOUT = """\
Cells of one length, first without x, then with a coordinate for each value. The baseline is the gradient of one column
of the same values."""


def cases(values: int) -> list[Case]:
    """Return the cases of this many values."""
    sizes = {f"{width:,} values a cell": width for width in WIDTHS}
    targets = [
        Target(label, name, LIMIT, FLAT) for label, width in sizes.items() if width >= WIDE for name in (ARRAY, LIST)
    ]
    works = {f"{values:,} values, rows a step apart": without_x, f"{values:,} values with coordinates": with_x}
    return [Case(title, sizes, partial(work, values), targets) for title, work in works.items()]


def without_x(values: int, width: int) -> Contenders:
    """Return the contenders on rows a step apart."""
    flat, arrays, lists = frames(values, width)
    y = arrays["y"].to_numpy()
    inside = pg.gradient("y", axis=1)
    answers: dict[str, Callable[[], Any]] = {
        ARRAY: lambda: arrays.select(inside),
        LIST: lambda: lists.select(inside),
        NUMPY: lambda: np.gradient(y, axis=1),
    }
    check(width, answers)
    others: dict[str, Callable[[], Any]] = {
        FLAT: lambda: flat.select(pg.gradient("y")),
        DOWN: lambda: arrays.select(pg.gradient("y")),
    }
    return {**others, **answers}


def with_x(values: int, width: int) -> Contenders:
    """Return the contenders with a coordinate for each value, and with one cell of coordinates for all rows."""
    flat, arrays, lists = frames(values, width)
    y, one = arrays["y"].to_numpy(), flat["t"].head(width).to_numpy()
    inside = pg.gradient("y", x="t", axis=1)
    answers: dict[str, Callable[[], Any]] = {
        ARRAY: lambda: arrays.select(inside),
        LIST: lambda: lists.select(inside),
    }
    with_one: dict[str, Callable[[], Any]] = {
        f"{ARRAY}, one x for all rows": lambda: arrays.select(pg.gradient("y", x=one, axis=1)),
        f"{NUMPY}, one x for all rows": lambda: np.gradient(y, one, axis=1),
    }
    check(width, answers)
    check(width, with_one)
    return {FLAT: lambda: flat.select(pg.gradient("y", x="t")), **answers, **with_one}


def frames(values: int, width: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Make noise over irregular steps: as columns of numbers, of Arrays and of Lists."""
    rng = np.random.default_rng(0)
    shape = (values // width, width)
    y, t = rng.standard_normal(shape), np.cumsum(rng.uniform(0.5, 1.5, shape[0] * width)).reshape(shape)
    arrays = pl.DataFrame({"y": y, "t": t})
    return pl.DataFrame({"y": y.ravel(), "t": t.ravel()}), arrays, arrays.select(pl.all().arr.to_list())


def check(width: int, calls: Mapping[str, Callable[[], Any]]) -> None:
    """Stop unless the answers agree."""
    agree(f"cells of {width:,}", {name: [values_of(call())] for name, call in calls.items()}, tolerance=1e-8)


def values_of(answer: Any) -> Any:
    """Return the values of all cells."""
    return answer["y"].explode().to_numpy() if isinstance(answer, pl.DataFrame) else answer.ravel()


PART = Part("Arrays in cells", ABOUT, cases)
