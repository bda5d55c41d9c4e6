"""Overview tables, read from the docstrings: <!-- overview: activations --> in a page."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"^<!-- overview: (\w+) -->$", re.MULTILINE)
ROOM = re.compile(r"^::: clearprop\.([a-z]+)$", re.MULTILINE)
FACTS = ("Range", "Derivative", "Saturates", "Zero-centered")
LABELS = {
    "any": "anything", "binary": "0 to 1", "distribution": "probabilities", "hinge": "-1 or 1",
    "identity": "class numbers", "index": "class numbers", "nonnegative": "numbers from 0",
    "one_hot": "one-hot rows", "regression": "numbers", "sequence": "class numbers from 1",
}  # fmt: skip


def on_page_markdown(markdown: str, **context: Any) -> str:
    return MARK.sub(lambda found: OVERVIEWS[found[1]](), markdown)


def on_page_content(html: str, page: Any, **context: Any) -> None:
    """Refuse a page that leaves out something of its room."""
    for name in ROOM.findall(page.markdown):
        for part, obj in exported(name):
            if (obj.is_class or obj.is_function) and f'.{part}" class="doc' not in html:
                raise ValueError(f"{page.file.src_path} does not tell of {name}.{part}")


@functools.cache
def room(name: str) -> Any:
    return griffe.load(f"clearprop.{name}", search_paths=[str(ROOT / "src")])


def exported(name: str) -> list[tuple[str, Any]]:
    """What a room exports: names and what they stand for."""
    return [(str(part), room(name)[str(part)]) for part in room(name).exports or []]


def docstring(obj: Any) -> str:
    return re.sub(r"``", "`", obj.docstring.value)


def first_line(obj: Any) -> str:
    return docstring(obj).partition("\n")[0]


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def activations() -> str:
    pictures, rows = [], []
    also: dict[str, list[str]] = {}
    for name, obj in exported("activations"):
        if obj.is_attribute:  # swish = silu
            also.setdefault(str(obj.value), []).append(name)
    for name, obj in exported("activations"):
        if name == "get" or obj.is_attribute:
            continue
        anchor = f"#clearprop.activations.{name}"
        text = re.sub(r"\s+", " ", docstring(obj))
        facts = re.search(r"\. ".join(rf"{fact}: (.+?)" for fact in FACTS) + r"\.(?: |$)", text)
        if facts is None:
            raise ValueError(f"the docstring of {name} does not tell {', '.join(FACTS)}")
        picture = f"../pictures/activations/{name}.svg"
        pictures.append(f"[![{name}]({picture}){{ width=150 }}]({anchor})")
        names = ", ".join([
            f"[`{name}`]({anchor})",
            *(f"`{other}`" for other in also.get(name, [])),
        ])
        rows.append(row(names, first_line(obj), *facts.groups()))
    head = [row("name", "what it is", *(fact.lower() for fact in FACTS)), "|---" * 6 + "|"]
    return "\n".join([*pictures, "", *head, *rows])


def losses() -> str:
    aliases: dict[str, list[str]] = {}
    for name, target in ast.literal_eval(str(room("losses")["names.ALIASES"].value)).items():
        if name.islower():
            aliases.setdefault(target, []).append(name)
    rows = []
    for name, obj in exported("losses"):
        if not obj.is_class or name in {"Loss", "FunctionLoss", "LossFunctionWrapper"}:
            continue
        function = snake_case(name)
        if function not in room("losses").members:
            raise ValueError(f"{name} has no function {function}")
        strings = [f'`"{each}"`' for each in [function, *aliases.get(name, [])]]
        names = "<br>".join([f"[`{name}`](#clearprop.losses.{name})", *strings])
        kind = ast.literal_eval(str(obj.all_members["label_kind"].value))
        rows.append(row(names, first_line(room("losses")[function]), LABELS[kind]))
    head = [row("class, or as a string", "loss of a sample: y true, p predicted", "targets")]
    return "\n".join([*head, "|---|---|---|", *rows])


def classes(name: str) -> str:
    """Every class of a room and what it is."""
    rows = [
        row(f"[`{part}`](#clearprop.{name}.{part})", first_line(obj))
        for part, obj in exported(name)
        if obj.is_class
    ]
    return "\n".join([row("class", "what it is"), "|---|---|", *rows])


def snake_case(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return words.lower()


def ulp() -> str:
    """The errors of the functions of the native executor, as its table states them."""
    source = (ROOT / "src/clearprop/executors/native/mathematics/vector_math.py").read_text(
        encoding="utf-8"
    )
    (limits,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "ULP_LIMITS"
    ]
    rows = [row(f"`{name}`", *(f"{limit:g}" for limit in both)) for name, both in limits.items()]
    return "\n".join([row("function", "float32", "float64"), row("---", "---:", "---:"), *rows])


OVERVIEWS: dict[str, Callable[[], str]] = {
    "activations": activations,
    "ulp": ulp,
    "losses": losses,
    **{name: functools.partial(classes, name) for name in ("layers", "metrics", "optimizers")},
}
