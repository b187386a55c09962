"""
Writes the stub of the package, `python/polars_grad/__init__.pyi`.

Docstrings and signatures are completed when the package is imported, from texts that functions share. Editors and type
checkers import nothing: they read this stub, which has each function and method in full. It is made before a wheel or a
source distribution is built, and is part of both.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import Any

PACKAGE = Path(__file__).parents[1] / "python" / "polars_grad"
STUB = PACKAGE / "__init__.pyi"
INDENT = "    "


class _Uncompiled(ModuleType):
    """Stands for the compiled module: no docstring depends on it, and it need not be built yet."""

    __version__ = ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: None


def stub() -> str:
    """Return the text of the stub."""
    sys.path.insert(0, str(PACKAGE.parent))
    sys.modules["polars_grad._internal"] = _Uncompiled("polars_grad._internal")
    import polars_grad as pg  # noqa: PLC0415

    things = [getattr(pg, name) for name in pg.__all__]
    body = ["__version__: str\n", *(_class(thing) if inspect.isclass(thing) else _function(thing) for thing in things)]
    text = "\n".join(body)
    listed = ", ".join(f'"{name}"' for name in pg.__all__)
    return f"{_docstring(pg)}\n{_imports(text)}\n\n__all__ = [{listed}]\n\n{text}"


def _class(cls: type) -> str:
    methods = [name for name in dir(cls) if not name.startswith("_") and inspect.isfunction(getattr(cls, name))]
    subject = {"ExprGrad": "expr: pl.Expr", "SeriesGrad": "series: pl.Series", "LazyFrameGrad": "lf: pl.LazyFrame"}
    lines = [
        f"class {cls.__name__}:",
        indent(_docstring(cls), INDENT),
        f"{INDENT}def __init__(self, {subject[cls.__name__]}) -> None: ...",
        *(indent(_function(getattr(cls, name)), INDENT) for name in methods),
    ]
    return "\n".join(lines) + "\n"


def _function(function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [_parameter(parameter) for parameter in signature.parameters.values()]
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        parameters.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    if inspect.Parameter.POSITIONAL_ONLY in kinds:
        parameters.insert(kinds.count(inspect.Parameter.POSITIONAL_ONLY), "/")
    lines = [
        f"def {function.__name__}(",
        *(f"{INDENT}{parameter}," for parameter in parameters),
        f") -> {signature.return_annotation}:",
        indent(_docstring(function), INDENT),
    ]
    return "\n".join(lines) + "\n"


def _parameter(parameter: inspect.Parameter) -> str:
    star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    annotated = parameter.annotation is not parameter.empty
    text = f"{star}{parameter.name}" + (f": {parameter.annotation}" if annotated else "")
    return text if parameter.default is parameter.empty else f"{text} = {parameter.default!r}"


def _docstring(thing: Any) -> str:
    text = inspect.cleandoc(thing.__doc__ or "")
    if '"""' in text:
        msg = f"the docstring of {thing} has three quotation marks in it"
        raise ValueError(msg)
    return f'{"r" if chr(92) in text else ""}"""\n{text}\n"""'


def _imports(text: str) -> str:
    """Return the imports of the names in annotations, from where the modules of the package define or import them."""
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used -= {"__version__", *dir(builtins)}
    found: dict[str, str] = {}
    defined: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found |= {name.asname or name.name: f"from {node.module} import {name.name}" for name in node.names}
            elif isinstance(node, ast.Import):
                found |= {name.asname: f"import {name.name} as {name.asname}" for name in node.names if name.asname}
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
                name = ast.unparse(node.target)
                defined[name] = f"from {module} import {name}"
    return "\n".join(sorted((found | defined)[name] for name in used))


if __name__ == "__main__":
    STUB.write_text(stub(), "utf-8")
