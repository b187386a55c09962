"""Operators on rows that arrive in batches: the one function behind all that outgrows memory."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import polars.selectors as cs
from polars.exceptions import ComputeError

from polars_grad._engine.plugin import carry, evaluate, resume

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from polars_grad._internal import State

# Rows that may be evaluated again with each batch, however few rows that has: those of some points, or of a window.
_FEW_REPEATS = 16
_FEW_IN_WINDOW = 10_000


class Column(NamedTuple):
    """A column of the batches, and its name in errors."""

    name: str
    shown: str

    def of(self, rows: pl.DataFrame) -> pl.Series:
        series = rows.get_column(self.name)
        return series if self.name == self.shown else series.alias(self.shown)


@dataclass(frozen=True)
class Operator:
    """
    An operator on one column of the batches.

    `kwargs` are its options and its domain, as the plugin takes them; `reach` is the number of rows that it reads
    before and after its own. With `skips` it takes rows with a null as absent. With `merges` it takes rows of equal x
    as one point, and `reach` is a number of points. If it `weighs` rows by `sigma`, it takes a null `sigma` like a null
    y. Inside of cells, where it reads no other row and has no keys, `x` may be the same coordinates for all rows.

    `extent` is "rows"; "lengths" if it reads lengths of x instead; or "before" if it passes over all rows before, and
    needs the last of them and what it has reached.
    """

    y: Column
    x: Column | pl.Series | None
    by: tuple[Column, ...]
    output: str
    kwargs: dict[str, Any]
    reach: tuple[int, int]
    skips: bool
    merges: bool = False
    extent: str = "rows"
    sigma: Column | None = None
    weighs: bool = False

    @property
    def reads_others(self) -> bool:
        """Whether it reads other rows than its own."""
        return self.extent != "rows" or self.reach != (0, 0)

    @property
    def point(self) -> list[str]:
        """Names of y and x."""
        return [self.y.name, self.x.name] if isinstance(self.x, Column) else [self.y.name]

    @property
    def counted(self) -> list[str]:
        """Names of the columns of which none may be null in a row that counts."""
        return [*self.point, self.sigma.name] if self.sigma is not None and self.weighs else self.point

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """The arguments that are columns, and the names of these."""
        columns = [("y", self.y), ("x", self.x), ("sigma", self.sigma), *(("by", key) for key in self.by)]
        return [(argument, column.name) for argument, column in columns if isinstance(column, Column)]

    @property
    def reads(self) -> list[str]:
        """Names of all columns that it reads."""
        return [name for _, name in self.arguments]

    def evaluate(self, rows: pl.DataFrame, shared: dict[Column, pl.Series] | None = None) -> pl.Series:
        """Return the output of rows, as if there were no others; `shared` remembers all columns but y."""
        y, x, sigma, keys = self._columns(rows, shared)
        return evaluate(y, x, keys, self.kwargs, sigma)

    def resume(self, rows: pl.DataFrame, passed: int, state: State | None) -> tuple[pl.Series, State]:
        """Return the output of rows after those that have been passed, and what is reached."""
        y, x, _, keys = self._columns(rows, None)
        return resume(y, x, keys, self.kwargs, passed=passed, state=state)

    def carry(self, rows: pl.DataFrame, read_by: str) -> tuple[int, list[tuple[int, int]]]:
        """Return the number of rows that are settled, and the ranges of those that others read."""
        y, x, sigma, keys = self._columns(rows, None)
        if x is None:
            msg = "windows of a length need an `x`"
            raise ComputeError(msg)
        if sigma is not None and self.weighs:
            y = y.zip_with(sigma.is_not_null(), y.clear(len(y)))
        return carry(y, x, keys, self.kwargs, read_by)

    def _columns(
        self, rows: pl.DataFrame, shared: dict[Column, pl.Series] | None
    ) -> tuple[pl.Series, pl.Series | None, pl.Series | None, list[pl.Series]]:
        known = {} if shared is None else shared
        for column in (self.x, self.sigma, *self.by):
            if isinstance(column, Column) and column not in known:
                known[column] = column.of(rows)
        x = known[self.x] if isinstance(self.x, Column) else self.x
        sigma = None if self.sigma is None else known[self.sigma]
        return self.y.of(rows), x, sigma, [known[key] for key in self.by]

    def evaluate_part(
        self, rows: pl.DataFrame, shared: dict[Column, pl.Series] | None = None, *, begins: bool, ends: bool
    ) -> pl.Series:
        """
        Return the output of rows, with others before them unless they begin, and after them unless they end.

        The first and the last rows read those beyond. Where one of these has a null, what they read is null, and their
        x is not checked: an error that vanishes beside nulls is none.
        """
        try:
            return self.evaluate(rows, shared)
        except ComputeError:
            before, after = (0 if begins else self.reach[0]), (0 if ends else self.reach[1])
            if not rows.height or not before + after or self.kwargs["domain"].get("nulls", "propagate") != "propagate":
                raise
            nothing = pl.when(pl.lit(value=False)).then(cs.by_name(self.point)).otherwise(None)
            first, last = (row.with_columns(nothing) for row in (rows[:1], rows[-1:]))
            return self.evaluate(pl.concat([*[first] * before, rows, *[last] * after]))[before : before + rows.height]


def stitch(
    batches: Iterable[pl.DataFrame],
    operators: Sequence[Operator],
    by: Sequence[Column] = (),
    *,
    columns: Sequence[str] | None = None,
    place: Callable[[int], str] = "row {}, counted from 0".format,
) -> Iterator[pl.DataFrame]:
    """
    Add the outputs of operators to batches of rows that are sorted by the keys `by` and by x.

    Rows come out in the order they came in, each as soon as all operators know its outputs. `columns` are the columns
    that come out, by default those of the batches and all outputs. `place` says in errors which row is meant.

    Memory holds a batch and the rows that operators still read. With `nulls="skip"` a row waits for the next rows of
    its group without a null, and the rows between wait with it.
    """
    try:
        yield from stitched(batches, operators, by, columns=columns, place=place)
    except WrongRow as error:
        raise ComputeError(str(error)) from None


class WrongRow(Exception):  # noqa: N818 (it is caught before users see it)
    """The first row that is wrong."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def stitched(
    batches: Iterable[pl.DataFrame],
    operators: Sequence[Operator],
    by: Sequence[Column],
    *,
    columns: Sequence[str] | None,
    place: Callable[[int], str],
    windows: Sequence[Window] | None = None,
) -> Iterator[pl.DataFrame]:
    """Do what `stitch` does, with an error that knows its row; `windows` may have begun before."""
    windows = windows_of(operators) if windows is None else windows
    order = KeyOrder(by, place)
    rest: _Rest | None = None
    for batch in batches:
        if rest is None:
            order.plan(batch)
            rest = _Rest(batch, operators, windows, columns)
        rows, unsorted = order.check(batch)
        rest.append(rows)
        for window in windows:
            window.append(rows)
        if unsorted is not None:
            # An operator may fail in a row before this one.
            advance(windows, windows, place)
            raise unsorted
        advance([window for window in windows if window.is_due], windows, place)
        known = min((window.known for window in windows), default=rest.taken + rows.height)
        if known > rest.taken:
            yield rest.take(known)
    if rest is not None:
        # The last segment ends where the rows end.
        advance(windows, windows, place, at_end=True)
        known = min((window.known for window in windows), default=rest.taken)
        if known > rest.taken or not known:
            yield rest.take(known)


