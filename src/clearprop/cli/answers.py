"""How a command ends: 0 done, 1 the work failed, 2 the command was wrong, 130 stopped by Ctrl-C."""

from __future__ import annotations

import errno
import re
import shlex
import traceback
import warnings
from typing import Any

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException

from clearprop.cli.program import as_typed, program
from clearprop.cli.screen import WRONG, console, note
from clearprop.errors import (
    ArgumentError,
    ClearPropError,
    DataError,
    LabelError,
    MissingExtraError,
    MissingFileError,
    ModelFileError,
    UnknownNameError,
)

_OTHER_NAMES = {"--lr": "--learning-rate", "--learning_rate": "--learning-rate"}
FAILED, WRONG_COMMAND, INTERRUPTED = 1, 2, 130
_WRONG_COMMAND_ERRORS = (
    ArgumentError,
    DataError,
    LabelError,
    MissingExtraError,
    MissingFileError,
    ModelFileError,
    UnknownNameError,
)


class AnsweringCommand(TyperCommand):
    """A command whose errors are told in words, on the standard error, with an exit code."""

    def __init__(self, *args: Any, **options: Any) -> None:
        paragraphs = (options.get("help") or "").split("\n\n")
        options["help"] = "\n\n".join(" ".join(part.split()) for part in paragraphs)
        super().__init__(*args, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the options; the usual slips are answered with what was meant."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            meant = _OTHER_NAMES.get(getattr(error, "option_name", ""))
            if meant is not None:
                error.possibilities = [meant]  # type: ignore[attr-defined]
            extra = re.search(r"unexpected extra argument\S* \((\S+)\)", error.message)
            if extra and self.name == "train" and "--target" not in given:
                typed = shlex.join(word for word in given if word != extra[1])
                error.message += f"\n  try: {program()} train {typed} --target {extra[1]}"
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _tell_warning
                return super().invoke(ctx)
        except (ClearPropError, OSError, MemoryError, KeyboardInterrupt) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # whoever read the output has read enough
            if ctx.params.get("debug"):
                traceback.print_exc()
            tell_error(error)
            raise typer.Exit(exit_code_of(error)) from error


def exit_code_of(error: BaseException) -> int:
    """1, 2 or 130: what the error says about the command."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return WRONG_COMMAND if isinstance(error, _WRONG_COMMAND_ERRORS) else FAILED


def tell_error(error: BaseException) -> None:
    """Write an error to the standard error, in its own words."""
    screen = console(stderr=True)
    if isinstance(error, KeyboardInterrupt):
        screen.print("stopped")
        return
    if isinstance(error, ClearPropError):
        error.at = ""  # a line of ClearProp itself: nobody's own code
    told = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        told = "The memory of this computer is not enough" + (f"\n  found:  {error}" * bool(told))
    first, _, rest = as_typed(told).partition("\n")
    screen.print(first, style=WRONG)
    if rest:
        screen.print(rest)


def _tell_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    note(as_typed(str(message)))
