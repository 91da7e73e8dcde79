"""The types behind the table of settings: an attribute that reads a value, and a row."""

from typing import Any, Generic, Self, TypeVar, overload

from flask import current_app

from .kinds import Kind

T = TypeVar("T")


class Values:
    """Values by name: in a dict of its own, or in `config` of the current application."""

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        self._values = values

    @property
    def values(self) -> dict[str, Any]:
        """Return the dict that the attributes read and write."""
        if self._values is None:
            return current_app.config
        return self._values


class Value(Generic[T]):
    """An attribute that reads and writes the value of its name. mypy knows its type."""

    name: str

    def __set_name__(self, owner: type[Values], name: str) -> None:
        """Take the name of the attribute."""
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Values]) -> Self: ...

    @overload
    def __get__(self, instance: Values, owner: type[Values]) -> T: ...

    def __get__(self, instance: Values | None, owner: type[Values]) -> Self | T:
        """Return the value, or this attribute itself if read from the class."""
        if instance is None:
            return self
        return instance.values[self.name]

    def __set__(self, instance: Values, value: T) -> None:
        """Set the value."""
        instance.values[self.name] = value


class Setting(Value[T]):
    """A row of the table of settings: a value that an environment variable can set.

    `default` is written as in the environment.
    `needed`: production does not start without this setting.
    `secret`: the value is never shown. NAME_FILE may name a file that holds the secret NAME.
    """

    def __init__(
        self,
        kind: Kind[T],
        *,
        default: str = "",
        help: str,  # noqa: A002
        needed: bool = False,
        secret: bool = False,
    ) -> None:
        self.kind = kind
        self.default = default
        self.help = help
        self.needed = needed
        self.secret = secret

    def read(self, text: str) -> T:
        """Return the value of a text, or raise ValueError if it is not allowed."""
        # Raises for bytes that were not UTF-8, because no page or e-mail can contain them.
        text.encode()
        return self.kind.read(text)
