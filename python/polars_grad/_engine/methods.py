"""Methods of the namespaces, made from functions: with their docstrings, their signatures and their types."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, overload

from polars_grad._engine.documentation import method_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
Result = TypeVar("Result")
Own_co = TypeVar("Own_co", covariant=True)


class Namespace(Generic[Own_co]):
    """A namespace on objects that functions take as their first argument, on which operators return an `Own_co`."""

    subject: ClassVar[str]
    """What the documentation of a method says instead of the first parameter."""
    returns: ClassVar[str | None] = None
    """The class of the result, if it is not what the function returns."""
    texts: ClassVar[Mapping[str, str]] = {}
    """The parameters that are described in other words than for the function."""

    def __init__(self, first: Any) -> None:
        self._first = first


class _Descriptor:
    """Calls a function with the object of the namespace as its first argument."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        # numpydoc and doctest ask for these.
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self._methods: dict[type[Namespace[Any]], Callable[..., Any]] = {}

    def _get(self, instance: Namespace[Any] | None, owner: type[Namespace[Any]]) -> Any:
        method = self._methods.get(owner) or self._method(owner)
        return method if instance is None else MethodType(method, instance)

    def _method(self, owner: type[Namespace[Any]]) -> Callable[..., Any]:
        function = self.function

        def call(self: Namespace[Any], *args: Any, **kwargs: Any) -> Any:
            return function(self._first, *args, **kwargs)

        method = method_of(function, call, subject=owner.subject, texts=owner.texts, returns=owner.returns)
        method.__module__ = owner.__module__
        method.__qualname__ = f"{owner.__qualname__}.{function.__name__}"
        return self._methods.setdefault(owner, method)


class OperatorMethod(_Descriptor, Generic[P]):
    """A method that is the function of an operator, for expressions and for series."""

    def __init__(self, function: Callable[Concatenate[Any, P], Any]) -> None:
        super().__init__(function)

    @overload
    def __get__(self, instance: None, owner: type[Namespace[Own_co]]) -> Callable[Concatenate[Any, P], Own_co]: ...
    @overload
    def __get__(self, instance: Namespace[Own_co], owner: type[Namespace[Own_co]]) -> Callable[P, Own_co]: ...
    def __get__(self, instance: Namespace[Own_co] | None, owner: type[Namespace[Own_co]]) -> Any:
        return self._get(instance, owner)


class Method(_Descriptor, Generic[P, Result]):
    """A method that is any other function of one kind of objects."""

    def __init__(self, function: Callable[Concatenate[Any, P], Result]) -> None:
        super().__init__(function)

    @overload
    def __get__(self, instance: None, owner: type[Namespace[Any]]) -> Callable[Concatenate[Any, P], Result]: ...
    @overload
    def __get__(self, instance: Namespace[Any], owner: type[Namespace[Any]]) -> Callable[P, Result]: ...
    def __get__(self, instance: Namespace[Any] | None, owner: type[Namespace[Any]]) -> Any:
        return self._get(instance, owner)
