"""A file that is no model, was damaged or is hostile is refused, and runs nothing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import clearprop as cp
from clearprop.errors import MissingFileError, ModelFileError
from clearprop.train.files import read_file, write_file
from tests.train.nets import CLASSES, X, assert_same, classifier, told, two_ended


@pytest.fixture(scope="module")
def model() -> cp.Model:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    return model


@pytest.fixture
def path(model: cp.Model, tmp_path: Path) -> Path:
    model.save(tmp_path / "digits.safetensors")
    return tmp_path / "digits.safetensors"


def forge(path: Path, tensors: dict[str, Any] | None = None, **metadata: Any) -> None:
    """Write the file again with other contents, and hashes that fit them."""
    contents = read_file(path)
    arrays = {**contents.tensors, **(tensors or {})}
    text = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in metadata.items()
    }
    kept = {name: array for name, array in arrays.items() if array is not None}
    write_file(path, kept, {**contents.metadata, **text})


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        cp.load_model(path)
    return told(caught.value, path.parent)


# -- the words ----------------------------------------------------------------------


def test_a_missing_file(path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        cp.load_model(path.with_name("digit.safetensors"))
    assert isinstance(caught.value, MissingFileError)
    assert told(caught.value, path.parent) == (
        "Loading FOLDER/digit.safetensors: there is no such file\n"
        '  found:  nothing at FOLDER/digit.safetensors did you mean "digits.safetensors"?\n'
        "  needed: a file written by model.save or model.save_weights"
    )


def test_a_folder(path: Path) -> None:
    assert f"{path.parent.name}: it is a folder" in refusal(path.parent)


@pytest.mark.parametrize("content", [b"", b"weights", b"x,y\n1,2\n" * 100, b"\x80\x04pickle" * 9])
def test_a_file_that_is_something_else(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    size = f"{len(content)} B"
    assert refusal(path) == (
        "Loading FOLDER/digits.safetensors: it is no safetensors file, or was cut short\n"
        f"  found:  {size}\n"
        "  needed: a file written by model.save or model.save_weights\n"
        "  try:    another copy of the file"
    )


def test_a_file_that_was_cut_short(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    assert refusal(path) == (
        "Loading FOLDER/digits.safetensors: it was cut short\n"
        f"  found:  {len(data) - 100:,} bytes\n"
        f"  needed: {len(data):,} bytes\n"
        "  try:    another copy of the file"
    )
    path.write_bytes(data + b"more")
    assert "it is too long" in refusal(path)


def test_a_changed_tensor_is_named(path: Path) -> None:
    data = bytearray(path.read_bytes())
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    name = "weights/hidden/kernel"
    start = 8 + int.from_bytes(data[:8], "little") + header[name]["data_offsets"][0]
    data[start + 5] ^= 1
    path.write_bytes(data)
    assert 'the tensor "weights/hidden/kernel" was changed after it was written' in refusal(path)


def test_a_changed_description(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"tanh", b"relu"))
    assert "its description was changed after it was written" in refusal(path)


def test_somebody_elses_safetensors(path: Path) -> None:
    save_file({"weight": np.zeros(3, np.float32)}, path, {"format": "pt"})
    assert refusal(path) == (
        "Loading FOLDER/digits.safetensors: it is a safetensors file, but no model of ClearProp\n"
        "  found:  format 'pt'\n"
        "  needed: a file written by model.save or model.save_weights\n"
        "  try:    the file's own library; set_weights takes arrays from anywhere"
    )


def test_a_newer_format(path: Path) -> None:
    forge(path, format="clearprop 2", clearprop="9.0")
    assert refusal(path) == (
        "Loading FOLDER/digits.safetensors: it was written by a newer ClearProp than this one\n"
        "  found:  format 2, ClearProp 9.0\n"
        f"  needed: format 1, as ClearProp {cp.__version__} reads it\n"
        "  try:    pip install --upgrade clearprop"
    )


def test_weights_alone_are_no_model(model: cp.Model, path: Path) -> None:
    model.save_weights(path)
    assert refusal(path) == (
        "Loading FOLDER/digits.safetensors: it holds weights alone, not the model they belong to\n"
        "  found:  a file written by model.save_weights\n"
        "  needed: a file written by model.save\n"
        "  try:    make the model as before, then model.load_weights(path)"
    )


def test_an_unknown_type_tells_the_nearest(path: Path) -> None:
    described = read_file(path).metadata["model"]
    forge(path, model=described.replace('"layers.Dense"', '"layers.Dens"'))
    assert refusal(path) == (
        "Reading a model's description: there is no class registered as 'layers.Dens'\n"
        "  found:  'layers.Dens' did you mean \"layers.Dense\"?\n"
        "  needed: a class of ClearProp, or one registered by you\n"
        '  try:    put @cp.register("layers.Dens") before it and import it before loading'
    )


def test_weights_of_another_model(path: Path) -> None:
    other = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(8), cp.layers.Dense(3)])
    before = other.get_weights()
    with pytest.raises(ModelFileError) as caught:
        other.load_weights(path)
    assert told(caught.value, path.parent) == (
        'Loading FOLDER/digits.safetensors: its weights do not fit "sequential"\n'
        '  found:  "dense_1/kernel" as f32[6, 3], not f32[8, 3]\n'
        '  needed: the weights of "sequential": 4 tensors of these shapes\n'
        "  try:    the model that the file was written by"
    )
    for weight, old in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


# -- forged files -------------------------------------------------------------------


def test_a_forged_file_can_be_written(model: cp.Model, path: Path) -> None:
    forge(path)
    assert_same(model, cp.load_model(path))


@pytest.mark.parametrize(
    "tensors",
    [
        {"weights/hidden/kernel": None},
        {"weights/more/kernel": np.zeros(3)},
        {"weights/hidden/kernel": np.zeros((8, 7), np.float32)},
        {"weights/hidden/kernel": np.zeros((8, 6), np.float64)},
        {"weights/hidden/bias": np.zeros((6, 1), np.float32)},
        {"optimizer/iterations": None},
        {"optimizer/iterations": np.zeros((), np.int32)},
        {"optimizer/momentum/99": np.zeros(3, np.float32)},
        {"training/accuracy/total": np.zeros((), np.float64)},
    ],
)
def test_tensors_that_do_not_fit(tensors: dict[str, Any], path: Path) -> None:
    forge(path, tensors)
    assert "fit" in refusal(path) or "metrics" in refusal(path)


DENSE = {"type": "layers.Dense", "config": {"dict": [["units", 10**15]]}}
EMBEDDING = {
    "type": "layers.Embedding",
    "config": {"dict": [["input_dim", 10**15], ["output_dim", 10**6]]},
}


def sequential(*layers: Any, shape: Any = (5,)) -> dict[str, Any]:
    given = {"dict": [["shape", {"tuple": list(shape)}], ["dtype", "float32"], ["name", None]]}
    config = {"dict": [["layers", list(layers)], ["input", given]]}
    return {"type": "train.Sequential", "config": config}


def functional(function: str, args: Any) -> dict[str, Any]:
    given = [["shape", {"tuple": [5]}], ["dtype", "float32"], ["name", None]]
    call = [["function", function], ["args", args], ["kwargs", {"dict": []}]]
    config = [
        *(["inputs", [{"dict": given}]], ["input_keys", None], ["layers", []]),
        *(["calls", [{"dict": call}]], ["outputs", [1]], ["output_keys", None]),
        *(["name", None], ["trainable", True], ["dtype", "float32"]),
    ]
    return {"type": "train.Functional", "config": {"dict": config}}


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    "described",
    [
        *("", "nonsense", "{}", "null", "3", '"text"', "[]", deep(100), deep(100_000)),
        '{"type": "train.Sequential"}',
        '{"type": "train.Sequential", "config": {}}',
        '{"type": "train.Sequential", "config": {"dict": [[[], 1]]}}',
        '{"type": "os.system", "config": {"dict": [["command", "true"]]}}',
        '{"type": ["train.Sequential"], "config": 1}',
        '{"function": "losses.mean_squared_error"}',
        {"type": "layers.Dense", "config": {"dict": [["units", 3]]}},
        {"type": "train.CompileArguments", "config": {"dict": []}},
        {"array": [[1], [2, 3]], "dtype": "float32"},
        {"array": [""], "dtype": "U100000000000"},
        {"array": [""], "dtype": "U1000000000"},
        {"array": [1], "dtype": "O"},
        functional("arange", [10**9]),
        functional("arange", [{"dict": [["symbolic", 1]]}]),
        functional("system", [{"dict": [["symbolic", 0]]}]),
        sequential(),
        sequential(3),
        sequential(DENSE),
        sequential(EMBEDDING),
        sequential(DENSE, DENSE, shape=(10**12, 10**12)),
        sequential({"type": "layers.Dense", "config": {"dict": [["units", -1]]}}),
        sequential({"type": "layers.Dense", "config": {"dict": [["units", "many"]]}}),
        sequential({"type": "layers.Dense", "config": {"dict": [["unit", 3]]}}),
        sequential({"type": "losses.MeanSquaredError", "config": {"dict": []}}),
        sequential(*[{"type": "layers.Flatten", "config": {"dict": []}}] * 100_001),
    ],
    ids=lambda described: str(described)[:60],
)
def test_hostile_descriptions(described: Any, path: Path) -> None:
    forge(path, model=described)
    tracemalloc.start()
    try:
        refusal(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 300e6


@pytest.mark.parametrize("part", ["layers", "inputs", "compile", "training", "notes"])
@pytest.mark.parametrize(
    "text",
    [
        *("nonsense", "3", '"text"', "[1]", '{"a": 1}', "[null]", "[[1, 2]]", deep(100_000)),
        *('[["f32", [1, "a"]]]', '[["f99", [1, 5]]]', "9" * 5000, "[" + "{}," * 1000 + "{}]"),
    ],
    ids=lambda text: text[:20],
)
def test_hostile_parts(part: str, text: str, path: Path) -> None:
    forge(path, **{part: text})
    if (part, text) == ("notes", '{"a": 1}'):
        assert cp.load_model(path).notes == {"a": 1}
    else:
        refusal(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("epochs", -1), ("epochs", "1"), ("steps", 0.5), ("step_in_epoch", None)),
        *(("sums", []), ("sums", {"loss": "much"}), ("data", 3), ("metrics", ["accuracy/total"])),
        *(("history", {}), ("history", {"epoch": [], "history": {"loss": 3}})),
    ],
)
def test_hostile_training_states(name: str, value: Any, path: Path) -> None:
    state = json.loads(read_file(path).metadata["training"])
    forge(path, training={**state, name: value})
    refusal(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("path", 1), ("name", None), ("position", [-1]), ("position", ["a"]), ("position", 1)),
        *(("trainable", "yes"), ("built", 1), ("built", ["a"]), ("drawn", [["kernel", -1]])),
        *(("drawn", [["kernel", 2**64]]), ("drawn", [3]), ("more", 1)),
    ],
)
def test_hostile_layer_records(name: str, value: Any, path: Path) -> None:
    records = json.loads(read_file(path).metadata["layers"])
    records[1][name] = value
    forge(path, layers=records)
    refusal(path)


def test_shapes_that_layers_were_never_built_for(path: Path) -> None:
    records = json.loads(read_file(path).metadata["layers"])
    for shape in ([10**15, 10**15], [], [5], ["a", "b"], [[5]], [4, -5]):
        records[1]["built"] = [{"tuple": shape}]
        forge(path, layers=records)
        refusal(path)


def test_too_much_text_is_not_written(model: cp.Model, tmp_path: Path) -> None:
    large = classifier()
    large.fit(X, CLASSES, verbose=0)
    large.notes["text"] = "x" * (1 << 25)
    with pytest.raises(ValueError, match=r"32\.0 MiB, most of it in its notes"):
        large.save(tmp_path / "large.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_header_without_end_is_not_read(path: Path) -> None:
    with path.open("r+b") as file:
        file.write((1 << 40).to_bytes(8, "little"))
    assert "no safetensors file" in refusal(path)
    with path.open("wb") as file:
        file.write((1 << 30).to_bytes(8, "little") + b"{")
        file.truncate(1 << 31)  # a sparse file: it takes no place
    assert "its description is too long" in refusal(path)


# -- loading runs nothing -----------------------------------------------------------

AUDIT = """
import sys
import clearprop as cp
for room in ("layers", "losses", "metrics", "optimizers", "callbacks", "load_model"):
    getattr(cp, room)
