"""Sums of products in index notation: ``einsum``."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop import primitives as p
from clearprop.errors import ArgumentError, ShapeError, UnsupportedError
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike, as_number, lift, promote
from clearprop.ops.operation import operation


@operation
def einsum(subscripts: str, *operands: ArrayLike) -> Value:
    """The sum of products that index notation describes.

    A letter names an axis.  Axes of one name go together; letters that the output does not have
    are summed over.  Without ``->`` the output has the letters that occur once, in the order of
    the alphabet.

    Args:
        subscripts: such as ``"bij,bjk->bik"``.
        operands: one array or two.

    Shapes:
        ``"ij,jk->ik"``, x: (n, k), y: (k, m)  ->  (n, m)

    Raises:
        ArgumentError: the letters do not fit the arrays.
        ShapeError: axes of one name have different lengths.
        UnsupportedError: three arrays, a letter twice in one array, or ``...``.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.einsum("ij,j->i", [[1, 2], [3, 4]], [10, 1]).numpy()
        array([12, 34])
    """
    inputs, output = _parsed(subscripts, len(operands))
    values = [as_number(value) for value in promote(*lift(*operands))]
    _check_lengths(subscripts, inputs, values)
    # Letters that nobody else has are summed first: that makes everything after it smaller.
    for n, letters in enumerate(inputs):
        others = output + "".join(inputs[:n] + inputs[n + 1 :])
        alone = tuple(axis for axis, letter in enumerate(letters) if letter not in others)
        if alone:
            values[n] = p.reduce_sum(values[n], axes=alone)
            inputs[n] = "".join(letter for letter in letters if letter in others)
    result, letters = values[0], inputs[0]
    if len(values) == 2:
        result, letters = _product((values[0], values[1]), (inputs[0], inputs[1]), output)
    order = tuple(letters.index(letter) for letter in output)
    return result if letters == output else p.transpose(result, order=order)


def _product(
    values: tuple[Value, Value], letters: tuple[str, str], output: str
) -> tuple[Value, str]:
    x_letters, y_letters = letters
    shared = [letter for letter in x_letters if letter in y_letters]
    batch = [letter for letter in shared if letter in output]
    summed = [letter for letter in shared if letter not in output]
    product = p.dot_general(
        *values,
        contract=(_axes(x_letters, summed), _axes(y_letters, summed)),
        batch=(_axes(x_letters, batch), _axes(y_letters, batch)),
    )
    own = [letter for letter in x_letters + y_letters if letter not in shared]
    return product, "".join(batch + own)


def _axes(letters: str, chosen: Sequence[str]) -> tuple[int, ...]:
    return tuple(letters.index(letter) for letter in chosen)


def _parsed(subscripts: str, count: int) -> tuple[list[str], str]:
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    doing = f'Reading the indices "{subscripts}"'
    if "..." in text or count > 2 or any(len(set(letters)) < len(letters) for letters in inputs):
        raise UnsupportedError(
            f"{doing}: only one or two arrays, with each letter once in each, are known here",
            found=f"{count} arrays and the indices {subscripts!r}",
            needed="such as 'bij,bjk->bik'",
            try_="several einsums one after the other; diagonal(x) for a repeated letter",
        )
    if not arrow:
        everything = "".join(inputs)
        output = "".join(sorted(c for c in set(everything) if everything.count(c) == 1))
    known = set("".join(inputs))
    if (
        len(inputs) != count
        or not all(letter.isalpha() for letter in known)
        or not set(output) <= known
        or len(set(output)) < len(output)
    ):
        raise ArgumentError(
            f"{doing}: it does not fit",
            found=f"indices for {len(inputs)} arrays and the output {output!r}; {count} arrays",
            needed="letters for each array, and an output made of them, each once",
        )
    return inputs, output


def _check_lengths(subscripts: str, inputs: Sequence[str], values: Sequence[Value]) -> None:
    types = ", ".join(str(value.type) for value in values)
    lengths: dict[str, int] = {}
    for letters, value in zip(inputs, values, strict=True):
        if len(letters) != len(value.shape):
            raise ArgumentError(
                f'Multiplying by the indices "{subscripts}": one letter names one axis',
                found=f"{letters!r} for an array of type {value.type}",
                needed=f"{len(value.shape)} letters",
            )
        for letter, length in zip(letters, value.shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise ShapeError(
                    f'Multiplying by the indices "{subscripts}": {letter} has two lengths',
                    found=f"{lengths[letter]} and {length} in {types}",
                    needed="one length for each letter",
                )
