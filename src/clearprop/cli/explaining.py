"""``clearprop explain``: what the compiler makes of a model."""

from __future__ import annotations

import numpy as np

from clearprop.cli.notes import open_model
from clearprop.errors import ArgumentError, NotBuiltError
from clearprop.functions.compiled import compile as compile_function


def explain(model_path: str, *, batch: int, llvm: bool) -> None:
    """Tell the stages of a model's way to machine code, for predicting a batch.

    Args:
        model_path: a file.
        batch: how many samples at once.
        llvm: whether the code in LLVM IR is told too.

    Raises:
        ModelFileError: the file is not a model.
        ArgumentError: the batch is empty.
    """
    if batch < 1:
        raise ArgumentError(
            "explain: a batch has at least one sample", found=f"{batch}", needed="1, 2, 3, ..."
        )
    model, _ = open_model(model_path)
    types = model.known_input_types(batch=batch)
    if types is None:
        raise NotBuiltError(
            "explain: the model does not know the shapes of its inputs",
            found=f"a model of {len(model.weights)} weights that has met no data",
            needed="a model that was trained or built",
        )
    compiled = compile_function(model)
    compiled.explain(*(np.zeros(type_.shape, type_.dtype) for type_ in types), llvm=llvm)