allowed, seen = sys.argv[1:], []

def hook(event, args):
    if event == "open" and str(args[0]) in allowed:
        return
    if event in {"exec", "compile", "import", "open", "pickle.find_class", "marshal.loads"}:
        seen.append((event, str(args[0])))
    elif event.startswith(("subprocess.", "socket.", "os.", "shutil.", "ctypes.", "code.")):
        seen.append((event, str(args)))

sys.addaudithook(hook)
for path in allowed:
    cp.load_model(path)
watched = list(seen)
assert not watched, watched
eval("1")
assert seen, "the hook sees nothing"
"""


def test_loading_runs_no_code(path: Path) -> None:
    drawn = two_ended()
    drawn.compile("sgd", {"price": "mse", "kind": "sparse_categorical_crossentropy"})
    drawn.save(path.with_name("drawn.safetensors"))
    command = [sys.executable, "-c", AUDIT, str(path), str(path.with_name("drawn.safetensors"))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


# -- mutations ----------------------------------------------------------------------


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The data with a bit turned, a byte changed, a piece lost, doubled or moved, or an end cut."""
    kind, place = chance.randrange(6), chance.randrange(len(data))
    length = chance.randrange(1, 40)
    if chance.random() < 0.5:  # most of the file is tensors: look at the text as often
        place = chance.randrange(8 + int.from_bytes(data[:8], "little"))
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + data[place + length :]
    if kind == 2:
        return data[: place + length] + data[place:]
    if kind == 3:
        other = chance.randrange(len(data))
        piece = data[other : other + length]
        return data[:place] + piece + data[place + len(piece) :]
    byte = chance.randrange(256) if kind == 4 else data[place] ^ (1 << chance.randrange(8))
    return data[:place] + bytes([byte]) + data[place + 1 :]


def check_mutations(count: int, model: cp.Model, path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(0)
    for _ in range(count):
        path.write_bytes(mutated(data, chance))
        try:
            loaded = cp.load_model(path)
        except ModelFileError:
            continue
        assert_same(model, loaded)


def test_damage_is_found(model: cp.Model, path: Path) -> None:
    check_mutations(2_000, model, path)


@pytest.mark.slow
def test_any_damage_is_found(model: cp.Model, path: Path) -> None:
    check_mutations(100_000, model, path)
