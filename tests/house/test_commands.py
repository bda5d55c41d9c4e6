"""The commands that README and CONTRIBUTING tell are the ones that CI runs, word for word."""

from __future__ import annotations

import re

from tests.house.plan import ROOT

MARKED = re.compile(r"^<!-- command: ([\w ]+) -->\n```bash\n(.+?)\n```$", re.MULTILINE | re.DOTALL)
MARK = "<!-- command:"
CI = ROOT / ".ci" / "run"


def commands(page: str) -> dict[str, str]:
    text = (ROOT / page).read_text()
    found = dict(MARKED.findall(text))
    assert len(found) == text.count(MARK), f"{page}: each mark stands right above its bash fence"
    return found


def test_the_readme_needs_one_line_for_each_job() -> None:
    told = commands("README.md")
    assert set(told) == {"main job", "tests"}
    assert all("\n" not in command for command in told.values())


def test_contributing_tells_every_command() -> None:
    assert set(commands("CONTRIBUTING.md")) == {
        "install",
        "lint",
        "check",
        "test",
        "docs",
        "reference",
    }


def test_ci_runs_what_is_told() -> None:
    run = set(re.findall(r"told (\S+) '([\w ]+)'", CI.read_text()))
    told = {(page, name) for page in ("README.md", "CONTRIBUTING.md") for name in commands(page)}
    assert run == told - {("CONTRIBUTING.md", "test")}  # the README's line ends with the same


def test_the_readme_tests_end_with_the_test_command() -> None:
    test = commands("CONTRIBUTING.md")["test"]
    assert commands("README.md")["tests"].endswith(f"&& {test}")


def test_ci_can_be_run() -> None:
    assert CI.stat().st_mode & 0o111
