"""The function that runs a plan: calls of kernels, loops over rows, choices, and barriers.

It is called with one address, that of a table of 64-bit words:

    word 0   the arena                    word 4   number of rounds of an outermost loop
    word 1   the flag                     word 5   what threads meet at
    word 2   memory that is kept          word 6   cycles of each kernel, if they are counted
    word 3   how many threads there are   word 7   whether the inputs that last are new ones
    then     the inputs, the outputs, the constants

All threads of a team run the same function.  Each takes its share of a kernel's tasks; where one
kernel reads what another thread may still be writing, they meet at a barrier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from clearprop.executors.native.access import Access
from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.memory import aligned
from clearprop.executors.native.plan import (
    Bundle,
    Choice,
    Plan,
    Preparation,
    Repetition,
    Replicas,
    Step,
)
from clearprop.executors.native.sharing import MOST_KERNELS, Claims, write_barrier

ARENA, FLAG, KEPT, THREADS, ROUNDS, TEAM, CYCLES, NEW = range(8)
HEADER_WORDS = 8
ALONE, TOGETHER, COUNTED = "run_alone", "run_together", "run_counted"


@dataclass(frozen=True)
class Table:
    """Where in the table of words each buffer's address stands.

    Attributes:
        inputs: number of inputs.
        outputs: number of outputs.
    """

    inputs: int
    outputs: int

    def word(self, buffer: Buffer) -> int:
        """The word with the address of an input, output or constant."""
        before = {"input": 0, "output": self.inputs, "constant": self.inputs + self.outputs}
        return HEADER_WORDS + before[buffer.kind] + buffer.number


def write_run(
    module: Module,
    machine: Machine,
    plan: Plan,
    table: Table,
    *,
    together: bool,
    counts: bool = False,
) -> None:
    """Add the function that runs a plan.

    Args:
        module: where to.
        machine: for which.
        plan: what to run.
        table: where addresses stand.
        together: whether it is for several threads.
        counts: whether it counts the cycles that each kernel takes.
    """
    writer = _RunWriter(module, machine, table, plan, together=together, counts=counts)
    writer.write()


class _RunWriter:
    def __init__(
        self,
        module: Module,
        machine: Machine,
        table: Table,
        plan: Plan,
        *,
        together: bool,
        counts: bool,
    ) -> None:
        self.counts, self._counted = counts, 0
        self.module, self.machine, self.layout, self.plan = module, machine, table, plan
        self.together = together
        self.f = Function(module, [("ptr", "table"), ("i64", "thread")], exported=True)
        self.table, self.thread = self.f.parameters
        self.flag = self._word("ptr", FLAG)
        self.is_first = self.f.compare("icmp eq", self.thread, integer(0))
        self.claims: Claims | None = None
        if together:
            self.team, self.threads = self._word("ptr", TEAM), self._word("i64", THREADS)
            self.claims = Claims(self.f, self.team, self.thread, self.threads)
        self._slot_bytes = slot_bytes(plan)
        self._task = integer(0)  # of the bundle that is being written
        self._rounds: dict[Buffer, Operand] = {}  # rows of scans: the round that they stand at
        self._under_way: list[Access] = []  # kernels that others may be at since the last meeting
        self._replicas: Replicas | None = None  # of the loop that is being written
        self._round = integer(0)  # of that loop

    def _word(self, type_: str, number: int) -> Operand:
        return self.f.load(type_, self.f.address(self.table, "i64", number))

    def write(self) -> None:
        """Write the function and add it to the module."""
        flush = self.machine.is_x86
        before = _flush_denormals(self.f) if flush else None
        self._steps(self.plan)
        self._meet()
        if before is not None:
            _set_control(self.f, before)
        self.f.finish()
        name = COUNTED if self.counts else TOGETHER if self.together else ALONE
        self.module.add(self.f, name)

    # -- addresses -----------------------------------------------------------------------

    def address(self, buffer: Buffer) -> Operand:
        """Where a buffer begins."""
        replicas = self._replicas
        if replicas is not None and buffer in replicas.places:
            own = self._own(replicas.places[buffer])
            if buffer not in replicas.reports:
                return own
            return self.f.select(self.is_first, self._shared_address(buffer), own)
        return self._shared_address(buffer)

    def _shared_address(self, buffer: Buffer) -> Operand:
        """Where a buffer begins that all threads see alike, or that is a part of another one."""
        if buffer is self.plan.arena:
            return self._word("ptr", ARENA)
        if buffer.keeps is not None:
            return self.f.address(self._word("ptr", KEPT), "i8", buffer.number)
        if buffer.kind in {"input", "output", "constant"}:
            return self._word("ptr", self.layout.word(buffer))
        if buffer.kind == "slot":
            return self._slot(buffer)
        assert buffer.whole is not None
        start = self.f.address(self.address(buffer.whole), "i8", buffer.number)
        if buffer.kind == "row":
            step = self.f.multiply(self._rounds[buffer], buffer.row_bytes)
            return self.f.address(start, "i8", step)
        if buffer.kind == "turn":
            turn = self.f.binary("and", self._round, integer(1))
            return self.f.address(start, "i8", self.f.multiply(turn, buffer.row_bytes))
        return start

    def _own(self, number: int) -> Operand:
        """The address of a byte of the thread's own memory."""
        f = self.f
        all_threads = f.address(self._word("ptr", ARENA), "i8", self.plan.arena.size_bytes)
        own = f.address(all_threads, "i8", f.multiply(self.thread, self._slot_bytes))
        return f.address(own, "i8", number)

    def _slot(self, buffer: Buffer) -> Operand:
        """Where a buffer would begin of which the thread's slot holds the part of its task."""
        before = self.f.multiply(self._task, -buffer.row_bytes)
        return self.f.address(self._own(buffer.number), "i8", before)

    def _home(self, home: Home) -> Operand:
        return self.f.address(
            self.address(home.buffer), "i8", home.offset * home.type.dtype.itemsize
        )

    # -- steps -------------------------------------------------------------------------------

    def _steps(self, plan: Plan) -> None:
        for step in plan.steps:
            if isinstance(step, Kernel):
                self._run([step])
            elif isinstance(step, Bundle):
                self._run(step.kernels)
            elif isinstance(step, Repetition):
                self._repetition(step)
            elif isinstance(step, Preparation):
                self._preparation(step)
            else:
                self._choice(step)

    def _run(self, kernels: Sequence[Kernel], around: Repetition | None = None) -> None:
        """Run a kernel, or several task by task.

        Args:
            kernels: in order.
            around: a loop that each task runs by itself.
        """
        tasks = kernels[0].tasks

        def call(task: Operand, end: Operand) -> None:
            self._call_tasks(kernels, task, end, around)

        if not self.together:
            call(integer(0), integer(tasks))
            self._counted += len(kernels)
            return
        access = Access(*kernels)
        claimed = sum(each.is_claimed for each in self._under_way)
        if claimed == MOST_KERNELS or any(map(access.waits_for, self._under_way)):
            self._meet()
            claimed = 0
        self._under_way.append(access)
        if access.is_alone:
            with self.f.when(self.is_first):
                call(integer(0), integer(1))
            return
        assert self.claims is not None
        if access.is_claimed:
            self.claims.write(claimed, tasks, call)
        else:
            self.claims.write_shares(tasks, call)

    def _call_tasks(
        self,
        kernels: Sequence[Kernel],
        task: Operand,
        end: Operand,
        around: Repetition | None = None,
    ) -> None:
        """Run some tasks of a kernel, or of several task by task."""
        if len(kernels) == 1 and around is None:
            self._call(kernels[0], task, end, 0)
            return
        with self.f.loop(task, end) as loop:
            assert loop.index is not None
            self._task = loop.index
            following = self.f.add(loop.index, 1)
            with self._each_round(around) if around else nullcontext():
                for number, kernel in enumerate(kernels):
                    self._call(kernel, loop.index, following, number)

    def _call(self, kernel: Kernel, task: Operand, end: Operand, number: int) -> None:
        homes = [self._home(home) for home in kernel.homes]
        before = self._cycles() if self.counts else None
        self.f.call(kernel.name, self.flag, task, end, *homes)
        if before is not None:
            self._count(before, self._counted + number)

    def _cycles(self) -> Operand:
        self.module.declarations["declare i64 @llvm.readcyclecounter()"] = None
        return self.f.effect("i64", "call i64 @llvm.readcyclecounter()")

    def _count(self, before: Operand, number: int) -> None:
        """Add the cycles since ``before`` to those of a kernel."""
        spent = self.f.binary("sub", self._cycles(), before)
        place = self.f.address(self._word("ptr", CYCLES), "i64", number)
        self.f.store(self.f.add(self.f.load("i64", place, pinned=True), spent), place)

    def _meet(self) -> None:
        """Wait for all threads, if any may still be writing."""
        if self._under_way:
            self._wait()
        self._under_way.clear()

    def _repetition(self, step: Repetition) -> None:
        self._meet()
        if step.plan.is_apart:
            (bundle,) = step.plan.steps
            assert isinstance(bundle, Bundle)
            self._run(bundle.kernels, around=step)
            self._meet()
            return
        if step.plan.replicas is not None:
            self._with_replicas(step, step.plan.replicas)
            return
        with self._each_round(step):
            self._steps(step.plan)
            self._meet()

    def _with_replicas(self, step: Repetition, replicas: Replicas) -> None:
        """A loop whose state each thread has for itself."""
        self._copy_carried(replicas, is_back=False)
        self._copy_parts(replicas, is_back=False)
        self._replicas = replicas
        with self._each_round(step):
            under_way: set[Buffer] = set()  # what others may be writing since the last meeting
            for each in step.plan.steps:
                assert isinstance(each, (Kernel, Bundle))
                kernels = each.kernels if isinstance(each, Bundle) else [each]
                if under_way & {home.buffer for one in kernels for home in one.homes}:
                    self._wait()
                    under_way.clear()
                if replicas.divides(each):
                    under_way |= _written(kernels) & replicas.shared
                first, end = integer(0), integer(kernels[0].tasks)
                if replicas.divides(each):
                    first, end = self._share(replicas.tasks)
                self._call_tasks(kernels, first, end)
        self._replicas = None
        self._wait()  # all have copied what threads now overwrite
        with self.f.when(self.is_first):
            self._copy_carried(replicas, is_back=True)
        self._copy_parts(replicas, is_back=True)
        self._wait()

    def _copy_carried(self, replicas: Replicas, *, is_back: bool) -> None:
        """Copy what a loop carries into the thread's own memory, or what it has alone back."""
        for buffer in replicas.carried:
            if buffer not in replicas.parts:
                place, own = self.address(buffer), self._own(replicas.places[buffer])
                target, source = (place, own) if is_back else (own, place)
                self.f.copy(target, source, buffer.size_bytes)

    def _copy_parts(self, replicas: Replicas, *, is_back: bool) -> None:
        """Copy what the thread's tasks carry into its own memory, or back."""
        f = self.f
        first, end = self._share(replicas.tasks)
        with f.loop(first, end) as task:
            assert task.index is not None
            for buffer, stripe in replicas.parts.items():
                place, own = self.address(buffer), self._own(replicas.places[buffer])
                target, source = (place, own) if is_back else (own, place)
                start = f.multiply(task.index, stripe.size_bytes)
                period = stripe.period_bytes or buffer.size_bytes
                with f.loop(0, buffer.size_bytes, period) as loop:
                    assert loop.index is not None
                    at = f.add(start, loop.index)
                    to, of = f.address(target, "i8", at), f.address(source, "i8", at)
                    f.copy(to, of, stripe.size_bytes)

    def _share(self, tasks: int) -> tuple[Operand, Operand]:
        """The first of the thread's equal share of the tasks, and the one after its last."""
        return self.claims.share(tasks) if self.claims else (integer(0), integer(tasks))

    def _wait(self) -> None:
        """Wait for all threads."""
        if self.together:
            write_barrier(self.f, self.team, self.threads)

    @contextmanager
    def _each_round(self, step: Repetition) -> Iterator[None]:
        """The loop of a repetition, standing at the rows of a round."""
        stop = integer(step.length) if step.length is not None else self._word("i64", ROUNDS)
        with self.f.loop(0, stop) as loop:
            assert loop.index is not None
            row = loop.index
            if step.reverse:
                last = self.f.add(stop, -1)
                row = self.f.add(last, self.f.multiply(loop.index, -1))
            for buffer in step.rows:
                self._rounds[buffer] = row
            self._round = loop.index
            yield

    def _choice(self, step: Choice) -> None:
        self._meet()
        number = self.f.load("i64", self._home(step.index), pinned=True)
        outside = self.f.compare("icmp uge", number, integer(len(step.plans)))
        with self.f.when(outside):
            self.f.store(Operand("i8", "1"), self.flag)
        for which, plan in enumerate(step.plans):
            with self.f.when(self.f.compare("icmp eq", number, integer(which))):
                self._steps(plan)
                self._meet()

    def _preparation(self, step: Preparation) -> None:
        self._meet()
        is_new = self.f.compare("icmp ne", self._word("i64", NEW), integer(0))
        with self.f.when(is_new):
            for kernel in step.kernels:
                self._run([kernel])
            self._meet()