class _Rest:
    """Rows that wait for their outputs, of the columns that are handed on as they are."""

    def __init__(
        self,
        batch: pl.DataFrame,
        operators: Sequence[Operator],
        windows: Sequence[Window],
        columns: Sequence[str] | None,
    ) -> None:
        outputs = [operator.output for operator in operators]
        self._columns = list(dict.fromkeys([*batch.columns, *outputs]) if columns is None else columns)
        self._kept = [column for column in self._columns if column not in {*outputs}]
        self._windows = windows
        self._waiting: list[pl.DataFrame] = []
        self.taken = 0

    def append(self, rows: pl.DataFrame) -> None:
        if self._kept:
            self._waiting.append(rows[self._kept])

    def take(self, known: int) -> pl.DataFrame:
        """Take the rows before row `known`, together with their outputs."""
        height = known - self.taken
        self.taken = known
        frames = [window.take(height) for window in self._windows]
        if self._kept:
            waiting = pl.concat(self._waiting)
            self._waiting = [waiting[height:]]
            frames.insert(0, waiting[:height])
        frame = reduce(pl.DataFrame.hstack, frames)
        return frame if frame.columns == self._columns else frame[self._columns]


class Units:
    """What an operator counts: rows, rows without a null, or points, which are rows of equal x."""

    def __init__(self, operator: Operator) -> None:
        self.may_grow = operator.merges
        self.are_rows = not (operator.skips or operator.merges)
        # A selector, since `pl.col` takes a name such as "^a$" for a pattern; so does `select`.
        self._counts = pl.all_horizontal(cs.by_name(operator.counted).is_not_null()) if operator.skips else None
        self._same = [*operator.point[1:], *(key.name for key in operator.by)] if operator.merges else []

    def first(self, rows: pl.DataFrame, count: int) -> list[list[int]]:
        """Return the row numbers of the first units."""
        return self._of(rows, pl.col("unit") < count)

    def last(self, rows: pl.DataFrame, count: int) -> list[list[int]]:
        """Return the row numbers of the last units."""
        return self._of(rows, pl.col("unit") + count > pl.col("unit").max())

    def _of(self, rows: pl.DataFrame, wanted: pl.Expr) -> list[list[int]]:
        if self._counts is None:
            numbers = pl.int_range(rows.height, eager=True)
        else:
            numbers = rows.select(pl.arg_where(self._counts)).to_series()
        if self._same:
            counting = rows if self._counts is None else rows[numbers]
            units = counting.select(pl.struct(cs.by_name(self._same)).rle_id()).to_series()
        else:
            units = pl.int_range(numbers.len(), eager=True)
        # Only those that are wanted are grouped, which are few: a batch has a million rows.
        few = pl.DataFrame([numbers.alias("row"), units.alias("unit")]).filter(wanted)
        return few.group_by("unit", maintain_order=True).agg("row").get_column("row").to_list()


