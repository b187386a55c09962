"""A gradient of rows in pandas frames that are partitions of one: what a worker does with each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs
from polars.exceptions import ComputeError

from polars_grad._optional import load
from polars_grad._stitch import check_keys, stitch
from polars_grad.functions import gradient

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Edges:
    """The rows of a partition that stencils of others may read, and how many rows it has."""

    head: Any
    tail: Any
    rows: int


@dataclass(frozen=True)
class Halo:
    """The rows around a partition, and how many rows it had when they were found."""

    before: Any
    after: Any
    rows: int


@dataclass(frozen=True)
class Gradient:
    """The columns, the pandas dtype of y, and options; `rows` are pandas frames."""

    y: str
    x: str | None
    keys: list[str]
    name: str
    dtype: Any
    options: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        """All that is read."""
        return list(dict.fromkeys([*self.keys, *self._point]))

    @property
    def _point(self) -> list[str]:
        return [self.y] if self.x is None else [self.y, self.x]

    def meta(self, rows: Any, *, presorted: bool) -> Any:
        """Differentiate no rows, to see what comes out."""
        frame = self._read(rows)
        if presorted:
            check_keys(frame.select(self.keys).schema)
        return self._with(rows, self._slopes(frame))

    # Rows in any order

    def hashed(self, keys: Any) -> Any:
        """Give the same hash to what is one key to Polars."""
        whole, number = cs.integer() | cs.temporal(), cs.boolean() | cs.float() | cs.decimal()
        # Groups may share a partition: signs do not count, and what is missing may be any value of the same dtype.
        frame = _to_polars(keys).select(
            whole.to_physical().fill_null(0),
            number.cast(pl.Float64).abs().fill_null(0).fill_nan(0),
            (~(whole | number)).cast(pl.String).fill_null(""),
        )
        return _pandas().util.hash_pandas_object(frame.to_pandas(), index=False).set_axis(keys.index)

    def sorted(self, rows: Any) -> Any:
        """Sort whole groups, and differentiate them."""
        frame = self._read(rows)
        order = frame.select(pl.arg_sort_by([*self.keys, *self._point[1:]], maintain_order=True)).to_series()
        return self._with(rows.iloc[order.to_numpy()], self._slopes(frame[order]))

    # Rows in order

    def edges(self, rows: Any) -> Edges:
        """Find the rows that stencils of other partitions may read."""
        return Edges(self._head(rows), self._tail(rows), len(rows))

    def halos(self, edges: list[Edges]) -> list[Halo]:
        """Put rows around each partition, from however many partitions away."""
        befores, afters = [edges[0].tail[:0]], [edges[-1].head[:0]]
        for edge in edges[:-1]:
            befores.append(self._tail(_joined(befores[-1], edge.tail)))
        for edge in edges[:0:-1]:
            afters.append(self._head(_joined(edge.head, afters[-1])))
        return [Halo(*halo) for halo in zip(befores, reversed(afters), (edge.rows for edge in edges), strict=True)]

    def between(self, rows: Any, halo: Halo) -> Any:
        """Differentiate rows together with those around them."""
        if len(rows) != halo.rows:
            msg = (
                f"a partition has {len(rows)} rows, but had {halo.rows} when its neighbours were looked for; "
                "what it is made from must stay as it is until it is computed"
            )
            raise ComputeError(msg)
        window = _joined(halo.before, rows[self.columns], halo.after)
        stitched = stitch(
            [self._read(window)],
            self.y,
            self.x,
            by=self.keys,
            name=self.name,
            place=lambda row: f"the row with index {window.index[row]}",
            **self.options,
        )
        slopes = pl.concat(frame.select(self.name) for frame in stitched).to_series()
        return self._with(rows, slopes.slice(len(halo.before), len(rows)))

    def _head(self, rows: Any) -> Any:
        return rows.iloc[self._counting(rows)[: self.options["edge_order"]]]

    def _tail(self, rows: Any) -> Any:
        last = self._counting(rows)[-self.options["edge_order"] :]
        # The order of keys is that of all rows, also of those that do not count.
        return rows.iloc[sorted({*last, *range(len(rows))[-1:]})]

    def _counting(self, rows: Any) -> Sequence[int]:
        """Find the rows that their neighbours see."""
        if self.options["nulls"] != "skip":
            return range(len(rows))
        return (
            self._read(rows)
            .select(pl.all_horizontal(pl.col(self._point).is_not_null()))
            .to_series()
            .arg_true()
            .to_list()
        )

    # From pandas and back

    def _slopes(self, frame: pl.DataFrame) -> pl.Series:
        return frame.select(gradient(self.y, self.x, by=self.keys or None, **self.options)).to_series()

    def _read(self, rows: Any) -> pl.DataFrame:
        frame = _to_polars(rows[self.columns])
        for key in self.keys:
            # In another partition others could be equal to these and of another dtype.
            if rows.dtypes[key] == "object" and frame.schema[key] not in (pl.String, pl.Date, pl.Decimal, pl.Null):
                msg = f"key `{key}` of dtype object holds {frame.schema[key]}; give it a dtype of its own by `astype`"
                raise ComputeError(msg)
        return frame

    def _with(self, rows: Any, slopes: pl.Series) -> Any:
        """Add slopes as a column of the same family of dtypes as y."""
        pd = _pandas()
        if isinstance(self.dtype, pd.ArrowDtype):
            values = pd.array(slopes.to_arrow(), dtype=pd.ArrowDtype(slopes.to_arrow().type))
        elif getattr(self.dtype, "na_value", None) is pd.NA:
            missing = slopes.is_null().to_numpy(writable=True)
            values = pd.arrays.FloatingArray(slopes.fill_null(0).to_numpy(writable=True), missing)
        else:
            values = slopes.to_numpy()
        return rows.assign(**{self.name: values})


def _to_polars(rows: Any) -> pl.DataFrame:
    objects = {name: rows[name].where(rows[name].notna(), None) for name in rows if rows.dtypes[name] == "object"}
    return pl.from_pandas(rows.assign(**objects), nan_to_null=False)


def _joined(*frames: Any) -> Any:
    return _pandas().concat([frame for frame in frames if len(frame)] or frames[:1])


def _pandas() -> Any:
    return load("pandas", needed_by="`polars_grad.dask`", install="pip install polars-grad[dask]")
