"""The command ``clearprop``: its options, their help, and which part of the room does the work.

The work is imported when a command runs, so that ``clearprop --help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from clearprop import __version__
from clearprop.cli.answers import FAILED, INTERRUPTED, AnsweringCommand

app = typer.Typer(
    name="clearprop",
    help="Neural networks you can see through: train one on your data, look into it, use it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="[bold]Start with[/bold]  clearprop train digits",
)

ModelPath = Annotated[str, typer.Argument(metavar="MODEL", help="A file that train has saved.")]
GivenSource = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Data as the model was trained on.")
]
OptionalSource = Annotated[
    str | None,
    typer.Argument(
        metavar="[SOURCE]",
        help="Data as the model was trained on; unless given, the data it was trained on.",
    ),
]
TrainSource = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A shipped data set (digits, iris, circle, xor, gaussians, spiral, plane), a "
        "table (CSV, Parquet), or a folder with one sub-folder of images per class.",
    ),
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column of a table to predict.")
]
ModelSpec = Annotated[
    str,
    typer.Option(
        metavar="SPEC",
        help="The network: mlp, mlp:64,32 (hidden units), linear; for images also lenet, "
        "lenet:32,64 (filters), resnet20.",
    ),
]
TaskName = Annotated[
    str,
    typer.Option(
        metavar="TASK",
        help="classification or regression; auto decides by the values of the target.",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, help="At most so often through the data.", show_default="by size"),
]
BatchSize = Annotated[int, typer.Option(min=1, help="Samples in one step.")]
LearningRate = Annotated[float, typer.Option(help="Of the optimizer, Adam.")]
Seed = Annotated[
    int, typer.Option(min=0, help="Of the split, the weights and the order of the rows.")
]
SplitSeed = Annotated[
    int | None,
    typer.Option(
        min=0, help="Of the split alone: the same rows with any seed.", show_default="the seed"
    ),
]
TestFraction = Annotated[float, typer.Option(help="The share of the rows that only tests.")]
ImageSize = Annotated[
    str | None,
    typer.Option(metavar="HxW", help="Resize the images of a folder, such as 32x32."),
]
Augment = Annotated[bool, typer.Option(help="Train on images that are also moved a little.")]
SavedAs = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Where to save.", show_default="SOURCE.safetensors"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell the result only.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where in the code an error arose.")]


def _examples(*commands: str) -> str:
    """The end of a command's help: an empty line between two lines keeps them apart."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  {command}" for command in commands)])


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"clearprop {__version__}")
        raise typer.Exit