def _written(kernels: Sequence[Kernel]) -> set[Buffer]:
    """The buffers that kernels may write into."""
    return {
        home.buffer
        for kernel in kernels
        for home, is_written in zip(kernel.homes, kernel.written, strict=True)
        if is_written
    }


def steps_in(plan: Plan) -> Iterator[tuple[int, Step]]:
    """All steps of a plan and the plans inside it, in order, with how deep they lie."""
    stack: list[tuple[int, Step]] = [(0, step) for step in reversed(plan.steps)]
    while stack:
        depth, step = stack.pop()
        yield depth, step
        inner: list[Plan] = []
        if isinstance(step, (Bundle, Preparation)):
            stack += [(depth + 1, kernel) for kernel in reversed(step.kernels)]
        if isinstance(step, Repetition):
            inner = [step.plan]
        elif isinstance(step, Choice):
            inner = step.plans
        for each in reversed(inner):
            stack += [(depth + 1, one) for one in reversed(each.steps)]


def slot_bytes(plan: Plan) -> int:
    """The memory that each thread needs for itself."""
    needed = [0]
    for _, step in steps_in(plan):
        if isinstance(step, Bundle):
            needed.append(step.slot_bytes)
        elif isinstance(step, Repetition) and step.plan.replicas is not None:
            needed.append(step.plan.replicas.size_bytes)
    return max(needed)