class Window:
    """
    Rows that some operators still need, of the columns that they read.

    The operators of a window either all skip the same rows or all read adjacent rows: a window from which rows have
    been left out must not be seen by an operator that reads adjacent rows. They either all count rows or all points,
    whose rows stay together.
    """

    def __init__(self, operators: Sequence[Operator]) -> None:
        self.operators = operators
        # Whether other rows are before the first and after the last.
        self.begins = self.ends = True
        self.columns = list(dict.fromkeys(name for operator in operators for name in operator.reads))
        self.before = max(operator.reach[0] for operator in operators)
        self.after = max(operator.reach[1] for operator in operators)
        self.units = Units(operators[0])
        self._parts: list[pl.DataFrame] = []
        self._height = 0
        # The number of rows at the start that the last evaluation has seen, that of those whose outputs are known, and
        # where they were in it.
        self._seen = self.carried = 0
        self.ranges: list[tuple[int, int]] = []
        # Number of rows whose outputs are known, and the outputs that have not been taken.
        self.known = 0
        self._outputs: list[pl.DataFrame] = []

    def append(self, rows: pl.DataFrame) -> None:
        self._parts.append(rows[self.columns])
        self._height += rows.height

    @property
    def is_due(self) -> bool:
        """Whether an evaluation pays: not if it sees few new rows and many old ones, so that waits take linear time."""
        few = self.before + self.after + _FEW_REPEATS * self.units.may_grow
        return self._seen <= few or self._height >= 2 * self._seen

    def advance(self, *, at_end: bool) -> None:
        """Evaluate the operators, and keep the outputs that no later row changes and the rows that are still read."""
        rows = self._joined()
        neighbors, known = ([], rows.height) if at_end else self._carry(rows)
        series = self._evaluate(rows, known, at_end=at_end)
        # Named afterwards: a frame takes no name twice, and has one of its own for a column named "".
        outputs = pl.DataFrame([column.alias(f"{number}") for number, column in enumerate(series)])
        outputs.columns = [operator.output for operator in self.operators]
        self._outputs.append(outputs[self.carried : known])
        self.known += known - self.carried
        self.ranges = [*neighbors, (known, rows.height)]
        self._parts = [rows[start:end] for start, end in self.ranges]
        self.carried = sum(end - start for start, end in neighbors)
        self._seen = self._height = self.carried + rows.height - known

    def _evaluate(self, rows: pl.DataFrame, known: int, *, at_end: bool) -> list[pl.Series]:
        """Evaluate the operators, at least on the rows whose outputs are known."""
        del known
        shared: dict[Column, pl.Series] = {}
        begins, ends = self.begins and not self.carried, self.ends and at_end
        return [operator.evaluate_part(rows, shared, begins=begins, ends=ends) for operator in self.operators]

    def _check(self, operator: Operator, rows: pl.DataFrame, *, ends: bool) -> None:
        """Evaluate an operator on the first rows."""
        operator.evaluate_part(rows, begins=self.begins and not self.carried, ends=self.ends and ends)

    def _joined(self) -> pl.DataFrame:
        rows = pl.concat(self._parts)
        self._parts = [rows]
        return rows

    def _carry(self, rows: pl.DataFrame) -> tuple[list[tuple[int, int]], int]:
        """Find the first row whose outputs may change, and the ranges of rows before it that are still read."""
        if self.units.are_rows:
            known = max(0, rows.height - self.after)
            return [(max(0, known - self.before), known)], known
        # Later rows may belong to the last point.
        unknown = self.after + self.units.may_grow
        last = self.units.last(rows, self.before + unknown)
        first_unknown = max(0, len(last) - unknown)
        neighbors = [(row, row + 1) for unit in last[:first_unknown] for row in unit]
        return neighbors, last[first_unknown][0] if first_unknown < len(last) else rows.height

    def take(self, height: int) -> pl.DataFrame:
        """Take the first outputs that have not been taken."""
        outputs = pl.concat(self._outputs)
        self._outputs = [outputs[height:]]
        return outputs[:height]

    def failures(self, *, at_end: bool) -> Iterator[Failure]:
        """Find the row at which each operator fails."""
        rows = self._joined()

        def reason(operator: Operator, height: int) -> str:
            try:
                self._check(operator, rows[:height], ends=at_end and height == rows.height)
            except ComputeError as error:
                return str(error)
            return ""

        for operator in self.operators:
            # One that fails without rows is not wrong in any of them.
            if not reason(operator, rows.height) or reason(operator, 0):
                continue
            # A row is wrong only together with those before it: the shortest beginning that fails ends with it.
            heights = range(rows.height)
            height = bisect_left(heights, x=True, key=lambda height: bool(reason(operator, height)))
            row = self.known - self.carried + _wrong_row(operator, rows, height)
            yield Failure(row, operator.output, reason(operator, height))


