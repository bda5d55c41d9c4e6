"""The documentation is executed: what a page shows is what happens."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import typer

from clearprop.cli.main import app
from tests.docs.pages import blocks_of, pages_of, run_page
from tests.house.plan import ROOT


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # pages may write files
    for table in (ROOT / "examples").glob("*.csv"):
        shutil.copy(table, tmp_path)


@pytest.mark.parametrize("path", pages_of(ROOT), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_page_runs(path: Path) -> None:
    run_page(path.relative_to(ROOT).as_posix(), path.read_text())


def test_the_readme_shows_code_that_runs() -> None:
    blocks = blocks_of((ROOT / "README.md").read_text())
    assert [block for block in blocks if block.language == "python" and block.flag != "no-run"]


def test_the_script_of_a_page_is_what_the_page_says() -> None:
    page = (ROOT / "docs" / "do" / "classify-sequences.md").read_text()
    script = (ROOT / "examples" / "guess_language.py").read_text()
    told = "\n".join(block.code for block in blocks_of(page) if block.language == "python")
    assert statements(script)[1:] == statements(told), "all but what the script says of itself"


def statements(code: str) -> list[str]:
    """What the code does: without comments and the docstrings of functions."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return [ast.unparse(node) for node in tree.body]


def test_the_command_line_is_told_whole() -> None:
    told = (ROOT / "docs" / "look-up" / "command-line.md").read_text()
    commands: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    for name, command in commands.items():
        assert f"## {name}\n" in told
        for option in command.params:
            for word in [*option.opts, *option.secondary_opts]:
                assert not word.startswith("--") or f"`{word}" in told, f"{name} {word}"


def test_activations_are_drawn_as_they_are(tmp_path: Path) -> None:
    pictures = ROOT / "docs" / "pictures"
    run_path(str(pictures / "activations.py"))["draw"](tmp_path)
    drawn = {path.name: path.read_text() for path in tmp_path.glob("*.svg")}
    shown = {path.name: path.read_text() for path in (pictures / "activations").glob("*.svg")}
    assert drawn.keys() == shown.keys()
    for name, picture in drawn.items():
        ours, theirs = (re.findall(r"-?[\d.]+|[^-\d.]+", text) for text in (picture, shown[name]))
        assert len(ours) == len(theirs), f"{name}: run docs/pictures/activations.py"
        for here, there in zip(ours, theirs, strict=True):
            assert here == there or abs(float(here) - float(there)) < 0.2, name


def test_the_graph_is_shown_as_it_is_saved(tmp_path: Path) -> None:
    page = "docs/do/look-inside.md"
    run_page(page, (ROOT / page).read_text())
    shown = (ROOT / "docs" / "pictures" / "graph.svg").read_text()
    assert (tmp_path / "graph.svg").read_text() == shown


# -- the runner itself --------------------------------------------------------


def page(*parts: str) -> str:
    return "\n".join(parts)


SHARED = page("```python", "x = 1", "```", "Then:", "", "```python", "print(x + 1)", "```", "")


def test_blocks_of_a_page_share_a_namespace() -> None:
    assert run_page("page.md", page(SHARED, "```text", "2", "```")) == 2


def test_indented_blocks_run() -> None:
    assert run_page("page.md", page('=== "tab"', "", "    ```python", "    x = 1", "    ```")) == 1


def test_other_output_fails_with_its_line() -> None:
    with pytest.raises(AssertionError, match=r"page\.md:11: the page says"):
        run_page("page.md", page(SHARED, "```text", "3", "```"))


def test_three_dots_stand_for_anything() -> None:
    assert run_page(
        "page.md", page("```python", "print('in 0.3 s')", "```", "```output", "in ... s", "```")
    )


def test_text_after_a_sentence_is_not_output() -> None:
    assert (
        run_page("page.md", page(SHARED, "A file looks like this:", "", "```text", "3", "```")) == 2
    )


def test_an_error_in_a_block_points_into_the_page() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_page("page.md", page("# Title", "```python", "1 / 0", "```"))
    assert caught.traceback[-1].lineno == 2  # counted from 0: the third line
    assert caught.value.__notes__ == ["in the block at page.md:3"]


def test_a_promised_error_is_compared() -> None:
    code = page("```python raises=ValueError", "int('x')", "```", "")
    message = "invalid literal for int() with base 10: 'x'"
    assert run_page("page.md", page(code, "```text", message, "```")) == 1
    with pytest.raises(AssertionError, match="the page says"):
        run_page("page.md", page(code, "```text", "something else", "```"))


def test_a_promised_error_must_come() -> None:
    with pytest.raises(AssertionError, match="ValueError was promised"):
        run_page("page.md", page("```python raises=ValueError", "int('1')", "```"))


def test_code_that_does_not_run_gives_its_reason_and_compiles() -> None:
    code = page("```python no-run", "raise SystemExit", "```")
    assert run_page("page.md", page("<!-- it would end the tests -->", code)) == 1
    with pytest.raises(AssertionError, match="say why"):
        run_page("page.md", code)
    with pytest.raises(SyntaxError):
        run_page("page.md", page("<!-- broken -->", "```python no-run", "1 +", "```"))


def test_unknown_flags_and_open_fences_are_refused() -> None:
    with pytest.raises(AssertionError, match="unknown flag 'norun'"):
        run_page("page.md", page("```python norun", "1", "```"))
    with pytest.raises(AssertionError, match="never closed"):
        run_page("page.md", page("```python", "1"))


def test_commands_run_and_only_their_numbers_may_differ() -> None:
    told = "clearprop 9.9.9"
    assert run_page("page.md", page("```console", "$ clearprop --version", told, "```")) == 1
    with pytest.raises(AssertionError, match="the page says"):
        run_page("page.md", page("```console", "$ clearprop --version", "version 1", "```"))
    with pytest.raises(AssertionError, match=r"page\.md:2: clearprop train"):
        run_page("page.md", page("```console", "$ clearprop train nothing.csv", "```"))
    with pytest.raises(AssertionError, match="rm does not run here"):
        run_page("page.md", page("```console", "$ rm -r .", "```"))
