"""Making the plan of a Program: groups, homes, kernels, and the places of what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from clearprop.executors.native.bundles import as_one, bundled
from clearprop.executors.native.dividing import divide
from clearprop.executors.native.grouping import Grouping
from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.kernels.affine import Axis, Index, index_of
from clearprop.executors.native.kernels.contractions import write_contraction
from clearprop.executors.native.kernels.copies import write_copy, write_move
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.executors.native.kernels.nests import write_nest
from clearprop.executors.native.kernels.reductions import write_reduction
from clearprop.executors.native.kernels.spreading import Spread, room_for
from clearprop.executors.native.kernels.sums import spread_input
from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.memory import Lifetime, place, take_turns
from clearprop.executors.native.plan import Bundle, Choice, Plan, Repetition, Replicas, Step
from clearprop.executors.native.replicas import give_places, replicas_of, twice
from clearprop.executors.native.slots import give_slots
from clearprop.executors.native.words.single import SINGLE_WRITERS, joined_parts, may_overwrite
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.passes.join_pads import join_pads
from clearprop.passes.share_sums import share_sums
from clearprop.passes.sum_after_loop import sum_after_loops

_Copies = list[tuple[Value, Home]]


class Carry(NamedTuple):
    """A value that a loop hands on, and where it lies."""

    before: Value
    after: Value
    home: Home


class Surroundings(NamedTuple):
    """What all plans of one compilation share.

    Attributes:
        module: the functions.
        machine: for which.
        constants: arrays that the code reads, and the buffers that stand for them.
        is_alone: whether one thread runs it.
    """

    module: Module
    machine: Machine
    constants: dict[Value, Buffer]
    is_alone: bool = False


def make_plan(
    surroundings: Surroundings,
    program: Program,
    inputs: Sequence[Home],
    outputs: Sequence[Home | None],
    carried: Sequence[Home] = (),
    lasting: Sequence[Home] = (),
) -> Plan:
    """The plan of a Program.

    Args:
        surroundings: what is shared.
        program: what to compute.
        inputs: where each input lies.
        outputs: where each output shall lie; None for those that are carried.
        carried: where the first inputs lie, if the first outputs are to take their places.
        lasting: inputs that are the same in all rounds of a loop, or in most calls.
    """
    return _Planner(surroundings, program, inputs, outputs, carried, lasting).plan


class _Planner:
    def __init__(
        self,
        surroundings: Surroundings,
        program: Program,
        inputs: Sequence[Home],
        outputs: Sequence[Home | None],
        carried: Sequence[Home],
        lasting: Sequence[Home],
    ) -> None:
        # What nobody reads is not computed.
        program = Program.under(program.outputs, program.inputs)
        own = set(program.constants)
        program = share_sums(sum_after_loops(join_pads(program)))
        self.surroundings, machine = surroundings, surroundings.machine
        lasting_buffers = frozenset(home.buffer for home in lasting)
        division = divide(machine, program, inputs, carried, lasting_buffers)
        program, inputs, carried = division.program, division.inputs, division.carried
        self.program = program
        carries = [
            Carry(program.inputs[number], program.outputs[number], home)
            for number, home in enumerate(carried)
        ]
        passes = machine.is_x86 and not surroundings.is_alone
        self._passed = division.exchanged if passes else set()
        self.plan = Plan()
        self.homes: dict[Value, Home] = self.plan.homes
        self.grouping = Grouping(program)
        self.plan.groups = self.grouping.groups
        self.compilation = Compilation(
            surroundings.module,
            machine,
            self.grouping,
            self.homes,
            samples=division.samples,
            is_alone=surroundings.is_alone,
            lasting=lasting_buffers,
        )
        self.plan.before, self.plan.borrowed = self.compilation.before, self.compilation.borrowed
        self.outputs, self._carried = outputs, [home.buffer for home in carried]
        self._owned: set[Buffer] = set()
        self._used: dict[Step, Sequence[Buffer]] = {}
        for value, home in zip(program.inputs, inputs, strict=True):
            self.homes[value] = home
        self._find_stored(own)
        early, late = self._place_outputs(carries)
        self._place_values()
        self._copy(early)
        for group in self.grouping.groups:
            self._write(group)
        self._copy(late)
        self._finish_carries()
        self._place_memory()

    # -- homes ---------------------------------------------------------------------------

    def _find_stored(self, own: Set[Value]) -> None:
        """Mark what has to lie in memory: what other groups read, and what comes out.

        Args:
            own: the Program's constants; numbers that a pass has made stand in the code instead,
                for the cache knows the Program's alone.
        """
        stored: dict[Value, None] = {}
        for group in self.grouping.groups:
            stored.update(group.reads)
        for value in self.program.outputs:
            for read in self._seen(value):
                stored[read] = None
        for value in stored:
            owner = self.grouping.group_of.get(value)
            if owner is not None:
                owner.stored[value] = None
        for value in [*stored, *self.program.outputs]:
            if value in own and value not in self.homes:
                self.homes[value] = self._constant(value)

    def _seen(self, value: Value) -> set[Value]:
        """What reading a value needs in memory."""
        axes = tuple(map(Axis, value.shape))
        return {read.value for read in self.grouping.leaves(value, index_of(axes))}

    def _constant(self, value: Value) -> Home:
        constants = self.surroundings.constants
        if value not in constants:
            constants[value] = Buffer("constant", value.type.size_bytes, len(constants))
        return Home.plain(constants[value], value.type)

    def _place_outputs(self, carries: Sequence[Carry]) -> tuple[_Copies, _Copies]:
        """Let outputs be computed where they shall lie.

        Returns:
            Those that are to be copied before everything else, since they only show what was
            given, which may be overwritten; and those that are to be copied in the end.
        """
        copies: _Copies = []
        self._moved: list[tuple[Value, Home, Home]] = []
        shown = [value for value in self.program.outputs if not self._is_early(value)]
        self._shown = set[Value]().union(*map(self._seen, shown))  # by what comes out late
        for carry in carries:
            if carry.after is carry.before:
                continue
            if self._is_free(carry.after) and self._may_overwrite(carry):
                self.homes[carry.after] = carry.home
                continue
            temporary = self._new_home(carry.after.type)
            self._moved.append((carry.after, temporary, carry.home))
            if self._is_free(carry.after):
                self.homes[carry.after] = temporary
            else:
                copies.append((carry.after, temporary))
        for value, home in zip(self.program.outputs, self.outputs, strict=True):
            if home is not None and self._is_free(value):
                self.homes[value] = home
            elif home is not None:
                copies.append((value, home))
        early = [copy for copy in copies if self._is_early(copy[0])]
        return early, [copy for copy in copies if not self._is_early(copy[0])]

    def _is_free(self, value: Value) -> bool:
        """Whether a value is computed here, and nobody has said yet where it shall lie."""
        return value in self.grouping.group_of and value not in self.homes

    def _is_early(self, value: Value) -> bool:
        """Whether a value only shows what is given."""
        return value not in self.grouping.group_of and all(
            self.grouping.is_given(each) for each in self._seen(value)
        )

    def _copy(self, copies: _Copies) -> None:
        for value, home in copies:
            write_copy(self.compilation, value, home, is_below=self._is_source(value))
            self._take_kernels()

    def _place_values(self) -> None:
        """Give the values that are stored, and have no home yet, one each."""
        for group in reversed(self.grouping.groups):
            if group.kind == "concatenate":
                self._place_parts(group)
        for group in self.grouping.groups:
            spread = spread_input(group.members[0]) if group.kind == "contraction" else None
            if spread is not None:
                self._place_between_zeros(*spread)
        for group in self.grouping.groups:
            for value in group.stored:
                if value not in self.homes:
                    self.homes[value] = self._new_home(value.type)
                    self.homes[value].buffer.passes = value in self._passed

    def _place_between_zeros(self, value: Value, how: Spread) -> None:
        """Let an image be computed where a convolution wants it, if that has room for zeros."""
        is_read_in_place = value not in self.grouping.read_by_line
        is_wanted = not how.changes_nothing and set(how.steps) == {1} and value.type.size > 0
        if self._is_free(value) and is_read_in_place and is_wanted:
            self.homes[value] = room_for(self.compilation, value, how)

    def _place_parts(self, group: Group) -> None:
        """Let what is joined be computed where it shall lie, next to the other parts."""
        equation = group.members[0]
        value = self.program.results[equation][0]
        if value is None:
            return
        if value not in self.homes:
            self.homes[value] = self._new_home(value.type)
        for x, part in joined_parts(equation, self.homes[value]):
            if self._is_free(x) and x not in self.grouping.read_by_line:
                self.homes[x] = part

    def _new_home(self, type_: TensorType) -> Home:
        buffer = Buffer("arena", type_.size_bytes)
        self._owned.add(buffer)
        return Home.plain(buffer, type_)

    def _may_overwrite(self, carry: Carry) -> bool:
        """Whether what a loop hands on may be computed where its old value lies."""
        group = self.grouping.group_of[carry.after]
        if carry.after.type != carry.before.type or carry.after in group.sink_values:
            return False
        if carry.before in self._shown:
            return False
        for other in self.grouping.groups:
            if carry.before in other.reads and other.position > group.position:
                return False
        if carry.before not in group.reads:
            return True
        if group.kind not in {"nest", "contraction"}:
            return may_overwrite(group, carry.before)
        return group.lane_axes is None and self._reads_in_place(group, carry)

    def _reads_in_place(self, group: Group, carry: Carry) -> bool:
        """Whether a group reads the old value only where it writes the new one."""
        index: Index = group.index[carry.after]
        members = group.members
        if group.kind == "contraction":
            first, members = members[0], members[1:]
            if any(carry.before in self._seen(value) for value in first.inputs):
                return False
        for equation in [*members, *group.sinks]:
            for value in equation.inputs:
                for read in self.grouping.leaves(value, group.at[equation]):
                    if read.value is carry.before and read.index != index:
                        return False
        return True

    # -- kernels ---------------------------------------------------------------------------

    def _is_source(self, value: Value) -> bool:
        return value not in self.homes and not self.grouping.is_given(value)

    def _write(self, group: Group) -> None:
        if group.kind == "nest":
            write_nest(self.compilation, group)
        elif group.kind == "contraction":
            write_contraction(self.compilation, group)
        elif group.kind == "reduction":
            write_reduction(self.compilation, group)
        elif group.kind == "copy":
            (value,) = group.stored
            write_copy(self.compilation, value, self.homes[value], is_below=True)
        elif group.kind == "scan":
            self._write_scan(group)
            return
        elif group.kind == "branch":
            self._write_branch(group)
            return
        else:
            SINGLE_WRITERS[group.kind](self.compilation, group)
        self._take_kernels()

    def _take_kernels(self) -> None:
        for kernel in self.compilation.kernels:
            self._append(kernel, [home.buffer for home in kernel.homes])
        self.compilation.kernels.clear()

    def _append(self, step: Step, buffers: Sequence[Buffer]) -> None:
        self.plan.steps.append(step)
        self._used[step] = buffers

    def _results(self, group: Group) -> list[Home]:
        """Where each result of a control equation goes; those nobody reads have a place too."""
        equation = group.members[0]
        homes = []
        values = self.program.results[equation]
        for value, type_ in zip(values, equation.types, strict=True):
            if value is not None and value in self.homes:
                homes.append(self.homes[value])
            else:
                homes.append(self._new_home(type_))
        return homes

    def _operands(self, values: Sequence[Value]) -> list[Home]:
        """Where control equations find their inputs: row by row."""
        homes = []
        for value in values:
            home = self.homes.get(value)
            if home is None or not home.is_plain:
                home = self._new_home(value.type)
                write_copy(self.compilation, value, home, is_below=self._is_source(value))
                self._take_kernels()
            homes.append(home)
        return homes

    def _write_scan(self, group: Group) -> None:
        equation = group.members[0]
        params = equation.params
        body, count, length = params["body"], params["carry_count"], params["length"]
        stepped = count + params["step_count"]
        results = self._results(group)
        given = self._operands(equation.inputs)
        # The carry lives where its last value is wanted.
        for home, target, value in zip(given, results[:count], equation.inputs, strict=False):
            write_copy(self.compilation, value, target, is_below=self._is_source(value))
            del home
            self._take_kernels()
        rows = [_row(home) for home in given[count:stepped]]
        out_rows = [_row(home) for home in results[count:]]
        inputs = [*results[:count], *rows, *given[stepped:]]
        if length == 0:
            return
        carried = results[:count]
        outputs = [*([None] * count), *out_rows]
        captured = given[stepped:]
        plan = make_plan(self.surroundings, body, inputs, outputs, carried, captured)
        for kernel in plan.before:
            self._append(kernel, [home.buffer for home in kernel.homes])
        self._owned.update(plan.borrowed)
        self._append_inner(
            Repetition(plan, length, params["reverse"], [h.buffer for h in [*rows, *out_rows]]),
            [plan],
            [*given, *results],
            plan.borrowed,
        )

    def _write_branch(self, group: Group) -> None:
        equation = group.members[0]
        index, *operands = self._operands(equation.inputs)
        results = self._results(group)
        plans = [
            make_plan(self.surroundings, body, operands, results)
            for body in equation.params["bodies"]
        ]
        self._append_inner(Choice(index, plans), plans, [index, *operands, *results])

    def _append_inner(
        self,
        step: Step,
        plans: Sequence[Plan],
        homes: Sequence[Home],
        borrowed: Sequence[Buffer] = (),
    ) -> None:
        buffers = [*(home.buffer for home in homes), *borrowed]
        for plan in plans:
            buffers.append(plan.arena)
            self._owned.add(plan.arena)
            self.plan.kept += plan.kept
            plan.kept = []
        self._append(step, buffers)

    def _finish_carries(self) -> None:
        """Bring what could not be computed in place to where the next round expects it."""
        for value, source, target in self._moved:
            write_move(self.compilation, value, source, target)
            self._take_kernels()

    # -- memory ------------------------------------------------------------------------------

    def _place_memory(self) -> None:
        """Put steps into bundles, and let buffers that live at different times share memory."""
        self.plan.steps = bundled(self.plan.steps)
        one = as_one(self.plan.steps) if self.compilation.samples else None
        if one is not None:
            self.plan.steps, self.plan.is_apart = [one], True
        lives: dict[Buffer, Lifetime] = {}
        for number, step in enumerate(self.plan.steps):
            for each in step.kernels if isinstance(step, Bundle) else [step]:
                for buffer in self._used[each]:
                    lives.setdefault(buffer, Lifetime(buffer, number, number)).last = number
        unused = [Lifetime(buffer, 0, 0) for buffer in self.compilation.kept if buffer not in lives]
        take_turns([*unused, *(lives[each] for each in self.compilation.kept if each in lives)])
        # Those that others take turns with come first.
        self.plan.kept += sorted(self.compilation.kept, key=lambda each: each.whole is not None)
        self._owned.update(self.compilation.scratch)
        for step in self.plan.steps:
            if isinstance(step, Bundle):
                self._owned.difference_update(give_slots(step, self._alone_in(step, lives)))
        replicas = self._replicas()
        own = [life for buffer, life in lives.items() if buffer in self._owned]
        arena = self.plan.arena
        arena.size_bytes = place(own)
        for life in own:
            life.buffer.whole = arena
        if replicas is not None:
            bundles = [step for step in self.plan.steps if isinstance(step, Bundle)]
            slots = max((each.slot_bytes for each in bundles), default=0)
            give_places(replicas, arena, slots)
            self.plan.replicas = replicas

    def _replicas(self) -> Replicas | None:
        """What each thread has for itself, if this is a round of a loop that should have such."""
        samples, machine = self.compilation.samples, self.surroundings.machine
        if samples is None or self.surroundings.is_alone or self.plan.is_apart:
            return None
        size = sum(buffer.size_bytes for buffer in self._carried)
        if not samples.are_parts and size > machine.level2_bytes // 2:
            return None
        found = replicas_of(self.plan.steps, samples.tasks, self._carried, self._owned)
        if found is not None:
            own = [buffer for buffer in found.shared if buffer in self._owned]
            self.plan.borrowed += map(twice, own)
            self._owned.difference_update(own)
        return found

    def _alone_in(self, bundle: Bundle, lives: Mapping[Buffer, Lifetime]) -> list[Buffer]:
        """The buffers that no other step is at."""
        number = self.plan.steps.index(bundle)
        return [
            buffer
            for buffer, life in lives.items()
            if buffer in self._owned and life.first == life.last == number
        ]


def _row(home: Home) -> Home:
    """The part of an array that one round of a scan works on."""
    type_ = TensorType(home.type.shape[1:], home.type.dtype)
    size = home.type.dtype.itemsize
    buffer = Buffer("row", type_.size_bytes, home.offset * size, whole=home.buffer)
    buffer.row_bytes = home.strides[0] * size
    return Home(buffer, type_, 0, home.strides[1:])
