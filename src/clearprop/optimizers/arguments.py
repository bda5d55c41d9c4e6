"""The arguments that all optimizers take: what they may be, and what a step makes of them."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Self, TypedDict, Unpack

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.optimizers.optimizer import Optimizer, path_of
from clearprop.optimizers.schedules import LearningRateSchedule
from clearprop.registry import Configurable
from clearprop.tensor.parameter import Parameter
from clearprop.text import did_you_mean

LearningRate = float | LearningRateSchedule


class CommonButDecay(TypedDict, total=False):
    """As ``Common``, for optimizers with a default of their own for ``weight_decay``."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


class Common(CommonButDecay, total=False):
    """The arguments that all optimizers take besides their own; see ``RuleOptimizer``."""

    weight_decay: float | None


_DEFAULTS = Common(
    weight_decay=None,
    clipnorm=None,
    clipvalue=None,
    global_clipnorm=None,
    use_ema=False,
    ema_momentum=0.99,
    ema_overwrite_frequency=None,
    loss_scale_factor=None,
    gradient_accumulation_steps=None,
    name=None,
)
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_OLD_NAMES = {"lr": "learning_rate", "decay": "weight_decay"}


class CommonArguments(Optimizer):
    """An optimizer with the arguments that are explained in ``RuleOptimizer``.

    Attributes:
        carried: its own arguments that every step takes as data.
    """

    carried: ClassVar[tuple[str, ...]] = ()

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None

    def __init__(self, learning_rate: LearningRate = 0.001, **common: Unpack[Common]) -> None:
        super().__init__()
        self._refuse_unknown(common)
        self.learning_rate = learning_rate
        vars(self).update({**_DEFAULTS, **common})
        self._given_name = common.get("name")
        self.name = self._given_name or type(self).__name__.lower()
        self._excluded: list[Parameter] = []
        self._excluded_names: tuple[str, ...] = ()
        self._check_arguments()

    @property
    def learning_rate(self) -> LearningRate:
        """A number or a schedule; a number may be assigned at any time."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: LearningRate) -> None:
        if not isinstance(value, LearningRateSchedule):
            name = type(self).__name__
            try:
                value = math.nan if isinstance(value, bool) else float(value)
            except (TypeError, ValueError):
                raise self._bad_rate(name, value) from None
            if not (math.isfinite(value) and value >= 0):
                raise self._bad_rate(name, value)
        self._learning_rate: LearningRate = value

    @staticmethod
    def _bad_rate(name: str, value: object) -> ArgumentError:
        return ArgumentError(
            f"{name}: this is no learning rate",
            found=f"learning_rate={value!r}",
            needed="a number of 0 or more, such as 0.01, or a schedule",
            try_="cp.optimizers.schedules.CosineDecay(0.01, decay_steps=1000)",
            at=str(here()),
        )

    def _refuse_unknown(self, common: Common) -> None:
        for argument in common:
            if argument not in _DEFAULTS:
                known = ["learning_rate", *self._own_arguments(), *_DEFAULTS]
                better = _OLD_NAMES.get(argument)
                hint = f' did you mean "{better}"?' if better else did_you_mean(argument, known)
                raise ArgumentError(
                    f"{type(self).__name__}: there is no argument {argument!r}",
                    found=f"{argument}=..." + hint,
                    needed=", ".join(dict.fromkeys(known)),
                    at=str(here()),
                )

    def _own_arguments(self) -> list[str]:
        parameters = list(inspect.signature(type(self).__init__).parameters.values())[1:]
        named = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
        return [name for name in named if name not in {"learning_rate", *_DEFAULTS}]

    def _check_arguments(self) -> None:
        clips = {name: getattr(self, name) for name in _CLIPS if getattr(self, name) is not None}
        if len(clips) > 1:
            raise self._refusal(
                "only one way of clipping can be chosen", clips, "one of " + ", ".join(_CLIPS)
            )
        steps = self.gradient_accumulation_steps
        if steps is not None and (not isinstance(steps, int) or steps < 2):
            raise self._refusal(
                "gradients are gathered over two steps or more",
                {"gradient_accumulation_steps": steps},
                "2 or more",
            )
        share = self.ema_momentum
        if not 0 <= share <= 1:
            raise self._refusal(
                "the share of the old average is from 0 to 1", {"ema_momentum": share}, "0 to 1"
            )
        every = self.ema_overwrite_frequency
        if every is not None and (not isinstance(every, int) or every < 1):
            raise self._refusal(
                "weights become their average every so many steps",
                {"ema_overwrite_frequency": every},
                "1 or more",
            )

    def _refusal(self, doing: str, found: Mapping[str, object], needed: str) -> ArgumentError:
        return ArgumentError(
            f"{type(self).__name__}: {doing}",
            found=", ".join(f"{name}={value!r}" for name, value in found.items()),
            needed=needed,
            at=str(here()),
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        common = {name: getattr(self, name) for name in _DEFAULTS} | {"name": self._given_name}
        own = super().get_config()
        config = {**own, **{name: value for name, value in common.items() if name not in own}}
        names = {"excluded_names": list(self._excluded_names)} if self._excluded_names else {}
        return config | names

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A new optimizer of these constructor arguments."""
        arguments = {name: value for name, value in config.items() if name != "excluded_names"}
        optimizer = cls(**arguments)
        optimizer.exclude_from_weight_decay(var_names=config.get("excluded_names"))
        return optimizer

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Parameter] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Choose weights that do not decay, such as biases; replaces an earlier choice.

        Args:
            var_list: the weights themselves (not saved with a model).
            var_names: patterns; a weight whose path or name holds one of them does not decay.
        """
        self._excluded = list(var_list or [])
        self._excluded_names = tuple(var_names or ())

    def is_excluded(self, parameter: Parameter) -> bool:
        """Whether the weight was chosen not to decay."""
        path = path_of(parameter)
        return any(parameter is one for one in self._excluded) or any(
            re.search(pattern, path) for pattern in self._excluded_names
        )

    # -- what a step takes as data, and what its formulas depend on -----------------------

    def hyperparameters(self) -> dict[str, float]:
        """The numbers that every step takes as data."""
        return {name: float(getattr(self, name)) for name in self._carried_names()}

    def _carried_names(self) -> list[str]:
        names = ["learning_rate", "weight_decay", *_CLIPS, *self.carried]
        return [name for name in names if self._is_on(name)]

    def _is_on(self, name: str) -> bool:
        value = getattr(self, name)
        if value is None or isinstance(value, LearningRateSchedule):
            return False
        return name not in _CLIPS or value > 0

    def structure(self) -> Hashable:
        """What the formulas of a step depend on besides data."""
        carried = self._carried_names()
        config = {
            name: value
            for name, value in self.get_config().items()
            if name not in {*carried, "name"}
        }
        excluded = tuple(map(id, self._excluded))
        return (type(self), tuple(carried), _hashable(config), excluded)


def _hashable(value: Any) -> Hashable:
    if isinstance(value, Configurable):
        return (type(value), _hashable(value.get_config()))
    if isinstance(value, dict):
        return tuple((name, _hashable(part)) for name, part in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(map(_hashable, value))
    return value if isinstance(value, Hashable) else repr(value)
