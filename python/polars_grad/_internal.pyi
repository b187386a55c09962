import polars as pl

DEBUG: bool

def extent(kwargs: bytes) -> tuple[bool, tuple[int, int] | None]: ...
def evaluate(
    y: pl.Series, x: pl.Series | None, sigma: pl.Series | None, by: list[pl.Series], kwargs: bytes
) -> pl.Series: ...
