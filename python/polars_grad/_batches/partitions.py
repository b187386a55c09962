"""Operators on pandas frames that are partitions of one frame: what a worker does with each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs
from polars.exceptions import ComputeError

from polars_grad._batches.optional import load
from polars_grad._batches.stitch import (
    Column,
    Operator,
    RunningWindow,
    Units,
    WrongRow,
    advance,
    stitch,
    stitched,
    windows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from polars_grad._internal import State


@dataclass(frozen=True)
class Edges:
    """The first and last rows of a partition that rows of others may read, view by view, and its number of rows."""

    heads: list[Any]
    tails: list[Any]
    rows: int


@dataclass(frozen=True)
class Passed:
    """
    What an operator that passes over all rows needs to go on after a partition.

    That are the last rows, how many of them it has passed, and what it has reached; or the error that it ended with.
    """

    rows: Any
    passed: int = 0
    state: State | None = None
    error: str = ""


@dataclass(frozen=True)
class Halo:
    """
    The rows before and after a partition, view by view, and its number of rows when they were found.

    `passed` is what has passed over the rows before, for the views of these operators.
    """

    befores: list[Any]
    afters: list[Any]
    passed: list[Passed | None]
    rows: int


@dataclass(frozen=True)
class View:
    """
    Columns of the rows, and how many rows beyond a partition are read in them.

    With `units` it is not rows that count, but units of them. An operator with another `extent` is alone in its view.
    """

    operators: list[Operator]
    columns: list[str]
    before: int
    after: int
    units: Units | None
    extent: str = "rows"


@dataclass(frozen=True)
class Work:
    """Operators, and the pandas dtypes of the columns that they read; `rows` are pandas frames."""

    operators: list[Operator]
    by: tuple[Column, ...]
    dtypes: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        """Names of all columns that are read."""
        return list(self.dtypes)

    @property
    def views(self) -> list[View]:
        """One view for the order of keys, and one for each set of operators that read the same rows."""
        keys = [View([], [key.name for key in self.by], 1, 0, None)] if self.by else []
        return keys + [
            View(
                [*window.operators],
                window.columns,
                # The first and the last point of a partition may go on in the next one.
                window.before + window.units.may_grow,
                window.after + window.units.may_grow,
                None if window.units.are_rows else window.units,
                window.operators[0].extent,
            )
            for window in windows_of(self.operators)
        ]

    def evaluate(self, rows: Any) -> Any:
        """Evaluate the operators on rows that no others belong to."""
        return self._with(rows, self._stitched(self._read(rows)))

    # Rows in any order

    def hashed(self, keys: Any) -> Any:
        """Give the same hash to keys that are equal to Polars."""
        whole, number, binary = cs.integer() | cs.temporal(), cs.boolean() | cs.float() | cs.decimal(), cs.binary()
        # Groups may share a partition: signs do not count, and what is missing may be any value of the same dtype.
        frame = _to_polars(keys).select(
            whole.to_physical().fill_null(0),
            number.cast(pl.Float64).abs().fill_null(0).fill_nan(0),
            binary.bin.encode("hex").fill_null(""),
            (~(whole | number | binary)).cast(pl.String).fill_null(""),
        )
        return _pandas().util.hash_pandas_object(frame.to_pandas(), index=False).set_axis(keys.index)

    def sorted(self, rows: Any, order_by: Sequence[str]) -> Any:
        """Sort whole groups, and evaluate the operators on them."""
        frame = self._read(rows)
        keys = [key.name for key in self.by]
        order = frame.select(pl.arg_sort_by([*keys, *order_by], maintain_order=True)).to_series()
        return self._with(rows.iloc[order.to_numpy()], self._stitched(frame[order]))

    # Rows in order

    def edges(self, rows: Any) -> Edges:
        """Find the rows that rows of other partitions may read."""
        return Edges(
            [self._head(view, rows) for view in self.views], [self._tail(view, rows) for view in self.views], len(rows)
        )

    @property
    def passes(self) -> bool:
        """Whether an operator passes over all rows, from partition to partition."""
        return any(operator.extent == "before" for operator in self.operators)

    def passed(self, rows: Any, before: list[Passed | None] | None) -> list[Passed | None]:
        """Pass over a partition, view by view, from what has passed over the one before."""
        befores = [None] * len(self.views) if before is None else before
        return [
            self._passed(view, rows[view.columns], passed) if view.extent == "before" else None
            for view, passed in zip(self.views, befores, strict=True)
        ]

    def _passed(self, view: View, rows: Any, before: Passed | None) -> Passed:
        before = before or Passed(rows[:0])
        if before.error:
            return before
        seen = _joined(before.rows, rows)
        window = RunningWindow(view.operators, before.passed, before.state)
        window.append(self._read(seen))
        try:
            advance([window], [window], _label(seen, before.passed))
        except WrongRow as error:
            return Passed(rows[:0], error=str(error))
        return Passed(seen.iloc[_numbers(window.ranges)], window.carried, window.state)

    def halos(self, edges: list[Edges], passed: list[list[Passed | None]]) -> list[Halo]:
        """Put rows around each partition, from however many partitions away; `passed` is for each, or empty."""
        around = [self._around(number, view, edges) for number, view in enumerate(self.views)]
        none: list[Passed | None] = [None] * len(self.views)
        return [
            Halo([befores[part] for befores, _ in around], [afters[part] for _, afters in around], before, edge.rows)
            for part, (edge, before) in enumerate(
                zip(edges, [none, *passed[:-1]] if passed else [none] * len(edges), strict=True)
            )
        ]

    def _around(self, number: int, view: View, edges: list[Edges]) -> tuple[list[Any], list[Any]]:
        heads, tails = (
            [rows[number] for rows in ends] for ends in zip(*((e.heads, e.tails) for e in edges), strict=True)
        )
        befores, afters = [tails[0][:0]], [heads[-1][:0]]
        for tail in tails[:-1]:
            befores.append(self._tail(view, _joined(befores[-1], tail)))
        for head in heads[:0:-1]:
            afters.append(self._head(view, _joined(head, afters[-1])))
        return befores, afters[::-1]

    def between(self, rows: Any, halo: Halo) -> Any:
        """Evaluate the operators on rows together with those around them."""
        if len(rows) != halo.rows:
            msg = (
                f"a partition has {len(rows)} rows, but had {halo.rows} when its neighbors were looked for; "
                "what it is made from must stay as it is until it is computed"
            )
            raise ComputeError(msg)
        outputs: list[pl.DataFrame] = []
        wrong: list[WrongRow] = []
        for view, before, after, passed in zip(self.views, halo.befores, halo.afters, halo.passed, strict=True):
            if passed is not None and passed.error:
                wrong.append(WrongRow(-1, passed.error))
                continue
            first = before if passed is None else passed.rows
            seen = _joined(first, rows[view.columns], after)
            skipped = 0 if passed is None else passed.passed
            windows = windows_of(view.operators)
            if passed is not None:
                windows = [RunningWindow(view.operators, passed.passed, passed.state)]
            for window in windows:
                window.begins, window.ends = not len(first), not len(after)
            try:
                frames = stitched(
                    [self._read(seen)],
                    view.operators,
                    # The view of the keys checks them; rows that have been passed would be counted.
                    () if view.operators else self.by,
                    columns=[operator.output for operator in view.operators] or view.columns,
                    place=_label(seen, skipped),
                    windows=windows,
                )
                outputs.append(pl.concat(frames).slice(len(first) - skipped, len(rows)))
            except WrongRow as error:
                wrong.append(WrongRow(error.row - len(first) + skipped, str(error)))
        if wrong:
            raise ComputeError(str(min(wrong, key=lambda error: error.row)))
        return self._with(rows, [column for frame in outputs for column in frame])

    def _head(self, view: View, rows: Any) -> Any:
        seen = rows[view.columns]
        if view.extent == "lengths":
            return seen.iloc[_numbers(view.operators[0].carry(self._read(seen), "earlier")[1])]
        if view.units is None:
            return seen.iloc[: view.after]
        return seen.iloc[[row for unit in view.units.first(self._read(seen), view.after) for row in unit]]

    def _tail(self, view: View, rows: Any) -> Any:
        seen = rows[view.columns]
        if view.extent == "lengths":
            return seen.iloc[_numbers(view.operators[0].carry(self._read(seen), "later")[1])]
        if view.extent == "before":
            # What passes over the rows brings the last of them.
            return seen.iloc[:0]
        if view.units is None:
            return seen.iloc[len(rows) - min(view.before, len(rows)) :]
        return seen.iloc[[row for unit in view.units.last(self._read(seen), view.before) for row in unit]]

    # From pandas and back

    def _stitched(self, frame: pl.DataFrame) -> pl.DataFrame:
        outputs = [operator.output for operator in self.operators]
        return pl.concat(stitch([frame], self.operators, self.by, columns=outputs))

    def _read(self, rows: Any) -> pl.DataFrame:
        columns = [name for name in self.columns if name in rows]
        frame = _to_polars(rows[columns])
        for key in self.by:
            # In another partition others could be equal to these and of another dtype.
            if rows.dtypes[key.name] == "object" and frame.schema[key.name] not in _OBJECTS:
                held = frame.schema[key.name]
                msg = f"key `{key.name}` of dtype object holds {held}; give it a dtype of its own by `astype`"
                raise ComputeError(msg)
        return frame

    def _with(self, rows: Any, outputs: Iterable[pl.Series]) -> Any:
        """Add outputs as columns of the same family of dtypes as y."""
        named = {column.name: column for column in outputs}
        return rows.assign(
            **{
                operator.output: _to_pandas(named[operator.output], self.dtypes[operator.y.name])
                for operator in self.operators
            }
        )


_OBJECTS = (pl.String, pl.Date, pl.Decimal, pl.Null)


def _label(rows: Any, skipped: int = 0) -> Callable[[int], str]:
    return lambda row: f"the row with index {rows.index[row + skipped]}"


def _numbers(ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [row for start, end in ranges for row in range(start, end)]


def _to_pandas(output: pl.Series, family: Any) -> Any:
    pd = _pandas()
    if isinstance(family, pd.ArrowDtype) or output.dtype.is_nested():
        values = output.to_arrow()
        return pd.array(values, dtype=pd.ArrowDtype(values.type))
    if getattr(family, "na_value", None) is pd.NA and output.dtype.is_numeric():
        missing = output.is_null().to_numpy(writable=True)
        make = pd.arrays.FloatingArray if output.dtype.is_float() else pd.arrays.IntegerArray
        return make(output.fill_null(0).to_numpy(writable=True), missing)
    return output.to_numpy()


def _to_polars(rows: Any) -> pl.DataFrame:
    objects = {name: rows[name].where(rows[name].notna(), None) for name in rows if rows.dtypes[name] == "object"}
    return pl.from_pandas(rows.assign(**objects), nan_to_null=False)


def _joined(*frames: Any) -> Any:
    return _pandas().concat([frame for frame in frames if len(frame)] or frames[:1])


def _pandas() -> Any:
    return load("pandas", needed_by="`polars_grad.dask`", install="pip install polars-grad[dask]")
