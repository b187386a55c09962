"""Time contenders in interleaved rounds: each round calls every contender once, in random order."""

from __future__ import annotations

import gc
import random
from itertools import count
from math import inf
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Contenders = Mapping[str, Callable[[], Any]]
    Medians = dict[str, float]

# Seconds: a contender that takes longer than the first number joins in every fifth round only, longer than the second,
# in the first round only. The others get more rounds in the same time.
LONG, VERY_LONG = 0.25, 2.0
SELDOM = 5


def interleave(contenders: Contenders, *, seconds: float, fewest: int) -> Medians:
    """Return the median time of each contender, after a warm-up, over a number of seconds and of rounds."""
    warm_up = {name: time_once(call) for name, call in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order = random.Random(0)
    end = perf_counter() + seconds
    gc.collect()
    gc.disable()
    try:
        for number in count():
            if number >= fewest and perf_counter() > end:
                break
            limit = inf if number == 0 else VERY_LONG if number % SELDOM == 0 else LONG
            names = [name for name, spent in warm_up.items() if spent < limit]
            # A call leaves caches and free memory to the next one: no contender always follows the same one.
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
