from typing import TypeAlias

import polars as pl

DEBUG: bool
__version__: str

State: TypeAlias = tuple[float | None, float, int, list[tuple[float, float]], bool]

def registers() -> str: ...
def threads() -> int: ...
def extent(kwargs: bytes) -> tuple[bool, str, tuple[int, int] | None]: ...
def evaluate(
    y: pl.Series, x: pl.Series | None, sigma: pl.Series | None, by: list[pl.Series], kwargs: bytes
) -> pl.Series: ...
def resume(
    y: pl.Series, x: pl.Series | None, by: list[pl.Series], kwargs: bytes, rows: int, state: State | None
) -> tuple[pl.Series, State]: ...
def carry(
    y: pl.Series, x: pl.Series, by: list[pl.Series], kwargs: bytes, read_by: str
) -> tuple[int, list[tuple[int, int]]]: ...
