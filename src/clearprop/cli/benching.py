"""``clearprop bench``: how fast a training is here, and what holds it back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.cli.notes import input_shape
from clearprop.cli.screen import FAINT, console, heading, is_terminal, say
from clearprop.errors import ArgumentError, ModelFileError
from clearprop.executors.choose import choose_executor
from clearprop.glass.roofline import (
    Roofline,
    Tell,
    TrainingSpeed,
    ceilings_text,
    scaled_text,
    training_flops,
    training_roofline,
    training_speed,
)
from clearprop.models.standard import workload_model
from clearprop.models.workloads import WORKLOADS, make_data
from clearprop.text import bytes_text, count_text, did_you_mean, table
from clearprop.train import Model, load_model

Array = np.ndarray[Any, Any]

_FILE_SAMPLES, _FILE_BATCH = 1024, 32


@dataclass(frozen=True, eq=False)
class Job:
    """What is trained.

    Attributes:
        name: as it stands on the command line.
        model: compiled.
        x: samples.
        y: their targets.
        batch: samples of a step.
    """

    name: str
    model: Model
    x: Array
    y: Array
    batch: int


def bench(what: str | None, threads: int | None, batch_size: int | None, kernels: int) -> None:
    """Measure one training kernel by kernel, or all workloads in short.

    Args:
        what: a workload, the file of a model, or None for all workloads.
        threads: how many; None for as many as there are.
        batch_size: samples of a step; None for the workload's.
        kernels: how many are shown.

    Raises:
        ClearPropError: there is no such workload or file, or it cannot be trained here.
    """
    choose_executor("native")  # refused here if it cannot run
    from clearprop.executors.native.team import thread_count

    count = thread_count(threads)
    if what is None:
        _bench_all(count, batch_size)
        return
    with _progress() as tell:
        tell("preparing")
        job = _job(what, count, batch_size)
        tell("training for a second")
        speed = training_speed(job.model, job.x, job.y, job.batch)
        flops = training_flops(job.model, job.x, job.y, job.batch)
        peak = _peak(count)
        roofline = training_roofline(job.model, job.x, job.y, job.batch, tell)
    _say_speed(job, speed, flops, peak, count)
    _say_roofline(roofline, kernels)


def _bench_all(threads: int, batch_size: int | None) -> None:
    rows = []
    with _progress() as tell:
        for name in WORKLOADS:
            tell(f"training {name}")
            job = _job(name, threads, batch_size)
            before = _peak(threads)
            speed = training_speed(job.model, job.x, job.y, job.batch)
            peak = (before + _peak(threads)) / 2
            flops = training_flops(job.model, job.x, job.y, job.batch)
            rate = speed.samples_per_second * flops
            rows.append([
                name,
                str(job.batch),
                f"{speed.samples_per_second:,.0f}",
                f"{speed.first_seconds:.2f}",
                f"{rate / 1e9:.1f}",
                f"{peak / 1e9:.0f}",
                f"{rate / peak:.0%}",
            ])
    header = ("workload", "batch", "samples/s", "first epoch, s", "GFLOP/s", "peak", "share")
    say(table(rows, header=header, right="lrrrrrr"))
    say("", f"training on {count_text(threads, 'thread')}; peak: multiply-adds in registers")
    say("clearprop bench WORKLOAD shows the kernels of one of them", style=FAINT)


def _peak(threads: int) -> float:
    from clearprop.executors.native.peak import measure_peak

    return measure_peak(threads)


def _say_speed(job: Job, speed: TrainingSpeed, flops: float, peak: float, threads: int) -> None:
    rate = speed.samples_per_second * flops
    heading(f"{job.name}: training on {count_text(threads, 'thread')}, batches of {job.batch}")
    say(
        table([
            ["samples in a second", f"{speed.samples_per_second:,.0f}"],
            ["first epoch", f"{speed.first_seconds:.2f} s for {speed.epoch_samples:,} samples, "
                            "compiling (or reading what was compiled before) included"],
            ["contractions", f"{scaled_text(flops)} operations for each sample"],
            ["reached", f"{rate / 1e9:,.1f} GFLOP/s, {rate / peak:.1%} of the "
                        f"{peak / 1e9:,.0f} that multiply-adds in registers reach"],
        ])
    )  # fmt: skip


def _say_roofline(roofline: Roofline, kernels: int) -> None:
    heading("one step on one thread, kernel by kernel")
    say(roofline.text(kernels), "")
    shares = roofline.shares()
    say(
        f"{1e6 * roofline.step_seconds:,.0f} us; bound by arithmetic {shares['arithmetic']:.0%}, "
        f"by memory {shares['memory']:.0%}, far from both {shares['neither']:.0%}",
        f"ready to run after {roofline.compile_seconds:.2f} s; works on "
        f"{bytes_text(roofline.arena_bytes)} besides weights and samples",
        ceilings_text(roofline.ceilings),
    )
    say(
        "ceiling: the time that the operations, or reading the memory, would take at the rates "
        "above, by the time taken; neither: less than a quarter of it",
        style=FAINT,
    )


@contextmanager
def _progress() -> Generator[Tell]:
    """What is going on: one moving line on a terminal, lines on the standard error elsewhere."""
    screen = console(stderr=True)
    if not is_terminal():
        yield lambda text: screen.print(f"{text} ...")
        return
    with screen.status("") as status:
        yield lambda text: status.update(f"{text} ...")


def _job(what: str, threads: int, batch_size: int | None) -> Job:
    if what in WORKLOADS:
        workload = WORKLOADS[what]
        x, y = make_data(workload)
        model = workload_model(workload, executor="native", threads=threads)
        return Job(what, model, x, y, min(batch_size or workload.batch, len(x)))
    if not Path(what).is_file():
        raise ArgumentError(
            f'Choosing what to measure: there is no "{what}"',
            found=f'"{what}"' + did_you_mean(what, WORKLOADS),
            needed=f"one of {', '.join(WORKLOADS)}; or the file of a model",
        )
    return _job_of_file(what, threads, batch_size)


def _job_of_file(path: str, threads: int, batch_size: int | None) -> Job:
    """The model of a file and samples at random that fit it."""
    model: Model = load_model(path)
    shape = input_shape(model)
    arguments = model.arguments
    if not shape or len(model.output_names) != 1 or arguments is None or arguments.loss is None:
        raise ModelFileError(
            f"Preparing {Path(path).name}: it is not known what to train it on",
            found="a model with several inputs or outputs, of unknown shape, or without a loss",
            needed="one input of known shape, one output, and a loss",
        )
    rng = np.random.default_rng(0)
    x = rng.standard_normal((_FILE_SAMPLES, *shape)).astype(np.float32)
    arguments.executor, arguments.threads = "native", threads
    outputs = model.predict(x[:1])
    labels = rng.integers(0, max(2, outputs.shape[-1]), (len(x), *outputs.shape[1:-1]))
    y: Array
    kind = arguments.loss.label_kind
    if kind == "index":
        y = labels
    elif kind in {"one_hot", "distribution"}:
        y = np.eye(outputs.shape[-1], dtype=np.float32)[labels]
    elif kind == "binary":
        y = rng.integers(0, 2, (len(x), *outputs.shape[1:])).astype(np.float32)
    else:
        y = rng.random((len(x), *outputs.shape[1:])).astype(np.float32)
    return Job(Path(path).name, model, x, y, min(batch_size or _FILE_BATCH, len(x)))
