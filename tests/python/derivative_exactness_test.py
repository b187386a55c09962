"""
`derivative` against exact rational arithmetic.

The unit is `S`: Newton's formula on absolute rises, steps and nodes, with every minus a plus.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Sequence

EPSILON = Fraction(1, 2**52)
ROWS = 22
# Every order with every accuracy.
ORDERS = [(order, accuracy) for order in range(1, 9) for accuracy in range(1, 9) if order + accuracy <= 12]


def newton(y: Sequence[Fraction], x: Sequence[Fraction], row: int, order: int) -> tuple[Fraction, Fraction]:
    """Return the n-th derivative at a row of the polynomial through all rows, and `S`."""
    value, size = Fraction(0), Fraction(0)
    table, sizes = list(y), [Fraction(0)] * len(y)
    # The n-th derivatives of the basis over n!, and the same with every minus a plus.
    basis, basis_sizes = [[Fraction(1)] + [Fraction(0)] * order for _ in range(2)]
    first = last = row
    node = Fraction(0)
    for count in range(1, len(y)):
        for n in range(order, -1, -1):
            before = basis[n - 1] if n else 0
            before_size = basis_sizes[n - 1] if n else 0
            basis[n] = before - node * basis[n]
            basis_sizes[n] = before_size + abs(node) * basis_sizes[n]
        # Outwards: the next row, then the one before.
        if last + 1 < len(y) and (first == 0 or last - row <= row - first):
            last += 1
            node = x[last] - x[row]
        else:
            first -= 1
            node = x[first] - x[row]
        widths = [x[j + count] - x[j] for j in range(len(y) - count)]
        rises = [after - before for before, after in pairwise(table)]
        grown = [abs(rise) for rise in rises] if count == 1 else [after + before for before, after in pairwise(sizes)]
        table = [rise / width for rise, width in zip(rises, widths, strict=True)]
        sizes = [rise / abs(width) for rise, width in zip(grown, widths, strict=True)]
        value += table[first] * basis[order]
        size += sizes[first] * basis_sizes[order]
    return factorial(order) * value, factorial(order) * size


def expected(
    y: Sequence[Fraction], x: Sequence[Fraction], row: int, options: dict[str, Any]
) -> tuple[Fraction, Fraction] | None:
    """Return the derivative at a row of a column, and `S`."""
    order, accuracy = options.get("order", 1), options.get("accuracy", 2)
    edge_accuracy, side = options.get("edge_accuracy", accuracy), options.get("side", "center")
    rows, half = order + accuracy, (order + accuracy) // 2
    if side == "center" and len(y) < order + edge_accuracy:
        return None
    if side == "center" and half <= row < len(y) - half:
        starts = [row - half] if rows % 2 else [row - half, row - half + 1]
    elif side == "center":
        rows = order + edge_accuracy
        starts = [0] if row <= len(y) - 1 - row else [len(y) - rows]
    else:
        starts = [row - rows + 1 if side == "backward" else row]
    if starts[0] < 0 or starts[-1] + rows > len(y):
        return None
    results = [newton(y[start : start + rows], x[start : start + rows], row - start, order) for start in starts]
    value, size = (sum(parts, Fraction(0)) / len(starts) for parts in zip(*results, strict=True))
    return value, size


def worst(y: pl.Series, x: pl.Series | None, exact_x: Sequence[Any], **options: Any) -> float:
    """Return the largest error of a column in machine epsilons of `S`."""
    frame = pl.DataFrame({"y": y} if x is None else {"y": y, "x": x})
    domain = {name: options.pop(name) for name in ("spacing", "per") if name in options}
    got = frame.select(pg.derivative("y", None if x is None else "x", **options, **domain)).to_series().to_list()
    exact_y, exact_x = [Fraction(value) for value in y], [Fraction(value) for value in exact_x]
    errors = [0.0]
    for row, value in enumerate(got):
        exact = expected(exact_y, exact_x, row, options)
        assert (value is None) == (exact is None), row
        if exact is not None:
            error = abs(Fraction(value) - exact[0])
            errors.append(float(error / (EPSILON * exact[1])) if exact[1] else float(error != 0) * np.inf)
    return max(errors)


def bound(order: int, accuracy: int) -> int:
    return 4 if order + accuracy <= 9 else 8


RNG = np.random.default_rng(17)
STEPS = RNG.uniform(0.1, 2.0, ROWS)
CLUSTERED = 10.0 ** RNG.uniform(-4, 0, ROWS)
GRIDS = {
    "random": np.cumsum(STEPS),
    "clustered over four decades": np.cumsum(CLUSTERED),
    "falling": -np.cumsum(STEPS),
    "falling and clustered": 5 - np.cumsum(CLUSTERED),
    "epoch seconds": 1.7e9 + np.cumsum(STEPS),
    "around zero": np.sort(RNG.normal(size=ROWS)),
}
VALUES = {
    "noise": RNG.normal(size=ROWS),
    "an offset of 1e9": 1e9 + RNG.normal(size=ROWS),
}


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("grid", GRIDS)
def test_every_order_on_any_grid(grid: str, values: str) -> None:
    x, y = GRIDS[grid], VALUES[values]
    for order, accuracy in ORDERS:
        error = worst(pl.Series(y), pl.Series(x), x.tolist(), order=order, accuracy=accuracy)
        assert error <= bound(order, accuracy), f"order {order}, accuracy {accuracy}: {error}"


@pytest.mark.parametrize("side", ["backward", "forward"])
@pytest.mark.parametrize("grid", ["random", "clustered over four decades", "falling"])
def test_one_sided(grid: str, side: str) -> None:
    x, y = GRIDS[grid], VALUES["an offset of 1e9"]
    for order, accuracy in ORDERS[::3]:
        error = worst(pl.Series(y), pl.Series(x), x.tolist(), order=order, accuracy=accuracy, side=side)
        assert error <= bound(order, accuracy), f"order {order}, accuracy {accuracy}: {error}"


@pytest.mark.parametrize("edge_accuracy", [1, 3, 6])
def test_edges_of_another_accuracy(edge_accuracy: int) -> None:
    x, y = GRIDS["clustered over four decades"], VALUES["an offset of 1e9"]
    for order, accuracy in [(1, 2), (2, 2), (2, 3), (3, 4)]:
        options = {"order": order, "accuracy": accuracy, "edge_accuracy": edge_accuracy}
        assert worst(pl.Series(y), pl.Series(x), x.tolist(), **options) <= 4


@pytest.mark.parametrize("spacing", [1.0, -0.5, 2.0**-40])
@pytest.mark.parametrize("values", VALUES)
def test_even_spacing(values: str, spacing: float) -> None:
    x = [row * Fraction(spacing) for row in range(ROWS)]
    for order, accuracy in ORDERS:
        for side in ("center", "backward"):
            options = {"order": order, "accuracy": accuracy, "side": side}
            error = worst(pl.Series(VALUES[values]), None, x, **options, spacing=spacing)
            assert error <= bound(order, accuracy), f"order {order}, accuracy {accuracy}, {side}: {error}"


@pytest.mark.parametrize("size", [1e-150, 1e-100, 1e100, 1e150])
def test_extreme_steps(size: float) -> None:
    """Wherever the result is a float."""
    x = size * GRIDS["random"]
    for order, accuracy in ORDERS:
        y = VALUES["noise"] * size ** min(order, 2)
        if (order - 2) * abs(np.log10(size)) < 290:
            error = worst(pl.Series(y), pl.Series(x), x.tolist(), order=order, accuracy=accuracy)
            assert error <= bound(order, accuracy), f"order {order}, accuracy {accuracy}: {error}"


def test_steps_of_many_magnitudes() -> None:
    x = np.cumsum(10.0 ** np.linspace(-150, 150, 200))
    y = np.random.default_rng(3).normal(size=200)
    for order, accuracy in [(1, 4), (2, 1), (2, 2)]:
        # Where the result is neither zero nor infinite in a float.
        rows = slice(None) if order == 1 else slice(10, 190)
        options = {"order": order, "accuracy": accuracy}
        assert worst(pl.Series(y[rows]), pl.Series(x[rows]), x[rows].tolist(), **options) <= 4


def test_nanoseconds_since_the_epoch() -> None:
    epochs = 1_700_000_000_000_000_000 + np.cumsum(RNG.integers(1, 200, ROWS))
    times = pl.Series(epochs).cast(pl.Datetime("ns"))
    for order, accuracy in [(1, 4), (2, 2), (2, 3), (3, 2)]:
        options = {"order": order, "accuracy": accuracy}
        error = worst(pl.Series(VALUES["noise"]), pl.Series(epochs), [int(x) for x in epochs], **options)
        assert error <= 4
        for per, nanoseconds in (("1s", 10**9), ("1h", 3600 * 10**9)):
            exact_x = [Fraction(int(epoch), nanoseconds) for epoch in epochs]
            assert worst(pl.Series(VALUES["noise"]), times, exact_x, **options, per=per) <= 5


@given(st.data())
def test_a_line_has_no_second_derivative_on_an_exact_grid(data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.integers(1, 2**20), min_size=3, max_size=90))
    x = [value / 1024 for value in accumulate(steps, initial=data.draw(st.integers(-(2**30), 2**30)))]
    slope = data.draw(st.integers(-(2**10), 2**10)) / 64
    rows = [slope * row for row in range(len(x))]
    frame = pl.DataFrame({"x": x, "y": [slope * value + 3 for value in x], "row": rows})
    for options in ({"accuracy": 2}, {"accuracy": 1}, {"accuracy": 2, "side": "backward"}):
        for expr in (pg.derivative("y", "x", order=2, **options), pg.derivative("row", order=2, **options)):
            assert set(frame.select(expr).to_series()) <= {0.0, None}


@given(st.data())
def test_a_parabola_has_a_constant_second_derivative_on_an_exact_grid(data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.integers(1, 2**8), min_size=3, max_size=90))
    x = list(accumulate(steps, initial=data.draw(st.integers(-(2**10), 2**10))))
    frame = pl.DataFrame({"x": x, "y": [3 * value**2 - value for value in x], "row": [row**2 for row in range(len(x))]})
    for options in ({"accuracy": 2}, {"accuracy": 1}, {"accuracy": 3, "side": "forward"}):
        for dtype in (pl.Int64, pl.Float64):
            expr = pg.derivative(pl.col("y").cast(dtype), pl.col("x").cast(dtype), order=2, **options)
            assert set(frame.select(expr).to_series()) <= {6.0, None}
            expr = pg.derivative(pl.col("row").cast(dtype), order=2, **options)
            assert set(frame.select(expr).to_series()) <= {2.0, None}


# Windows where one short step or one rise outweighs all others. In floats the roundings along one path through the
# table of divided differences add up to 5.7, 4.7, 4.9 and 11.1 epsilons of `S`.
RARE = {
    "a spike": (
        3,
        [
            *(0.018647283036519965, 0.016228226351756306, 0.009524665858242892, 0.007585339434044967),
            *(
                0.007446016156886314,
                0.00715094170235196,
                -0.16174033840739108,
                -0.5543351316692334,
                -0.5551348054401637,
            ),
        ],
        [
            *(499380462.07592523, -0.3243291771128047, 1828134949.1077764, -0.3875366817774873, -0.7577433013795216),
            *(-0.07461872197911937, -0.5938825680732587, -1.7719682321264916, 0.07272969254063909),
        ],
    ),
    "noise": (
        2,
        [
            *(1.4891702713068116, 0.6021341653181564, 0.5821190901438135, 0.5461967020090562, 0.22578195366390935),
            *(-0.5081374287440827, -0.5083486873536568, -0.6706591488129606, -1.554430186657323),
        ],
        [
            *(0.3352056683291008, -1.1759237730844816, 0.5258649973301613, 0.020823494340175264, -0.5793434800545517),
            *(2.2023548828860804, 0.3922700191080327, -1.3527863616908282, -0.687889177448813),
        ],
    ),
    "jumps": (
        6,
        [
            *(0.19378052225938236, 0.17944956285002847, 0.17826193576920765, -0.09685889306377835),
            *(-0.1011585149524544, -0.23600344098906448, -0.2521014799932774, -0.2624006463064159, -0.2646866443283952),
        ],
        [-1.513972925806798] * 2 + [0.9222388853735591] * 3 + [0.501797546917339] * 4,
    ),
    "whole numbers": (
        4,
        [
            *(1.4223070510299072, 1.0572427610830721, 1.0563113155317037, 0.9951187270258421, 0.9913824756027722),
            *(0.9912671821700977, 0.9911015961744831, 0.9909327499519295, 0.990724938421998, 0.990620445993321),
            *(0.9569997447684531, -0.03619642168963966),
        ],
        [915.0, 525.0, -387.0, -970.0, -866.0, -103.0, -875.0, -247.0, -715.0, 397.0, -341.0, -96.0],
    ),
}


@pytest.mark.parametrize("case", RARE)
def test_roundings_do_not_add_up(case: str) -> None:
    order, x, y = RARE[case]
    for side, x_series, y_series in [("backward", x, y), ("forward", x[::-1], y[::-1])]:
        options: dict[str, Any] = {"order": order, "accuracy": len(x) - order, "side": side}
        assert worst(pl.Series(y_series), pl.Series(x_series), x_series, **options) <= 1.5


@pytest.mark.parametrize("dtype", [pl.Int16, pl.Int64, pl.Int128, pl.Decimal(12, 3)])
def test_whole_numbers_and_decimals_of_any_width(dtype: pl.DataType) -> None:
    order, x, y = RARE["whole numbers"]
    y_series = pl.Series(y).cast(dtype)
    assert worst(y_series, pl.Series(x), x, order=order, accuracy=len(x) - order, side="backward") <= 1.5
    # x in whole numbers of a small unit, whose steps become floats.
    ticks = [round(value * 1e17) + 2**62 for value in x]
    x_series = pl.Series(ticks, dtype=pl.Int64)
    assert worst(y_series, x_series, ticks, order=order, accuracy=len(x) - order, side="backward") <= 1.5


def test_durations_over_times() -> None:
    order, x, y = RARE["whole numbers"]
    ticks = [round(value * 1e9) for value in x]
    y_series = pl.Series(y).cast(pl.Int64)
    options: dict[str, Any] = {"order": order, "accuracy": len(x) - order, "side": "backward"}
    frame = pl.DataFrame({"y": y_series.cast(pl.Duration("us")), "x": pl.Series(ticks).cast(pl.Datetime("us"))})
    got = frame.select(pg.derivative("y", "x", **options)).to_series()[-1]
    seconds = [Fraction(tick, 10**6) for tick in ticks]
    exact = expected([Fraction(int(value), 10**6) for value in y], seconds, len(x) - 1, options)
    assert exact is not None
    assert abs(Fraction(got) - exact[0]) <= 3 * EPSILON * exact[1]


@given(st.data())
def test_one_step_or_rise_may_outweigh_all_others(data: st.DataObject) -> None:
    order, accuracy = data.draw(st.sampled_from(ORDERS))
    rows = order + accuracy + 1
    decades = data.draw(st.lists(st.floats(-4, 0), min_size=rows, max_size=rows))
    x = list(accumulate((10.0**decade for decade in decades), initial=data.draw(st.sampled_from([0.0, -1.0, 1.7e9]))))
    x = sorted(set(x))
    y = [data.draw(st.sampled_from([0.0, 1.0, 1e9, 0.1])) for _ in x]
    side = data.draw(st.sampled_from(["center", "backward", "forward"]))
    error = worst(pl.Series(y), pl.Series(x), x, order=order, accuracy=accuracy, side=side)
    assert error <= bound(order, accuracy)


# In floats the errors of Newton's formula in these windows are 5.6, 5.2, 3.9, 3.8 and 3.9 epsilons of `S`.
SHORT: dict[str, tuple[dict[str, Any], list[float], list[float]]] = {
    "a slope of five rows": (
        {"order": 1, "accuracy": 4},
        [-1.1521794984767242, 1.0179361666405422, 1.3325181375909252, 1.533317108905307, 1.5495904816256496],
        [314006585.4448141, -2.4804742147051178, 0.661826754525226, 0.5249173055385641, -0.17317465534039625],
    ),
    "a slope of five rows with exact steps": (
        {"order": 1, "accuracy": 4},
        [-0.20306277538593243, 0.7976636483852084, 1.7979786220197485, 2.7979904981636357, 3.798284748421053],
        [251631716.66380256, 0.5952481166941931, 0.051964252657285825, 1.5082071384380835, -1.235247392714186],
    ),
    "a second derivative of five rows": (
        {"order": 2, "accuracy": 2},
        [-0.9455150239240473, -0.9454575555105712, 0.041308689566894485, 0.043179356524711776, 0.610739849679373],
        [-0.554095295418566, -2.5551916097158265, -1.5281945480053927, 0.9799878982810685, 737803523.6014533],
    ),
    "a slope of four rows": (
        {"order": 1, "accuracy": 3},
        [-0.888175479311176, -0.18004511712835253, -0.11279569298796124, 0.018733542782791376, 0.052872467036663866],
        [861320958.9087007, -0.9082612466948703, -1.3899072469336964, -0.8975317684843687, 0.8928586538788609],
    ),
    "a second derivative of four rows": (
        {"order": 2, "accuracy": 2, "side": "backward"},
        [1.1738150931183686, -0.8629557567971569, -1.0186964179405325, -1.5689552300691028],
        [684501433.6613959, -1.749882361894766, -0.142911686818738, -0.2680115179315934],
    ),
}


@pytest.mark.parametrize("case", SHORT)
def test_roundings_of_short_stencils_do_not_add_up(case: str) -> None:
    options, x, y = SHORT[case]
    for sign in (1, -1):
        assert worst(pl.Series(y), pl.Series(x) * sign, [sign * value for value in x], **options) <= 2.5


@given(st.data())
def test_the_middle_of_five_rows(data: st.DataObject) -> None:
    decades = data.draw(st.lists(st.floats(-6, 0), min_size=5, max_size=5))
    start = data.draw(st.sampled_from([0.0, -1.0, 1.7e9]) | st.floats(-1, 0))
    x = sorted(set(accumulate((10.0**decade for decade in decades), initial=start)))
    y = [data.draw(st.sampled_from([0.0, 1.0, 1e9, 0.1]) | st.floats(-1, 1)) for _ in x]
    for order, accuracy in [(1, 4), (2, 2)]:
        assert worst(pl.Series(y), pl.Series(x), x, order=order, accuracy=accuracy) <= 3.7


# Which rows are read, for polynomials of up to six rows.
STENCILS: list[dict[str, Any]] = [{"accuracy": accuracy} for accuracy in (1, 2, 3, 4)] + [
    {"accuracy": accuracy, "side": side} for accuracy in (1, 2, 3, 4) for side in ("backward", "forward")
]


def check_parabola(times: list[int], unit: Any) -> None:
    """Check the second derivative of 3 t² over times in quarters of a second, and over their ticks as integers."""
    per_second = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    ticks = pl.Series([time * per_second // 4 for time in times])
    # Exact: up to 53 binary digits.
    seconds = [(time - times[0]) / 4 for time in times]
    columns = {"x": ticks.cast(pl.Datetime(unit)), "tick": ticks, "line": [3 * value for value in seconds]}
    frame = pl.DataFrame({**columns, "y": [3 * value**2 for value in seconds]})
    expected = {"x": 6.0, "tick": 6 / per_second**2}
    results = {
        f"{name} over {x}, {options}": pg.derivative(name, x, order=2, **options)
        for options in STENCILS
        for x in expected
        for name in ("line", "y")
    }
    for name, second in frame.select(**results).to_dict().items():
        value = 0.0 if name.startswith("line") else expected[name.split(",")[0].removeprefix("y over ")]
        assert set(second) <= {value, None}, name


@given(st.data())
def test_a_parabola_has_a_constant_second_derivative_over_times(data: st.DataObject) -> None:
    steps = st.integers(1, 2**20) | st.integers(1, 4) | st.just(2**20)
    times = accumulate(data.draw(st.lists(steps, min_size=5, max_size=20)), initial=data.draw(st.integers(0, 2**30)))
    check_parabola(list(times), data.draw(st.sampled_from(["ms", "us", "ns"])))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("steps", [[1, 1, 3, 262144], [1, 3, 2, 262144], [1, 2, 2, 2_000_000]])
def test_a_parabola_far_from_its_other_rows(steps: list[int], unit: Any) -> None:
    """At the last row, the basis multiplies what rounding leaves of third differences."""
    check_parabola(list(accumulate([2_000_000, 700_001, 5, 1, *steps], initial=123)), unit)