def _wrong_row(operator: Operator, rows: pl.DataFrame, height: int) -> int:
    """
    Return the row that is wrong, where the first `height` rows fail and fewer do not.

    An output is judged when all rows that it reads are there, which may be after the wrong one.
    """
    if operator.extent != "rows" or operator.skips or operator.merges:
        return height - 1
    start = max(0, height - 1 - sum(operator.reach))

    def fails(end: int) -> bool:
        try:
            operator.evaluate(rows[start:end])
        except ComputeError:
            return True
        return False

    return bisect_left(range(height), x=True, lo=start, key=fails) - 1


class LengthWindow(Window):
    """Rows that an operator reads within lengths of x."""

    @property
    def is_due(self) -> bool:
        """Whether an evaluation pays: one that sees a long window again waits until as many rows are new."""
        return self._seen <= _FEW_IN_WINDOW or self._height >= 2 * self._seen

    def _carry(self, rows: pl.DataFrame) -> tuple[list[tuple[int, int]], int]:
        known, neighbors = self.operators[0].carry(rows, "settled")
        return neighbors, known


class RunningWindow(Window):
    """The last rows that an operator has passed, and what it has reached."""

    def __init__(self, operators: Sequence[Operator], passed: int = 0, state: State | None = None) -> None:
        super().__init__(operators)
        self.carried = passed
        self.state = state

    def _evaluate(self, rows: pl.DataFrame, known: int, *, at_end: bool) -> list[pl.Series]:
        del at_end
        # What is reached after the known rows, not after those that may still change.
        output, self.state = self.operators[0].resume(rows[:known], self.carried, self.state)
        return [output]

    def _check(self, operator: Operator, rows: pl.DataFrame, *, ends: bool) -> None:
        del ends
        operator.resume(rows, min(self.carried, rows.height), self.state)


