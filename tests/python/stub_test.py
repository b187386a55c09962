"""The stub, which is what editors and type checkers read, has what the package has once it is imported."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

import polars_grad as pg

STUB = Path(pg.__file__).with_suffix(".pyi")

pytestmark = pytest.mark.skipif(
    (STUB.parents[2] / "Cargo.toml").exists(), reason="the package is imported from its sources; a wheel has a stub"
)


def defined(body: list[ast.stmt]) -> dict[str, Any]:
    return {node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def assert_is(stub: ast.FunctionDef, function: Any) -> None:
    """It has the signature and the whole docstring."""
    parameters = inspect.signature(function).parameters.values()
    named = [*stub.args.posonlyargs, *stub.args.args, stub.args.vararg, *stub.args.kwonlyargs, stub.args.kwarg]
    assert [each.arg for each in named if each] == [parameter.name for parameter in parameters]
    keyword = {
        parameter.name: parameter.default for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY
    }
    defaults = zip(stub.args.kwonlyargs, stub.args.kw_defaults, strict=True)
    given = {
        each.arg: inspect.Parameter.empty if value is None else ast.literal_eval(value) for each, value in defaults
    }
    assert given == keyword
    assert ast.get_docstring(stub) == inspect.getdoc(function)
    assert stub.returns is not None


def test_the_stub_has_everything_in_full() -> None:
    tree = ast.parse(STUB.read_text("utf-8"))
    assert ast.get_docstring(tree) == inspect.getdoc(pg)
    stubs = defined(tree.body)
    assert [*stubs] == pg.__all__
    for name, stub in stubs.items():
        thing = getattr(pg, name)
        if not inspect.isclass(thing):
            assert_is(stub, thing)
            continue
        methods = defined(stub.body)
        assert methods.pop("__init__")
        assert {*methods} == {name for name in dir(thing) if callable(getattr(thing, name)) and name[0] != "_"}
        for method, text in methods.items():
            assert_is(text, getattr(thing, method))
        assert ast.get_docstring(stub) == inspect.getdoc(thing)
