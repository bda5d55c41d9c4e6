"""Models in files: everything that using them and training on needs.

One safetensors file holds the tensors ``weights/<layer path>/<weight>``, ``optimizer/<slot>`` and
``training/<state of a metric>``, and as text the model (see ``skeleton``), what ``compile`` was
told, how far training has come, and the notes.  A model that was loaded trains on as if it had
never been away, bit for bit.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from clearprop.errors import ArgumentError, ClearPropError, ModelFileError
from clearprop.executors.choose import check_name
from clearprop.ir.place import here, telling_line
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array
from clearprop.registry import describe, rebuild
from clearprop.train.files import Contents, damaged, json_text, read_file, refusing, write_file
from clearprop.train.history import History
from clearprop.train.model import Model
from clearprop.train.paths import difference_of, types_of, weight_paths, weight_types
from clearprop.train.setup import CompileArguments
from clearprop.train.skeleton import (
    build_layers,
    input_types,
    layer_records,
    model_of,
    model_text,
    restore_drawn,
    see_inputs,
)
from clearprop.train.state import TrainingState

Path = str | os.PathLike[str]


def save_model(model: Model, path: Path) -> None:
    """Write the whole model into one file, atomically: an old file stays until the new is whole.

    Args:
        model: any model whose classes are ClearProp's or registered.
        path: usually something.safetensors; an old file is replaced.

    Raises:
        UnsupportedError: a class or function has no registered name; nothing was written.
        NotBuiltError: the model has no weights yet.
        MissingFileError: the folder is not there.
        OSError: the system could not write; an old file is untouched.
    """
    check_savable(model)
    metadata = {
        "model": model_text(model),
        "layers": json_text(layer_records(model)),
        "inputs": json_text(input_types(model)),
        "compile": "" if model.arguments is None else json_text(describe(model.arguments)),
        "training": json_text(_training_numbers(model)),
        "notes": _notes_text(model),
    }
    tensors = {f"weights/{name}": weight.array for name, weight in weight_paths(model).items()}
    tensors |= {f"optimizer/{name}": array for name, array in _fitting_slots(model).items()}
    state = model.training_state.metrics
    tensors |= {f"training/{name}": array for name, array in state.items()}
    write_file(path, tensors, metadata)


def load_model(path: Path) -> Model:
    """The model in a file that ``model.save`` wrote, ready to predict and to be trained on.

    Loading runs no code from the file: it names classes of ClearProp and those that you have
    registered, and nothing else.

    Raises:
        MissingFileError: there is no such file.
        ModelFileError: the file is no model, is damaged, or needs what is not registered.

    Example:
        >>> import clearprop as cp, os, tempfile
        >>> model = cp.Sequential([cp.layers.Input((2,)), cp.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(os.path.join(folder, "model.safetensors"))
        ...     loaded = cp.load_model(os.path.join(folder, "model.safetensors"))
        >>> bool((loaded.predict([[1.0, 2.0]]) == model.predict([[1.0, 2.0]])).all())
        True
    """
    contents = read_file(path)
    if not contents.metadata.get("model"):
        raise damaged(
            contents.path,
            "it holds weights alone, not the model they belong to",
            found="a file written by model.save_weights",
            needed="a file written by model.save",
            try_="make the model as before, then model.load_weights(path)",
        )
    records = contents.json("layers")
    with refusing(contents.path, "its model cannot be built"):
        model = model_of(contents.metadata["model"], records)
    _check_types(contents, "weights", weight_types(model), "the model")
    _hold_weights(model, contents)
    with refusing(contents.path, "what it says about training cannot be used"):
        restore_drawn(model, records)
        see_inputs(model, contents.json("inputs"))
        _restore_compiled(model, contents)
        _restore_training(model, contents)
        _restore_notes(model, contents.json("notes"))
    return model


def save_weights(model: Model, path: Path) -> None:
    """Write the weights alone, atomically; also of models whose classes are not registered.

    Raises:
        NotBuiltError: the model has no weights yet.
        MissingFileError: the folder is not there.
        OSError: the system could not write; an old file is untouched.
    """
    model.needs_weights("Saving")
    tensors = {f"weights/{name}": weight.array for name, weight in weight_paths(model).items()}
    write_file(path, tensors, {"model": "", "layers": json_text(layer_records(model))})


def load_weights(model: Model, path: Path) -> None:
    """Replace the weights by those of a file that ``save_weights`` or ``save`` wrote.

    A model without weights yet is built as the file's was.  Either all weights are replaced, or,
    if anything does not fit, none.

    Raises:
        MissingFileError: there is no such file.
        ModelFileError: the file is no model, is damaged, or is about another model.
    """
    contents = read_file(path)
    if not model.built:
        with refusing(contents.path, f'it does not fit the layers of "{model.name}"'):
            build_layers(model, contents.json("layers"))
    _check_types(contents, "weights", weight_types(model), f'"{model.name}"')
    _hold_weights(model, contents)


def check_savable(model: Model) -> None:
    """Find out before training whether ``save`` could write the model.

    Raises:
        UnsupportedError: a class or function has no registered name.
        NotBuiltError: the model has no weights yet.
    """
    model.needs_weights("Saving")
    with telling_line:
        model_text(model)
        describe(model.arguments)


# -- weights ----------------------------------------------------------------------


def _hold_weights(model: Model, contents: Contents) -> None:
    arrays = contents.under("weights")
    for name, weight in weight_paths(model).items():
        weight.hold(arrays[name])


def _check_types(
    contents: Contents, prefix: str, wanted: Mapping[str, TensorType], owner: str
) -> None:
    difference = difference_of(wanted, types_of(contents.under(prefix)))
    if difference:
        raise damaged(
            contents.path,
            f"its {prefix} do not fit {owner}",
            found=difference,
            needed=f"the {prefix} of {owner}: {len(wanted)} tensors of these shapes",
            try_="the model that the file was written by",
        )


# -- training ---------------------------------------------------------------------


def _fitting_slots(model: Model) -> dict[str, Array]:
    """The optimizer's state; nothing if ``fit`` would begin it anew."""
    if model.arguments is None or not model.optimizer.state:
        return {}
    state = model.optimizer.state
    fresh = model.optimizer.initial_state(model.trainable_weights)
    return dict(state) if types_of(fresh) == types_of(state) else {}


def _training_numbers(model: Model) -> dict[str, Any]:
    state, history = model.training_state, model.history
    return {
        "epochs": state.epochs,
        "steps": state.steps,
        "step_in_epoch": state.step_in_epoch,
        "sums": state.sums,
        "data": state.data,
        "metrics": list(state.metrics),
        "history": {
            "epoch": [int(epoch) for epoch in history.epoch],
            "history": {name: describe(list(values)) for name, values in history.history.items()},
            "rows": history.rows,
        },
    }


def _notes_text(model: Model) -> str:
    try:
        return json_text(model.notes)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f'Saving "{model.name}": its notes cannot be written as JSON',
            found=f"{error}",
            needed="numbers, text, lists and dicts with text as keys",
            at=str(here()),
        ) from error


def _restore_compiled(model: Model, contents: Contents) -> None:
    """What ``compile`` was told, and the optimizer's state in its order."""
    description = contents.json("compile")
    if description is None:
        return
    config = rebuild(description["config"])
    if description["type"] != "train.CompileArguments" or not isinstance(config, dict):
        raise ModelFileError(
            "Reading what compile was told: it describes something else",
            found=repr(description)[:80],
            needed="a file written by model.save",
        )
    config["executor"] = _usable_executor(config.get("executor"))
    model.arguments = CompileArguments.from_config(config)
    slots = contents.under("optimizer")
    if slots:
        fresh = model.optimizer.initial_state(model.trainable_weights)
        _check_types(contents, "optimizer", types_of(fresh), "the optimizer")
        model.optimizer.state = {name: slots[name] for name in fresh}


def _restore_notes(model: Model, notes: Any) -> None:
    if not isinstance(notes, dict):
        raise ModelFileError(
            "Reading a model's notes: they are none",
            found=repr(notes)[:80],
            needed="a file written by model.save",
        )
    model.notes = notes


def _usable_executor(name: Any) -> Any:
    """The executor that the model was compiled for; None, the best here, if there is none such.

    Whether the native one can run here shows when something is run; here no code is made.
    """
    if name is None or name == "native":
        return None
    try:
        check_name(name)
    except ClearPropError as error:
        warnings.warn(
            f"the model was compiled for the executor {name!r}, which cannot run here "
            f"({error.doing}); the best one here takes its place",
            stacklevel=2,
        )
        return None
    return name


def _restore_training(model: Model, contents: Contents) -> None:
    match contents.json("training"):
        case {
            "epochs": int(epochs),
            "steps": int(steps),
            "step_in_epoch": int(step_in_epoch),
            "sums": dict(sums),
            "data": str(data),
            "metrics": list(names),
            "history": {"epoch": list(numbers), "history": dict(columns), "rows": dict(rows)},
        } if min(epochs, steps, step_in_epoch) >= 0 and set(rows) == set(columns):
            pass
        case other:
            raise ModelFileError(
                "Reading how far training has come: a part of it has no meaning",
                found=repr(other)[:80],
                needed="a file written by model.save",
            )
    arrays = contents.under("training")
    if sorted(arrays) != sorted(names):
        raise damaged(
            contents.path,
            "the states of its metrics are not those it was written with",
            found=", ".join(arrays) or "none",
            needed=", ".join(names) or "none",
        )
    metrics = {name: arrays[name] for name in names}
    totals = {str(name): float(total) for name, total in sums.items()}
    model.training_state = TrainingState(epochs, steps, step_in_epoch, totals, metrics, data)
    model.history = History()
    model.history.epoch = [int(number) for number in numbers]
    model.history.rows = {str(name): [int(row) for row in of] for name, of in rows.items()}
    model.history.history = {str(name): list(rebuild(column)) for name, column in columns.items()}
