"""Compare the answers of contenders before they are timed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping


class Disagreement(Exception):  # noqa: N818
    """Two contenders gave different answers."""


def agree(what: str, answers: Mapping[str, Any], *, tolerance: float) -> None:
    """Compare all answers with the first one; a null equals a NaN, since numpy has no null."""
    (reference, expected), *others = ((name, numbers(answer)) for name, answer in answers.items())
    for name, got in others:
        if got.shape != expected.shape or not np.allclose(got, expected, tolerance, tolerance, equal_nan=True):
            msg = f"{what}: `{name}` and `{reference}`, beyond {tolerance:g}{example(got, expected)}"
            raise Disagreement(msg)


def numbers(answer: Any) -> Any:
    """Lay out a frame, or a list of arrays, as an array of rows and columns."""
    return answer.to_numpy() if isinstance(answer, pl.DataFrame) else np.column_stack(answer)


def example(got: Any, expected: Any) -> str:
    """Show the first place where two arrays differ most."""
    if got.shape != expected.shape:
        return f"; shapes {got.shape} and {expected.shape}"
    gap = np.abs(got - expected)
    gap[np.isnan(got) != np.isnan(expected)] = np.inf
    row, column = np.unravel_index(np.nanargmax(gap), gap.shape)
    return f"; row {row}, column {column}: {got[row, column]:.17g} and {expected[row, column]:.17g}"
