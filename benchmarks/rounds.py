"""Time contenders in one run: every round calls each of them once, in an order of its own."""

from __future__ import annotations

import gc
import random
from itertools import count
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Contenders = Mapping[str, Callable[[], Any]]
    Medians = dict[str, float]

# Who takes longer than this, in seconds, joins in every fifth round only: the others get more rounds for their time.
LONG = 0.25
SELDOM = 5


def interleave(contenders: Contenders, *, seconds: float, fewest: int) -> Medians:
    """Take the median time of each contender, after a warm-up, over so many seconds but no fewer rounds than said."""
    quick = [name for name, call in contenders.items() if time_once(call) < LONG]
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order = random.Random(0)
    end = perf_counter() + seconds
    gc.collect()
    gc.disable()
    try:
        for number in count():
            if number >= fewest and perf_counter() > end:
                break
            names = list(contenders) if number % SELDOM == 0 else quick.copy()
            # What ran just before leaves caches and free memory behind: nobody always follows the same one.
            order.shuffle(names)
            for name in names:
                times[name].append(time_once(contenders[name]))
    finally:
        gc.enable()
    return {name: median(spent) for name, spent in times.items()}


def time_once(call: Callable[[], Any]) -> float:
    """Time one call; its answer is freed after the clock has stopped."""
    start = perf_counter()
    answer = call()
    seconds = perf_counter() - start
    del answer
    return seconds
