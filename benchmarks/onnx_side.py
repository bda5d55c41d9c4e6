"""onnxruntime: predictions of the same nets with the same weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.workloads import Array, Inference

MODES = ("all threads", "one thread")
_threads = 1


def prepare(mode: str, threads: int) -> None:
    """Import the framework and note how many threads it has."""
    global _threads
    import onnxruntime  # noqa: F401

    _threads = 1 if mode == "one thread" else threads


def version() -> str:
    """The framework's version."""
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}"


def predictor(inference: Inference, mode: str, weights: list[Array]) -> Callable[[Array], Array]:
    """A function from samples to logits."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads
    session = onnxruntime.InferenceSession(_model(inference, weights), options)
    shape = _channels_first(inference)

    def predict(x: Array) -> Array:
        outputs: Array = session.run(None, {"x": x.reshape(len(x), *shape)})[0]
        return outputs

    return predict


def _channels_first(inference: Inference) -> tuple[int, ...]:
    """The shape of a sample; with one channel the memory is the same in either order."""
    *places, channels = inference.input_shape
    return (channels, *places)


def _model(inference: Inference, weights: list[Array]) -> bytes:
    """The net as an ONNX file; images have their channels first, as the format wants."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []
    last = "x"

    def node(kind: str, *arrays: Array, **attributes: Any) -> None:
        nonlocal last
        names = [f"w{len(constants) + number}" for number in range(len(arrays))]
        constants.extend(
            numpy_helper.from_array(array.copy(), name)
            for array, name in zip(arrays, names, strict=True)
        )
        output = f"v{len(nodes)}"
        nodes.append(helper.make_node(kind, [last, *names], [output], **attributes))
        last = output

    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    height, width = inference.input_shape[0], inference.input_shape[-2:][0]
    for number, (kernel, bias) in enumerate(pairs):
        if kernel.ndim == 4:
            node("Conv", kernel.transpose(3, 2, 0, 1), bias, pads=[1, 1, 1, 1])
            node("Relu")
            node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            height, width, channels = height // 2, width // 2, kernel.shape[-1]
            continue
        if number and pairs[number - 1][0].ndim == 4:  # the first kernel behind the images
            node("Flatten")
            rows = kernel.reshape(height, width, channels, -1).transpose(2, 0, 1, 3)
            kernel = rows.reshape(kernel.shape)
        node("Gemm", kernel, bias)
        if number < len(pairs) - 1:
            node("Relu")
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info(
            "x", TensorProto.FLOAT, [inference.batch, *_channels_first(inference)]
        )],
        [helper.make_tensor_value_info(
            last, TensorProto.FLOAT, [inference.batch, inference.classes]
        )],
        constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    return bytes(model.SerializeToString())
