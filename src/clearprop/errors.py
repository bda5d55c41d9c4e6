"""Every error ClearProp raises on purpose, in one tree.

    ClearPropError
      ShapeError         sizes do not fit together                (also a ValueError)
      DTypeError         element types do not fit together        (also a TypeError)
      ArgumentError      an argument has a value that cannot work (also a ValueError)
      UnknownNameError   a name that nothing has                  (also a ValueError)
      DataError          numbers or columns that cannot be used   (also a ValueError)
      LabelError         a label or index out of its range        (also an IndexError, ValueError)
      TraceError         numbers asked of a value that has none   (also a TypeError)
      GradientError      a derivative that does not exist         (also a ValueError)
      NotBuiltError      a model or layer without weights yet     (also a RuntimeError)
      NumericsError      NaN or infinity during the work          (also an ArithmeticError)
      ModelFileError     a file that is not a usable model        (also a ValueError)
      MissingFileError   a file or folder that is not there       (also a FileNotFoundError)
      ProgramError       a Program that breaks its own rules      (also a RuntimeError)
      UnsupportedError   a rule is missing                        (also a NotImplementedError)
      CapacityError      more memory than there is                (also a MemoryError)
      MissingExtraError  an optional package is not installed     (also an ImportError)

A message answers, in this order: what was being done, what was found, what was needed,
what to try, and at which line of the user's own code.
"""

from __future__ import annotations


class ClearPropError(Exception):
    """Base of all errors raised on purpose by ClearProp."""

    def __init__(
        self, doing: str, *, found: str = "", needed: str = "", try_: str = "", at: str = ""
    ) -> None:
        self.doing, self.found, self.needed, self.try_, self.at = doing, found, needed, try_, at
        super().__init__(doing)

    def __str__(self) -> str:
        lines = [self.doing]
        labelled = [
            ("found:", self.found),
            ("needed:", self.needed),
            ("try:", self.try_),
            ("at:", self.at),
        ]
        for label, answer in labelled:
            if answer:
                lines.append(f"  {label:<7} " + answer.replace("\n", "\n" + " " * 10))
        return "\n".join(lines)


class ShapeError(ClearPropError, ValueError):
    """Array sizes do not fit together."""


class DTypeError(ClearPropError, TypeError):
    """Element types do not fit together."""


class ArgumentError(ClearPropError, ValueError):
    """An argument has a value that cannot work."""


class UnknownNameError(ClearPropError, ValueError):
    """A name that nothing has; the message tells the nearest one."""


class DataError(ClearPropError, ValueError):
    """Numbers, rows or columns that cannot be used."""


class LabelError(ClearPropError, IndexError, ValueError):
    """A label or an index lies outside of its range."""


class TraceError(ClearPropError, TypeError):
    """Numbers were asked of a value that has none yet, or never will."""


class GradientError(ClearPropError, ValueError):
    """A derivative that does not exist was asked for."""


class NotBuiltError(ClearPropError, RuntimeError):
    """A layer or model has no weights yet."""


class NumericsError(ClearPropError, ArithmeticError):
    """NaN or infinity came up during the work."""


class ModelFileError(ClearPropError, ValueError):
    """A file is not a model, is damaged, or asks for what it may not have."""


class MissingFileError(ClearPropError, FileNotFoundError):
    """A file or folder is not there."""


class ProgramError(ClearPropError, RuntimeError):
    """A Program breaks the rules of the language."""


class UnsupportedError(ClearPropError, NotImplementedError):
    """An executor or a transform has no rule for what was asked."""


class CapacityError(ClearPropError, MemoryError):
    """The work needs more memory than the machine has; found out before it begins."""


class MissingExtraError(ClearPropError, ImportError):
    """An optional package is not installed; the message names the command that installs it."""