def windows_of(operators: Sequence[Operator]) -> list[Window]:
    """
    Make the windows of operators.

    Those that read rows share one on each point if they skip nulls, one if they merge rows, and one if they do neither.
    """
    groups: dict[tuple[Any, ...], list[Operator]] = {}
    for number, operator in enumerate(operators):
        own = (number,) if operator.extent != "rows" else ()
        groups.setdefault((*own, operator.merges, *(operator.counted if operator.skips else ())), []).append(operator)
    kinds = {"rows": Window, "lengths": LengthWindow, "before": RunningWindow}
    return [kinds[group[0].extent](group) for group in groups.values()]


# Errors


class Failure(NamedTuple):
    """The first row at which an operator fails, the name of its output, and why."""

    row: int
    output: str
    reason: str


def advance(
    due: Sequence[Window], windows: Sequence[Window], place: Callable[[int], str], *, at_end: bool = False
) -> None:
    """Advance the windows that are due; an error names the first wrong row of any window."""
    try:
        for window in due:
            window.advance(at_end=at_end)
    except ComputeError:
        failures = [failure for window in windows for failure in window.failures(at_end=at_end)]
        if not failures:
            raise
        first = min(failures, key=lambda failure: failure.row)
        msg = f"in {place(first.row)}, column `{first.output}`: {first.reason}"
        raise WrongRow(first.row, msg) from None


# Keys


class KeyOrder:
    """Checks that keys rise, within batches and from one to the next."""

    def __init__(self, by: Sequence[Column], place: Callable[[int], str]) -> None:
        self._by = by
        self._place = place
        self._last: pl.DataFrame | None = None
        self._rows = 0

    def plan(self, batch: pl.DataFrame) -> None:
        """Refuse keys that cannot be sorted."""
        for key in self._by:
            check_key(key.shown, key.of(batch).dtype)

    def check(self, batch: pl.DataFrame) -> tuple[pl.DataFrame, WrongRow | None]:
        """Return the sorted rows at the start of a batch, and what is wrong with the row after them."""
        if not self._by or not batch.height:
            return batch, None
        keys = pl.DataFrame([key.of(batch).alias(f"{number}") for number, key in enumerate(self._by)])
        before = keys[:0] if self._last is None else self._last
        fall = 0 if _first_fall(pl.concat([before, keys[:1]])) is not None else _first_fall(keys)
        if fall is not None:
            last = before if fall == 0 else keys[fall - 1 :]
            return batch[:fall], self._error(self._rows + fall, keys.row(fall), last.row(0))
        self._last = keys[-1:]
        self._rows += batch.height
        return batch, None

    def _error(self, row: int, this: tuple[Any, ...], before: tuple[Any, ...]) -> WrongRow:
        names = [key.shown for key in self._by]
        msg = (
            f"rows must be sorted by key, but in {self._place(row)}, {_shown(names, this)} comes after "
            f"{_shown(names, before)}; sort by {', '.join(f'`{name}`' for name in names)} and then by x, "
            "nulls first as `.sort` puts them"
        )
        return WrongRow(row, msg)


def check_key(name: str, dtype: pl.DataType) -> None:
    """Refuse a key that cannot be sorted."""
    if dtype.is_nested() or dtype == pl.Object:
        msg = f"rows must be sorted by key, but key `{name}` is {dtype}, which has no order"
        raise ComputeError(msg)


def _first_fall(keys: pl.DataFrame) -> int | None:
    """Find the first row less than the one before, in the order of `sort`: nulls first."""
    falls = None
    for key in reversed(keys.get_columns()):
        for part in (key, key.is_not_null()) if key.null_count() else (key,):
            before, this = part[:-1], part[1:]
            less = this < before
            falls = less if falls is None else less | (this.eq_missing(before) & falls)
    return None if falls is None or not falls.any() else int(falls.arg_true()[0]) + 1


def _shown(names: list[str], key: tuple[Any, ...]) -> str:
    """Show a key as other errors do."""
    values = (f'"{value}"' if isinstance(value, str) else "null" if value is None else str(value) for value in key)
    return ", ".join(f"`{name}` = {value}" for name, value in zip(names, values, strict=True))
