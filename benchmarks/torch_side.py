"""PyTorch: eager with fused optimizers and channels last, and the same compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.workloads import Array, Workload, sinusoids

if TYPE_CHECKING:
    from torch import nn

MODES = ("eager", "compile")


def prepare(mode: str, threads: int) -> None:
    """Import the framework and say how many threads it has."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)


def version() -> str:
    """The framework's version."""
    import torch

    return f"PyTorch {torch.__version__}"


def trainer(workload: Workload, mode: str, x: Array, y: Array) -> Callable[[int], None]:
    """A function that trains so many epochs."""
    import torch

    net = make_net(workload)
    images = workload.kind in {"lenet", "resnet20"}
    if images:
        net = net.to(memory_format=torch.channels_last)
    optimizer = _optimizer(workload, net)
    loss = torch.nn.functional.cross_entropy
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
    forward: Any = torch.compile(net, dynamic=False) if mode == "compile" else net

    def epochs(count: int) -> None:
        net.train()
        for _ in range(count):
            order = torch.randperm(len(inputs))
            for rows in order.split(workload.batch):
                batch = inputs.index_select(0, rows)
                if images:
                    batch = batch.permute(0, 3, 1, 2)  # the memory stays as it is: channels last
                optimizer.zero_grad(set_to_none=True)
                value = loss(forward(batch), labels.index_select(0, rows))
                value.backward()
                optimizer.step()

    return epochs


def _optimizer(workload: Workload, net: nn.Module) -> Any:
    import torch

    weights = [weight for weight in net.parameters() if weight.requires_grad]
    if workload.optimizer == "adam":
        return torch.optim.Adam(weights, lr=workload.learning_rate, eps=1e-7, fused=True)
    momentum = 0.9 if workload.optimizer == "momentum" else 0.0
    return torch.optim.SGD(weights, lr=workload.learning_rate, momentum=momentum, fused=True)


def make_net(workload: Workload) -> nn.Module:
    """The workload's net; images come as (batch, channels, height, width)."""
    makers = {
        "mlp": _mlp, "lenet": _lenet, "resnet20": _resnet20, "lstm": _lstm,
        "transformer": _transformer,
    }  # fmt: skip
    return makers[workload.kind](workload)


def _mlp(workload: Workload) -> nn.Module:
    from torch import nn

    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[workload.options["activation"]]
    layers: list[nn.Module] = []
    before = workload.input_shape[0]
    for units in workload.options["units"]:
        layers += [nn.Linear(before, units), activation()]
        before = units
    return nn.Sequential(*layers, nn.Linear(before, workload.classes))


def _lenet(workload: Workload) -> nn.Module:
    from torch import nn

    height, width, channels = workload.input_shape
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * (height // 4) * (width // 4), 128), nn.ReLU(),
        nn.Linear(128, workload.classes),
    )  # fmt: skip


def _resnet20(workload: Workload) -> nn.Module:
    from torch import nn

    def convolved(before: int, filters: int, size: int, stride: int = 1) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(before, filters, size, stride, padding=size // 2, bias=False),
            nn.BatchNorm2d(filters, eps=1e-3, momentum=0.1),
        )

    class Block(nn.Module):
        def __init__(self, before: int, filters: int, stride: int) -> None:
            super().__init__()
            self.first = convolved(before, filters, 3, stride)
            self.second = convolved(filters, filters, 3)
            same = stride == 1
            self.shortcut = nn.Identity() if same else convolved(before, filters, 1, stride)

        def forward(self, x: Any) -> Any:
            change = self.second(self.first(x).relu())
            return (self.shortcut(x) + change).relu()

    layers: list[nn.Module] = [convolved(workload.input_shape[-1], 16, 3), nn.ReLU()]
    before = 16
    for filters in (16, 32, 64):
        for number in range(3):
            halves = number == 0 and filters > 16
            layers.append(Block(before, filters, 2 if halves else 1))
            before = filters
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, workload.classes)
    )


def _lstm(workload: Workload) -> nn.Module:
    from torch import nn

    units = workload.options["units"]

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(workload.input_shape[-1], units, batch_first=True)
            self.lstm.bias_hh_l0.data.zero_()  # the second bias says what the first one says
            self.lstm.bias_hh_l0.requires_grad_(False)
            self.last = nn.Linear(units, workload.classes)

        def forward(self, x: Any) -> Any:
            _, (state, _) = self.lstm(x)
            return self.last(state[0])

    return Net()


def _transformer(workload: Workload) -> nn.Module:
    import torch
    from torch import nn

    steps, dim = workload.input_shape
    options = workload.options

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("places", torch.from_numpy(sinusoids(steps, dim)))
            self.layers = nn.ModuleList(
                nn.TransformerEncoderLayer(
                    dim, options["heads"], options["feed_forward"], dropout=0.0, batch_first=True
                )
                for _ in range(options["layers"])
            )
            self.last = nn.Linear(dim, workload.classes)

        def forward(self, x: Any) -> Any:
            x = x + self.places
            for layer in self.layers:
                x = layer(x)
            return self.last(x.mean(dim=1))

    return Net()
