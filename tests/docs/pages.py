"""Pages that run: the python blocks of a Markdown page are its test.

```python                      runs; all blocks of a page share one namespace, in order
```python raises=ShapeError    must raise it
```python no-run               only compiles; an HTML comment right above says why
```text  or  ```output         right below a block: what it prints, or the error's message;
                               `...` stands for anything, as in doctest
```console                     each `$ clearprop ...` runs and must print what follows, but other
```console exit=2              numbers and spaces may come out; `exit` is how the last one ends
"""

from __future__ import annotations

import contextlib
import doctest
import io
import itertools
import linecache
import re
import shlex
import sys
import textwrap
import types
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from clearprop.cli.main import app

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`]*)$")
FLAG = re.compile(r"no-run|raises=\w+")
COMMAND = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: `line` is the line of its first line of code, `above` what it follows."""

    info: str
    code: str
    line: int
    above: str

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]

    @property
    def flag(self) -> str:
        return self.info.partition(" ")[2].strip()


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    lines = text.splitlines()
    found: list[Block] = []
    number, end_of_last = 0, 0
    while number < len(lines):
        opening = FENCE.match(lines[number])
        number += 1
        if opening is None:
            continue
        above = "\n".join(lines[end_of_last : number - 1]).strip()
        start = number
        closing = re.compile(rf" *{opening['ticks']}`* *")
        while number < len(lines) and not closing.fullmatch(lines[number]):
            number += 1
        assert number < len(lines), f"line {start}: the fence is never closed"
        code = textwrap.dedent("\n".join(lines[start:number]))
        found.append(Block(opening["info"].strip(), code, start + 1, above))
        number += 1
        end_of_last = number
    return found


def check(page: str, line: int, wanted: str, got: str) -> None:
    """Compare as doctest does; `...` in what is wanted stands for anything."""
    wanted, got = (
        "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())
        for text in (wanted, got)
    )
    same = doctest.OutputChecker().check_output(wanted, got, doctest.ELLIPSIS)
    assert same, f"{page}:{line}: the page says\n\n{wanted}\nbut it is\n\n{got}"


def message_of(error: BaseException) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", [])])


def run_block(page: str, block: Block, namespace: dict[str, object]) -> str:
    """What the block prints, or the message of the error that it should raise."""
    where = f"{page}:{block.line}"
    flag = block.flag
    assert not flag or FLAG.fullmatch(flag), f"{where}: unknown flag {flag!r}"
    program = compile("\n" * (block.line - 1) + block.code, page, "exec")
    if flag == "no-run":
        reason = re.search(r"<!--[^>]*\w[^>]*-->$", block.above)
        assert reason, f"{where}: a comment right above must say why this does not run"
        return ""
    wanted = flag.removeprefix("raises=")
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(program, namespace)
    except Exception as error:
        if wanted in {kind.__name__ for kind in type(error).__mro__}:
            return message_of(error)
        error.add_note(f"in the block at {where}")
        raise
    assert not wanted, f"{where}: {wanted} was promised, but nothing was raised"
    return printed.getvalue()


def run_console(page: str, block: Block) -> None:
    """Run the commands of a block; their words are compared, numbers and spaces are not."""
    before, *parts = COMMAND.split(block.code)
    assert not before.strip(), f"{page}:{block.line}: a command begins with `$ `"
    ends = ["0"] * (len(parts) - 1) + [block.flag.removeprefix("exit=") or "0"]
    for part, end in zip(parts, ends, strict=True):
        command, _, wanted = part.partition("\n")
        name, *arguments = shlex.split(command)
        assert name == "clearprop", f"{page}:{block.line}: {name} does not run here"
        done = CliRunner().invoke(app, arguments)
        assert str(done.exit_code) == end, f"{page}:{block.line}: {command}\n{done.output}"
        check(page, block.line, without_numbers(wanted), without_numbers(done.output))


def without_numbers(text: str) -> str:
    """Nor spaces and shades, which are numbers in a picture."""
    text = re.sub(r"-?\d[\d.,]*(e-?\d+)?|(?<= )·(?= |$)", "#", text, flags=re.MULTILINE)
    lines = (" ".join(line.split()) for line in re.sub("[─░▒▓█]+", " ", text).splitlines())
    return "\n".join(line for line in lines if line)


def run_page(page: str, text: str) -> int:
    """Run every python and console block of a page; returns how many there were."""
    linecache.cache[page] = (len(text), None, text.splitlines(keepends=True), page)
    module = types.ModuleType("page")  # a real module: dataclasses and pickles look theirs up
    sys.modules["page"] = module
    blocks = blocks_of(text)
    count = 0
    try:
        for block, below in itertools.pairwise([*blocks, None]):
            if block.language == "python":
                got = run_block(page, block, vars(module))
                shown = below is not None and below.language in {"text", "output"}
                if below is not None and shown and not below.above and block.flag != "no-run":
                    check(page, below.line, below.code, got)
                count += 1
            elif block.language == "console":
                run_console(page, block)
                count += 1
    finally:
        del sys.modules["page"]
    return count


def pages_of(root: Path) -> list[Path]:
    """The README and every page of the documentation."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
