"""Every dtype of Polars as y, as x and as a key of every operator: a result or an error in words, never a crash."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dtype_probe
import polars as pl
import pytest
from dtype_probe import ALL, CELLS, CRASH, EXTENSIONS, NUMBERS, OTHERS, TIMES
from registry import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Run

VALUES = ["y over rows", "y over numbers", "x"]
ROLES = [*VALUES, "inside", "x inside", "key", "key of a broken group"]
QUERIES = ["plan", "in-memory", "streaming"]

Outcomes = dict[str, dict[str, list[str]]]

GRADIENT, PARABOLA = Case("gradient"), Case("gradient", {"edge_order": 2})


class Probes:
    """What happened to operators on dtypes, per role and query: all in one process, and in another after a crash."""

    def __init__(self, run: Run, tasks: Iterable[tuple[int, str]]) -> None:
        self._outcomes: dict[tuple[int, str], Outcomes] = {}
        self._crashes: dict[tuple[int, str], str] = {}
        self.processes = 0
        rest = list(tasks)
        while rest:
            done = run(Path(dtype_probe.__file__), json.dumps(rest))
            self.processes += 1
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            # A crash has no outcome.
            crashed_at = lines.pop() if len(lines) % 2 else None
            assert (done.returncode != 0) == (crashed_at is not None), f"{done.returncode}: {done.stderr}"
            for (task, role, query), outcome in zip(lines[::2], lines[1::2], strict=True):
                self._outcomes.setdefault(tuple(task), {}).setdefault(role, {})[query] = outcome
            if crashed_at is None:
                return
            task, role, query = crashed_at
            self._crashes[tuple(task)] = f"exit code {done.returncode} at {role}, {query}\n{done.stderr}"
            rest = rest[rest.index(tuple(task)) + 1 :]

    def of(self, case: Case, name: str) -> Outcomes:
        """Return what happened to a dtype; where the process crashed, fail."""
        task = (CASES.index(case), name)
        assert task not in self._crashes, f"{case} on {name}: {self._crashes[task]}"
        outcomes = self._outcomes[task]
        assert {role: list(queries) for role, queries in outcomes.items()} == dict.fromkeys(ROLES, QUERIES)
        return outcomes


@pytest.fixture(scope="module")
def probes(run: Run) -> Probes:
    return Probes(run, [(number, name) for number in range(len(CASES)) for name in ALL])


def test_a_crash_is_of_one_dtype_and_the_others_are_still_probed(run: Run) -> None:
    probes = Probes(run, [(0, "Int8"), (0, CRASH), (0, "Int16")])
    with pytest.raises(AssertionError, match=rf"\(\) on {CRASH}: exit code -6 at y over rows, plan"):
        probes.of(CASES[0], CRASH)
    for name in ("Int8", "Int16"):
        probes.of(CASES[0], name)
    assert probes.processes == 2


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("name", ALL)
def test_every_operator_has_a_result_or_an_error_in_words(name: str, case: Case, probes: Probes) -> None:
    """As planned and the same on both engines. What has no result fails already when it is planned, and names `c`."""
    for role, queries in probes.of(case, name).items():
        if name == "Object" and role not in VALUES:
            # Polars neither groups by objects nor puts them into cells.
            continue
        # Polars adds where in the query an error is, on some engines.
        plan, *engines = ((kind, message.splitlines()[:1]) for kind, message in queries.values())
        for kind, message in engines:
            assert "Panic" not in kind, role
            assert "panicked" not in message[0], role
        if role == "key of a broken group":
            # An error that names any of the broken groups, but for an operator to which all are too short.
            assert plan[0] == "ok"
            assert engines[0][0] == engines[1][0]
            assert engines[0][0] in ("ok", "ComputeError")
            continue
        assert engines[0] == engines[1], role
        kind, [message] = engines[0]
        if plan[0] == "ok":
            assert kind == "ok", (role, message)
            assert message.startswith(plan[1][0]), role
        else:
            assert (plan[0], kind) == ("ComputeError", "ComputeError"), role
            assert "`c`" in message, role


def assert_works(queries: dict[str, list[str]], dtype: Any, slopes: list[Any]) -> None:
    """As planned, and the same on both engines."""
    assert queries["plan"] == ["ok", repr(dtype)]
    assert queries["in-memory"] == ["ok", f"{dtype!r} {slopes}"]
    assert queries["streaming"] == queries["in-memory"]


def assert_fails(queries: dict[str, list[str]], *words: str) -> None:
    """Already at the plan, in words."""
    for query, (error, message) in queries.items():
        assert "panicked" not in message, query
        assert error == "ComputeError", query
        assert "`c`" in message, query
        for word in words:
            assert word in message, query


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str, probes: Probes) -> None:
    """Float64, and small floats stay what they are."""
    outcomes = probes.of(GRADIENT, name)
    of_y = getattr(pl, name) if name in ("Float16", "Float32") else pl.Float64
    assert_works(outcomes["y over rows"], of_y(), [1.0, 1.5, 2.0])
    for case in (GRADIENT, PARABOLA):
        assert_works(probes.of(case, name)["y over numbers"], of_y(), [1.0, 1.0, 1.0])
    assert_works(outcomes["x"], pl.Float64(), [1.0, 1.0, 1.0])
    assert_works(outcomes["inside"], pl.List(of_y), [[1.0, 1.5, 2.0]])
    assert_works(outcomes["x inside"], pl.List(pl.Float64), [[1.0, 1.0, 1.0]])


@pytest.mark.parametrize("name", TIMES)
def test_times(name: str, probes: Probes) -> None:
    """As y a Duration of their unit, as x a number per second."""
    outcomes = probes.of(GRADIENT, name)
    seconds = 3600.0 if name == "Time" else 86400.0
    unit: Any = {"Date": "us", "Time": "ns"}.get(name) or name.split()[1]
    day = timedelta(seconds=seconds)
    assert_works(outcomes["y over rows"], pl.Duration(unit), [day, 1.5 * day, 2 * day])
    for case in (GRADIENT, PARABOLA):
        assert_works(probes.of(case, name)["y over numbers"], pl.Duration(unit), [day] * 3)
    assert_works(outcomes["x"], pl.Float64(), [1 / seconds] * 3)
    assert_works(outcomes["inside"], pl.List(pl.Duration(unit)), [[day, 1.5 * day, 2 * day]])
    assert_works(outcomes["x inside"], pl.List(pl.Float64), [[1 / seconds] * 3])


@pytest.mark.parametrize("name", CELLS)
def test_cells_of_numbers(name: str, probes: Probes) -> None:
    """They stay cells; as x they need cells beside them."""
    outcomes = probes.of(GRADIENT, name)
    of_y = {
        "List": pl.List(pl.Float64),
        "List of lists": pl.List(pl.List(pl.Float64)),
        "Array": pl.Array(pl.Float64, 1),
    }
    deep = [[[1.0]], [[1.5]], [[2.0]]] if name == "List of lists" else [[1.0], [1.5], [2.0]]
    assert_works(outcomes["y over rows"], of_y[name], deep)
    assert_fails(outcomes["x"], "one coordinate a row")
    assert_works(outcomes["inside"], pl.List(of_y[name]), [deep])


@pytest.mark.parametrize("name", OTHERS)
def test_what_has_no_differences_fails_when_planned(name: str, probes: Probes) -> None:
    """Naming the column, its role and its type."""
    dtype, _ = OTHERS[name]
    outcomes = probes.of(GRADIENT, name)
    assert_fails(outcomes["y over rows"], "numeric or temporal y", dtype)
    assert_fails(outcomes["y over numbers"], "numeric or temporal y", dtype)
    assert_fails(outcomes["x"], "numeric or temporal x", dtype)
    if name != "Object":  # which Polars puts in no cell
        assert_fails(outcomes["inside"], "numeric or temporal y", f"list[{dtype}]")
        assert_fails(outcomes["x inside"], "numeric or temporal x", f"list[{dtype}]")


@pytest.mark.parametrize("name", EXTENSIONS)
def test_extension_types_are_what_they_store_or_an_error(name: str, probes: Probes) -> None:
    """Which of the two, is for Polars: it may load a type it does not know as its storage."""
    for role, slopes in zip(VALUES, ([1.0, 1.5, 2.0], [1.0] * 3, [1.0] * 3), strict=True):
        queries = probes.of(GRADIENT, name)[role]
        if queries["plan"][0] == "ok":
            assert_works(queries, pl.Float64(), slopes)
        else:
            assert_fails(queries, "numeric or temporal")


def test_booleans_are_an_x_and_no_y(probes: Probes) -> None:
    outcomes = probes.of(GRADIENT, "Boolean")
    assert_fails(outcomes["y over rows"], "bool", "cast")
    assert_fails(outcomes["y over numbers"], "bool", "cast")
    assert_works(outcomes["x"], pl.Float64(), [1.0, None, -2.0])


def test_the_null_type_is_a_column_without_values(probes: Probes) -> None:
    for role in VALUES:
        assert_works(probes.of(GRADIENT, "Null")[role], pl.Float64(), [None] * 3)


PAIRS = [10.0, 20.0, 40.0] * 2  # three keys of two rows each
ONE = [1.0, 1.5, 4.5, 9.0, 16.5, 22.0]  # one key
SLOPES_BY_KEY = {"Boolean": [3.0, 20.0, 5.0, 20.0, 20.0, 33.0], "Null": ONE, "Map": ONE}


@pytest.mark.parametrize("name", [name for name in ALL if name != "Object"])
def test_keys(name: str, probes: Probes) -> None:
    """Of whatever Polars can group by; an error shows the key."""
    assert_works(probes.of(GRADIENT, name)["key"], pl.Float64(), SLOPES_BY_KEY.get(name, PAIRS))
    broken = probes.of(GRADIENT, name)["key of a broken group"]
    assert broken["plan"] == ["ok", "Float64"]
    for engine in ("in-memory", "streaming"):
        error, message = broken[engine]
        assert error == "ComputeError"
        assert re.search(r"in column `number` \d.0 is followed by \d.0 in the group `c` = [^;]+; (sort|merge)", message)


def test_objects_are_no_keys(probes: Probes) -> None:
    for role in ("key", "key of a broken group"):
        for engine in ("in-memory", "streaming"):
            error, message = probes.of(GRADIENT, "Object")[role][engine]
            assert (error, message.splitlines()[0]) == ("InvalidOperationError", "nested objects are not allowed")


def test_every_dtype_of_polars_is_probed() -> None:
    """A dtype that Polars adds is to be added here."""
    probed = {type(make().dtype).__name__ for make in ALL.values()}
    known = {
        name for name in dir(pl) if isinstance(getattr(pl, name), type) and issubclass(getattr(pl, name), pl.DataType)
    }
    assert known - {"DataType", "Unknown", "Utf8", "BaseExtension"} <= probed