@app.callback()
def _clearprop(
    version: Annotated[
        bool,
        typer.Option("--version", help="Tell the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    """Nothing of its own: the commands do the work."""


@app.command(
    cls=AnsweringCommand,
    epilog=_examples(
        "clearprop train digits",
        "clearprop train houses.csv --target price",
        "clearprop train iris --model mlp:16,16 --epochs 100",
        "clearprop train digits --model lenet",
        "clearprop train photos/ --image-size 32x32 --out pets.safetensors",
    ),
)
def train(
    source: TrainSource,
    target: Target = None,
    model: ModelSpec = "mlp",
    task: TaskName = "auto",
    epochs: Epochs = None,
    batch_size: BatchSize = 32,
    learning_rate: LearningRate = 0.002,
    seed: Seed = 0,
    split_seed: SplitSeed = None,
    test_fraction: TestFraction = 0.2,
    image_size: ImageSize = None,
    augment: Augment = True,
    out: SavedAs = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a network on data, test it on rows it has not seen, and save it.

    A part of the rows (by default a fifth) is held out for the test, another one tells when to
    stop. Columns are scaled and categories encoded by rules that are fitted on the training rows
    only and saved with the network, so that one file is all that predictions need.
    """
    from clearprop.cli import training
    from clearprop.cli.options import TrainOptions

    options = TrainOptions(
        source=source,
        target=target,
        spec=model,
        task=task,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        split_seed=seed if split_seed is None else split_seed,
        test_fraction=test_fraction,
        image_size=image_size,
        augment=augment,
        out=out,
        quiet=quiet,
    )
    if not training.train(options):
        raise typer.Exit(INTERRUPTED)


@app.command(
    cls=AnsweringCommand,
    epilog=_examples(
        "clearprop predict houses.safetensors new.csv",
        "clearprop predict houses.safetensors new.csv --out predictions.csv",
        "clearprop predict pets.safetensors photo.jpg",
    ),
)
def predict(
    model: ModelPath,
    source: GivenSource,
    out: Annotated[
        str | None, typer.Option(metavar="FILE.csv", help="Write CSV into this file.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Predict the target of each row, or the class of each image.

    Columns are matched by name; the target may be absent. A table on a terminal, CSV in a pipe.
    """
    from clearprop.cli import predicting

    predicting.predict(model, source, out)


@app.command(
    cls=AnsweringCommand, epilog=_examples("clearprop evaluate houses.safetensors sold.csv")
)
def evaluate(model: ModelPath, source: GivenSource, debug: Debug = False) -> None:
    """Compare the predictions of a model with the truth.

    On the data that it was trained on, only the rows that were held out are judged.
    """
    from clearprop.cli import predicting

    predicting.evaluate(model, source)


@app.command(cls=AnsweringCommand, epilog=_examples("clearprop summary digits.safetensors"))
def summary(model: ModelPath, debug: Debug = False) -> None:
    """Tell what is in a model: its layers, what it was trained on, how good it was."""
    from clearprop.cli import looking

    looking.summary(model)


@app.command(
    cls=AnsweringCommand,
    epilog=_examples(
        "clearprop show digits.safetensors",
        "clearprop show houses.safetensors new.csv --sample 3",
    ),
)
def show(
    model: ModelPath,
    source: OptionalSource = None,
    sample: Annotated[int, typer.Option(help="Which sample, counted from 1.")] = 1,
    debug: Debug = False,
) -> None:
    """Draw one sample on its way through the layers of a model."""
    from clearprop.cli import looking

    looking.show(model, source, sample)


@app.command(cls=AnsweringCommand, epilog=_examples("clearprop explain digits.safetensors"))
def explain(
    model: ModelPath,
    batch: Annotated[int, typer.Option(help="How many samples at once.")] = 32,
    llvm: Annotated[bool, typer.Option("--llvm", help="Tell the code in LLVM IR too.")] = False,
    debug: Debug = False,
) -> None:
    """Tell what the compiler makes of a model: groups, kernels, memory."""
    from clearprop.cli import explaining

    explaining.explain(model, batch=batch, llvm=llvm)


@app.command(cls=AnsweringCommand, epilog=_examples("clearprop check digits.safetensors"))
def check(model: ModelPath, source: OptionalSource = None, debug: Debug = False) -> None:
    """Check the gradients of a model: derived ones against measured ones, in float64."""
    from clearprop.cli import looking

    if not looking.check(model, source):
        raise typer.Exit(FAILED)


@app.command(
    cls=AnsweringCommand,
    epilog=_examples(
        "clearprop bench",
        "clearprop bench lenet --threads 2",
        "clearprop bench digits.safetensors",
    ),
)
def bench(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WORKLOAD|MODEL]",
            help="playground, tabular, mnist, wide, lenet, resnet20, lstm, transformer, or a file "
            "that train has saved; unless given, all workloads in short.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="How many work.", show_default="as many as there are cores"),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Samples in one step.", show_default="the workload's")
    ] = None,
    kernels: Annotated[int, typer.Option(min=1, help="How many of them are shown.")] = 12,
    debug: Debug = False,
) -> None:
    """Measure how fast a network trains here, and what holds it back.

    The speed stands beside the fastest multiply-adds of this machine, and the time of one step
    is told kernel by kernel: bound by arithmetic, by memory, or by neither.
    """
    from clearprop.cli import benching

    benching.bench(what, threads, batch_size, kernels)


def main() -> None:
    """The console script: run the command that stands in ``sys.argv``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a "─" that cannot be written becomes a "?"
    app(prog_name="clearprop")