def kernels_in(plan: Plan) -> list[Kernel]:
    """All kernels of a plan and the plans inside it, in the order in which they are counted."""
    return [step for _, step in steps_in(plan) if isinstance(step, Kernel)]


def _flush_denormals(f: Function) -> Operand:
    """Let the processor take denormal numbers for zero; returns its state before."""
    state = f.stack("i32", 1, alignment=4)
    f.module.declarations["declare void @llvm.x86.sse.stmxcsr(ptr)"] = None
    f.module.declarations["declare void @llvm.x86.sse.ldmxcsr(ptr)"] = None
    f.line(f"  call void @llvm.x86.sse.stmxcsr(ptr {state.text})")
    before = f.load("i32", state, pinned=True)
    zeros = f.binary("or", before, Operand("i32", str(0x8040)))
    _set_control(f, zeros)
    return before


def _set_control(f: Function, state: Operand) -> None:
    memory = f.stack("i32", 1, alignment=4)
    f.store(state, memory)
    f.line(f"  call void @llvm.x86.sse.ldmxcsr(ptr {memory.text})")


def kept_bytes(buffers: Sequence[Buffer]) -> int:
    """Give each kept buffer its place; returns the bytes of all."""
    end = 0
    for buffer in buffers:
        if buffer.whole is not None:  # it takes turns with one that has its place already
            buffer.number, buffer.whole = buffer.whole.number, None
            continue
        buffer.number = end
        end += aligned(buffer.size_bytes)
    return end
