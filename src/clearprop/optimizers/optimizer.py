"""What an optimizer is for the training step: a pure function of weights, gradients and state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from clearprop.dtypes import F64
from clearprop.errors import ArgumentError, GradientError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Array, Value
from clearprop.registry import Configurable
from clearprop.tensor.parameter import Parameter
from clearprop.tensor.tensor import Tensor
from clearprop.text import count_text

State = dict[str, Array]


class Optimizer(Configurable, ABC):
    """A rule that changes weights against their gradients.

    The training step calls ``update``, which computes new weights and a new state from the old
    ones and changes nothing itself.  Loops written by hand call ``apply``.

    Attributes:
        name: what it is called.
        state: what ``apply`` and ``fit`` keep from step to step.
        trains: a weak reference to the model it was last compiled into, if any.

    Example:
        >>> import clearprop as cp
        >>> optimizer, w = cp.optimizers.SGD(0.25), cp.parameter([1.0, 2.0])
        >>> (w * w).sum().backward()
        >>> optimizer.apply([w.grad], [w])
        >>> w.tolist()
        [0.5, 1.0]
    """

    name: str
    trains: Callable[[], object] | None = None

    def __init__(self) -> None:
        self.state: State = {}
        self._applied_to: tuple[tuple[int, ...], ...] = ()

    # -- what the training step asks for -----------------------------------------

    @abstractmethod
    def hyperparameters(self) -> dict[str, float]:
        """The numbers that every step takes as data; one assigned now counts from the next step."""

    @abstractmethod
    def structure(self) -> Hashable:
        """What the formulas of a step depend on besides data; a change needs a new trace."""

    @abstractmethod
    def initial_state(self, parameters: Sequence[Parameter]) -> State:
        """The state before the first step: ``iterations`` and slots such as ``momentum/3``.

        The number after the slash is that of the parameter in the list.
        """

    @abstractmethod
    def update(
        self,
        weights: Sequence[Value],
        gradients: Sequence[Value | None],
        state: Mapping[str, Value],
        hyper: Mapping[str, Value],
        parameters: Sequence[Parameter] = (),
    ) -> tuple[list[Value], dict[str, Value]]:
        """New weights and new state, written down with operations.

        Args:
            weights: the weights' values.
            gradients: the loss's derivative by each; a weight without one stays as it is.
            state: as from ``initial_state``.
            hyper: the numbers of ``hyperparameters`` as single numbers, best in float64.
            parameters: whose values the weights are; what is excluded or chosen by name is found
                with them.

        Shapes:
            weights, gradients: S each  ->  weights of shape S each
        """

    def scale_loss(self, loss: Value, state: Mapping[str, Value]) -> Value:
        """What is to be differentiated in the place of ``loss``.

        Shapes:
            loss: ()  ->  ()
        """
        return loss

    def final_weights(
        self,
        weights: Sequence[Array],
        state: Mapping[str, Array],
        parameters: Sequence[Parameter] = (),
    ) -> list[Array]:
        """The weights that training ends with: their moving averages, if those are kept.

        Shapes:
            weights: S each  ->  S each
        """
        return list(weights)

    # -- loops written by hand -----------------------------------------------------

    @property
    def iterations(self) -> int:
        """How many steps ``apply`` has done."""
        return int(self.state.get("iterations", 0))

    def apply(self, gradients: Sequence[Any], parameters: Sequence[Parameter]) -> None:
        """Do one step: replace the numbers of ``parameters``.

        Args:
            gradients: Tensors or arrays; None leaves its parameter as it is.
            parameters: the same at every call.

        Shapes:
            gradients: those of the parameters

        Raises:
            ArgumentError: the numbers of gradients and parameters differ, or other parameters
                were given before.
            GradientError: no parameter has a gradient.
            ShapeError: a gradient has another shape than its parameter.
        """
        arrays = self._checked(gradients, parameters)
        if not self.state:
            self.state = self.initial_state(parameters)
        weights, state = self.update(
            [Tensor.leaf(parameter.numpy()) for parameter in parameters],
            [None if array is None else Tensor.leaf(array) for array in arrays],
            {name: Tensor.leaf(array) for name, array in self.state.items()},
            {
                name: Tensor.leaf(np.asarray(number, F64))
                for name, number in self.hyperparameters().items()
            },
            parameters,
        )
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.assign(weight)
        self.state = {name: _numbers(value) for name, value in state.items()}

    def apply_gradients(self, pairs: Iterable[tuple[Any, Parameter]]) -> None:
        """``apply`` under Keras's name, which takes pairs.

        Args:
            pairs: each gradient with its parameter, as ``zip(gradients, parameters)`` gives them.

        Shapes:
            gradients: those of the parameters
        """
        listed = list(pairs)
        self.apply([gradient for gradient, _ in listed], [parameter for _, parameter in listed])

    def _checked(
        self, gradients: Sequence[Any], parameters: Sequence[Parameter]
    ) -> list[Array | None]:
        if len(gradients) != len(parameters):
            raise ArgumentError(
                "apply: each parameter needs its gradient",
                found=f"{len(gradients)} gradients and {len(parameters)} parameters",
                needed="as many gradients as parameters, in the same order",
                at=str(here()),
            )
        if parameters and all(gradient is None for gradient in gradients):
            raise GradientError(
                f"apply: there is no gradient for {parameters[0].name or 'the parameter'}",
                found=f"None for {'each of ' * (len(parameters) > 1)}the "
                f"{count_text(len(parameters), 'parameter')}",
                needed="the derivative of a loss by at least one of them",
                try_="call loss.backward() first, and then take w.grad",
                at=str(here()),
            )
        shapes = tuple(parameter.shape for parameter in parameters)
        if self.state and self._applied_to not in {(), shapes}:
            raise ArgumentError(
                "apply: this optimizer keeps the state of other parameters",
                found=", ".join(map(str, shapes)) or "no parameters",
                needed=", ".join(map(str, self._applied_to)) or "no parameters",
                try_="make one optimizer for each set of parameters",
                at=str(here()),
            )
        arrays: list[Array | None] = []
        for gradient, parameter in zip(gradients, parameters, strict=True):
            array = None if gradient is None else np.array(gradient, parameter.dtype)
            if array is not None and array.shape != parameter.shape:
                raise ShapeError(
                    f'apply: the gradient of parameter "{parameter.name}" has another shape',
                    found=f"{array.shape}",
                    needed=f"{parameter.shape}",
                    at=str(here()),
                )
            arrays.append(array)
        self._applied_to = shapes
        return arrays


def path_of(parameter: Parameter) -> str:
    """What patterns for parameters are matched with: the path in the model, or else the name."""
    path = getattr(parameter, "path", None)
    return path if isinstance(path, str) else parameter.name


def _numbers(value: Value) -> Array:
    assert isinstance(value, Tensor)
    return value.numpy()
