"""How docstrings are shown: sections of our own as text, examples as code, pictures on top."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import griffe

PICTURES = Path(__file__).parents[1] / "pictures" / "activations"
SECTION = re.compile(
    r"^(?P<title>Shapes|Weights|Gradient|Reference|Cost):\n(?P<body>(?:[ ]{4}.*\n|\n)+)",
    re.MULTILINE,
)


class Docstrings(griffe.Extension):
    """Rewrites what the Google style does not know into Markdown, before it is parsed."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        classes = list(_classes_under(pkg))
        for cls in classes:
            _without_overrides(cls)
        _gather_halves(classes)

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if isinstance(obj, griffe.Function):
            for parameter in obj.parameters:
                _without_noise(parameter)
        if isinstance(obj, griffe.Module):
            obj.docstring = None  # the page has an introduction of its own
        if obj.docstring is not None:
            obj.docstring.value = _picture(obj) + _in_markdown(obj.docstring.value)


def _classes_under(module: griffe.Module) -> Iterator[griffe.Class]:
    for member in module.members.values():
        if isinstance(member, griffe.Module):
            yield from _classes_under(member)
        elif isinstance(member, griffe.Class):
            yield member


def _without_overrides(cls: griffe.Class) -> None:
    """A method stands where it is promised, not again in each class that keeps the promise."""
    promised = {name for base in cls.mro() for name in base.members}
    for name in promised & set(cls.members):
        if not name.startswith("__"):
            cls.del_member(name)


def _gather_halves(classes: list[griffe.Class]) -> None:
    """A base that one class alone stands on is half of it, in a file of its own: told with it."""
    children: dict[str, list[griffe.Class]] = {}
    for cls in classes:
        for base in cls.resolved_bases:
            if base.module.parent is cls.module.parent:
                children.setdefault(base.path, []).append(cls)
    for half in classes:
        whole = children.get(half.path, [])
        if len(whole) == 1 and not _is_exported(half):
            for name, member in list(half.members.items()):
                if not name.startswith("_"):
                    whole[0].set_member(name, member)


def _is_exported(cls: griffe.Class) -> bool:
    room: griffe.Object | None = cls.module
    while room is not None and cls.name not in (room.exports or []):
        room = room.parent
    return room is not None


def _in_markdown(text: str) -> str:
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
    return SECTION.sub(lambda found: _shown(found["title"], found["body"]), f"{text}\n")


def _shown(title: str, body: str) -> str:
    return f"\n**{title}:**\n\n{SHOW[title](textwrap.dedent(body).strip())}\n\n"


def _code(body: str) -> str:
    return f"```text\n{body}\n```"


def _items(body: str) -> str:
    """``name: what`` on each line becomes a list."""
    lines = re.sub(r"\n +", " ", body).splitlines()
    return "\n".join(re.sub(r"^([\w, ]+): ", r"- **`\1`**: ", line) for line in lines)


SHOW: dict[str, Callable[[str], str]] = {
    "Shapes": _code, "Gradient": _code, "Cost": str, "Weights": _items, "Reference": str,
}  # fmt: skip


def _picture(obj: griffe.Object) -> str:
    if not obj.path.startswith("clearprop.activations.") or not isinstance(obj, griffe.Function):
        return ""
    if not (PICTURES / f"{obj.name}.svg").exists():
        return ""
    text = f"{obj.name} and its derivative"
    return f'<img src="../../pictures/activations/{obj.name}.svg" alt="{text}" width="360">\n\n'


def _without_noise(parameter: griffe.Parameter) -> None:
    """``Any`` says nothing, and ``**options`` has no default."""
    if str(parameter.annotation) == "Any" or parameter.kind is griffe.ParameterKind.var_keyword:
        parameter.annotation = None
    if parameter.kind in {griffe.ParameterKind.var_keyword, griffe.ParameterKind.var_positional}:
        parameter.default = None
