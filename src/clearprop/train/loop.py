"""The loop of ``fit``: epochs of chunks of steps, with callbacks where something must act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from clearprop.errors import ArgumentError, NumericsError
from clearprop.ir.place import here
from clearprop.ir.value import Array
from clearprop.layers.weight import Weight
from clearprop.ops.random import words
from clearprop.train.callback import CallbackList
from clearprop.train.chunks import CHUNK_SECONDS, ChunkRunner
from clearprop.train.epochs import EpochsRunner
from clearprop.train.history import History
from clearprop.train.nonfinite import good_steps, is_finite
from clearprop.train.orders import RowOrders
from clearprop.train.paths import types_of
from clearprop.train.preparing import runner_for
from clearprop.train.samples import Samples
from clearprop.train.setup import Setup
from clearprop.train.state import add_reports
from clearprop.train.step import training_step

if TYPE_CHECKING:
    from clearprop.train.model import Model


class Fit:
    """One call of ``fit``: what it needs at hand, and its loop."""

    def __init__(
        self,
        model: Model,
        samples: Samples,
        setup: Setup,
        *,
        batch_size: int,
        shuffle: bool,
        callbacks: CallbackList,
    ) -> None:
        self.model, self.samples, self.setup = model, samples, setup
        self.batch_size, self.shuffle = min(batch_size, samples.count), shuffle
        self.callbacks = callbacks
        self.state = model.training_state
        self._key = words(setup.arguments.seed)
        self._orders = RowOrders(
            setup.executor, setup.arguments.seed, samples.count, shuffle=shuffle
        )
        self._learning: set[int] = set()  # ids of the weights that the optimizer has slots for
        # What is known of the model, until a callback may have changed it.
        self._runners: dict[int, ChunkRunner] = {}
        self._carried: list[Weight] | None = None

    def run(
        self,
        epochs: Sequence[int],
        judge: Callable[[int], dict[str, float]] | None,
    ) -> History:
        """Train for these epochs.

        Args:
            epochs: their numbers, as the user counts them.
            judge: validation after each epoch, or None.
        """
        history = History()
        model = self.model
        model.stop_training = False
        self._prepare_optimizer()
        self.callbacks.on_train_begin()
        logs: dict[str, float] = {}
        records = (history, model.history)
        done = 0
        while done < len(epochs) and not model.stop_training:
            epoch = epochs[done]
            ahead = self._run_short_epochs(len(epochs) - done) if judge is None else []
            if ahead:
                numbers = epochs[done : done + len(ahead)]
                for record in records:
                    record.extend(numbers, ahead)
                self.callbacks.on_epochs_passed(numbers, ahead)
                done, logs = done + len(ahead), ahead[-1]
                continue
            self.callbacks.on_epoch_begin(epoch)
            if self.callbacks.acts_on_epochs:
                self._look_again()
            logs = self._run_epoch()
            if judge is not None:
                logs |= judge(epoch)
            for record in records:
                record.add(epoch, logs)
            named = set(logs)
            self.callbacks.on_epoch_end(epoch, logs)
            added = {name: value for name, value in logs.items() if name not in named}
            for record in records:
                record.add_late(added)
            done += 1
        self._finish_weights()
        self.callbacks.on_train_end(logs)
        return history

    def _run_short_epochs(self, remaining: int) -> list[dict[str, float]]:
        """The numbers of several whole epochs run in one call; none where that would not pay.

        It pays where an epoch takes much less time than a chunk and nothing acts at its end.  If
        a loss comes out that is no number, nothing has happened: the epochs are left to be run
        one by one, which finds the step.
        """
        state, full = self.state, self._runner(self.batch_size)
        steps, rest = divmod(self.samples.count, self.batch_size)
        if self.callbacks.acts_on_epochs or state.step_in_epoch or not full.seconds_per_step:
            return []
        seconds = full.seconds_per_step * (steps + bool(rest))
        if seconds > CHUNK_SECONDS / 4 or remaining < 4:
            return []
        runner = self._epochs_runner(full, steps, rest, seconds)
        epochs = range(state.epochs, state.epochs + runner.next_count(remaining))
        weights = self._weights()
        before = self._kept(weights)
        seed = self.setup.arguments.seed
        kept, told = runner.run(before, seed, epochs, self._given())
        sums = [np.array([report.sums for report in told])]
        if not is_finite(sums, before[: len(weights)], kept[: len(weights)]):
            return []
        self._take_over(weights, kept)
        state.epochs += len(epochs)
        state.steps += len(epochs) * (steps + bool(rest))
        names, reports = list(self.setup.first_metric_state()), full.step.reports
        return [
            self.setup.results(
                dict(zip(reports, report.sums, strict=True)),
                self.samples.count,
                dict(zip(names, report.metrics, strict=True)),
            )
            for report in told
        ]

    def _epochs_runner(
        self, full: ChunkRunner, steps: int, rest: int, seconds: float
    ) -> EpochsRunner:
        key = steps, rest, self.shuffle
        if key not in full.epochs:
            full.epochs[key] = EpochsRunner(
                full.step,
                self._runner(rest).step if rest else None,
                steps,
                self.setup.first_metric_state(),
                shuffle=self.shuffle,
                executor=self.setup.executor,
                threads=self.setup.arguments.threads,
                seconds_per_epoch=seconds,
            )
        return full.epochs[key]

    def _run_epoch(self) -> dict[str, float]:
        """The rest of the present epoch; a new one has all of it to do.

        Returns:
            The numbers of the epoch, as far as it came before a callback stopped the training.
        """
        state, batch = self.state, self.batch_size
        self._continue_or_restart()
        order = self._orders.of(state.epochs)
        full, rest = divmod(self.samples.count, batch)
        total = full + bool(rest)
        while state.step_in_epoch < total:
            first = state.step_in_epoch
            size = batch if first < full else rest
            if self.callbacks.acts_on_batches:
                self._look_again()
            runner = self._runner(size)
            remaining = full - first if first < full else 1
            length = 1 if self.callbacks.acts_on_batches else runner.next_length(remaining)
            rows = order[first * batch : first * batch + length * size].reshape(length, size)
            self.callbacks.on_train_batch_begin(first)
            self._run_chunk(runner, rows)
            if self.callbacks.acts_on_batches:
                self.callbacks.on_train_batch_end(first, self.logs())
            self.callbacks.on_chunk_end(state.step_in_epoch, total, self.logs)
            if self.model.stop_training and state.step_in_epoch < total:
                return self.logs()
        logs = self.logs()
        state.finish_epoch()
        return logs

    def _run_chunk(self, runner: ChunkRunner, rows: Array) -> None:
        """Run the steps of ``rows`` and take over what they leave behind."""
        weights = self._weights()
        carry, given = [*self._kept(weights), *self.state.metrics.values()], self._given()
        count = len(weights)
        carry_after, reports = runner.run(carry, rows, given)
        error: NumericsError | None = None
        if not is_finite(reports[:1], carry[:count], carry_after[:count]):
            good = good_steps(self.model.name, runner, carry, rows, given, count)
            carry_after, reports, error = good
            rows = rows[: len(reports[0]) if reports else 0]
        self._take_over(weights, carry_after)
        state = self.state
        state.step_in_epoch += len(rows)
        state.steps += len(rows)
        if len(rows):
            add_reports(state.sums, runner.step.reports, reports, rows.shape[1])
        if error is not None:
            if not self.callbacks.ends_quietly_on_nonfinite():
                raise error
            self.model.stop_training = True

    def logs(self) -> dict[str, float]:
        """Means over the samples of the present epoch so far, and its metrics."""
        seen = min(self.state.step_in_epoch * self.batch_size, self.samples.count)
        return self.setup.results(self.state.sums, seen, self.state.metrics)

    # -- what a chunk starts from and leaves behind ------------------------------

    def _weights(self) -> list[Weight]:
        """The weights in the order in which a step carries them: those that learn first."""
        if self._carried is None:
            trained = self.model.trainable_weights
            learn = set(map(id, trained))
            others = [weight for weight in self.model.variables if id(weight) not in learn]
            self._carried = [*trained, *others]
        return self._carried

    def _kept(self, weights: Sequence[Weight]) -> list[Array]:
        """What is carried from epoch to epoch: all but the metrics."""
        return [
            *(weight.array for weight in weights),
            *self.setup.optimizer.state.values(),
            words(self.state.steps),
        ]

    def _given(self) -> list[Array]:
        return [self._key, *self.setup.hyperparameters().values(), *self.samples.arrays]

    def _take_over(self, weights: Sequence[Weight], carry: Sequence[Array]) -> None:
        arrays = iter(carry)
        for weight in weights:
            weight.hold(next(arrays))
        slots = self.setup.optimizer.state
        for name in slots:
            slots[name] = next(arrays)
        next(arrays)  # the counter: the state counts steps itself
        for name in self.state.metrics:
            self.state.metrics[name] = next(arrays)

    def _runner(self, size: int) -> ChunkRunner:
        if size not in self._runners:
            if set(map(id, self.model.trainable_weights)) != self._learning:
                self._prepare_optimizer()  # a callback froze layers, or let them learn
            self._runners[size] = runner_for(
                self.model,
                "train",
                self.samples,
                size,
                lambda: training_step(self.model, self.setup, self.samples, size),
            )
        return self._runners[size]

    def _look_again(self) -> None:
        """Forget what was known of the model: somebody may have changed it."""
        self._runners, self._carried = {}, None

    def _prepare_optimizer(self) -> None:
        """Slots for the weights that learn; kept from an earlier ``fit`` if they are the same."""
        _check_own_optimizer(self.model)
        trained = self.model.trainable_weights
        self._learning = set(map(id, trained))
        fresh = self.setup.optimizer.initial_state(trained)
        kept = self.setup.optimizer.state
        paths = tuple(weight.path for weight in trained)
        is_same = self.model.slots_of in {None, paths}  # None: just compiled or loaded
        if not is_same or types_of(fresh) != types_of(kept):
            self.setup.optimizer.state = fresh
        self.model.slots_of = paths

    def _finish_weights(self) -> None:
        """Let the optimizer say what the weights end with: their moving averages, perhaps."""
        trained = self.model.trainable_weights
        before = [weight.array for weight in trained]
        optimizer = self.setup.optimizer
        after = optimizer.final_weights(before, optimizer.state, trained)
        for weight, old, new in zip(trained, before, after, strict=True):
            if new is not old:
                weight.hold(new)

    def _continue_or_restart(self) -> None:
        """Go on in an epoch that was stopped, if it is about these samples; else begin one."""
        state = self.state
        fresh = self.setup.first_metric_state()
        same = state.step_in_epoch and state.data == self._data_text
        if not same or types_of(fresh) != types_of(state.metrics):
            state.step_in_epoch, state.sums = 0, {}
            state.metrics = fresh
            state.data = ""
        if self.callbacks.acts_on_batches:
            self.state.data = self._data_text  # one of them may save the model within the epoch

    def remember_data(self) -> None:
        """Note which samples an unfinished epoch is about."""
        if self.state.step_in_epoch:
            self.state.data = self._data_text

    @cached_property
    def _data_text(self) -> str:
        return f"{self.batch_size} {self.shuffle} {self.samples.digest()}"


def _check_own_optimizer(model: Model) -> None:
    """Refuse an optimizer that another model took over: its state is about other weights."""
    owner = None if model.optimizer.trains is None else model.optimizer.trains()
    if owner is not None and owner is not model:
        raise ArgumentError(
            f'fit: the optimizer of "{model.name}" was compiled into another model since',
            found=f"one {type(model.optimizer).__name__} in two models",
            needed="an optimizer of its own for each model",
            try_="compile it again with a new optimizer, or with a name such as 'adam'",
            at=str(here()),
        )
