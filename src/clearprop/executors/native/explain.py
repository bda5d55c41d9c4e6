"""What the compiler did, in words: the Program, its groups, the schedule, the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clearprop.executors.native.control import slot_bytes, steps_in
from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Buffer
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.plan import Bundle, Choice, Plan, Preparation, Repetition
from clearprop.ir.program import Program
from clearprop.ir.value import Value
from clearprop.text import table

_WIDEST_LIST = 60


def explanation(
    program: Program, plan: Plan, threads: int, *, kept_bytes: int, llvm: str | None = None
) -> str:
    """Every stage of a Program's way to machine code.

    Args:
        program: what was compiled.
        plan: what runs.
        threads: how many run it.
        kept_bytes: memory that keeps what it holds.
        llvm: the code in LLVM IR, if it is to be told too.
    """
    parts = [
        f"Program: {len(program.equations)} equations",
        str(program),
        "",
        *_groups_text(plan),
        "",
        *_schedule_text(plan, threads),
        "",
        *_memory_text(program, plan, kept_bytes, threads),
    ]
    if llvm is not None:
        parts += ["", "LLVM", llvm]
    return "\n".join(parts)


def _plans(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """A plan and those inside of it, with what tells them apart."""
    stack = [("", plan)]
    while stack:
        name, each = stack.pop()
        yield name, each
        inner: list[tuple[str, Plan]] = []
        for step in each.steps:
            if isinstance(step, Repetition):
                inner.append((f"{name} in the loop".strip(), step.plan))
            elif isinstance(step, Choice):
                inner += [(f"{name} in body {n}".strip(), p) for n, p in enumerate(step.plans)]
        stack += reversed(inner)


def _groups_text(plan: Plan) -> Iterator[str]:
    groups = sum(len(each.groups) for _, each in _plans(plan))
    yield f"Groups: {groups}; only what one computes and another reads is stored"
    for name, each in _plans(plan):
        if name and each.groups:
            yield f"  {name}:"
        rows = [[str(group.position + 1), group.kind, _members(group), _stored(group), group.reason]
                for group in each.groups]  # fmt: skip
        if rows:
            yield table(rows, header=["", "kind", "computes", "stores", "why it is a group"])


def _members(group: Group) -> str:
    names = [equation.primitive.name for equation in [*group.members, *group.sinks]]
    if not names:
        names = ["a copy"]
    return _shortened(names)


def _stored(group: Group) -> str:
    return _shortened([str(value.type) for value in group.stored])


def _shortened(words: Sequence[str]) -> str:
    text = ", ".join(words)
    return text if len(text) <= _WIDEST_LIST else text[: _WIDEST_LIST - 4] + " ..."


def _schedule_text(plan: Plan, threads: int) -> Iterator[str]:
    steps = list(steps_in(plan))
    count = sum(isinstance(step, Kernel) for _, step in steps)
    told = "1 thread" if threads == 1 else f"{threads} threads"
    yield f"Schedule: {count} kernels on {told}; each kernel's tasks may run at the same time"
    rows = []
    for depth, step in steps:
        indent = "  " * depth
        if isinstance(step, Kernel):
            homes = ", ".join(str(home.type) for home in step.homes)
            rows.append([indent + step.label, f"{step.tasks:,}", f"{step.flops:,}",
                         f"{1e6 * step.seconds:,.1f}", _shortened([homes])])  # fmt: skip
        else:
            rows.append([indent + _control_text(step), "", "", "", ""])
    if rows:
        yield table(rows, header=["kernel", "tasks", "operations", "about us", "memory"])


def _control_text(step: Bundle | Repetition | Choice | Preparation) -> str:
    if isinstance(step, Preparation):
        return "when the last inputs are new (weights that have changed):"
    if isinstance(step, Bundle):
        return f"each of {step.tasks:,} tasks, one after the other in all of these:"
    if isinstance(step, Choice):
        return f"one of {len(step.plans)} bodies:"
    rounds = "each round" if step.length is None else f"each of {step.length:,} rounds"
    rounds += ", from the last to the first" if step.reverse else ""
    if step.plan.is_apart:
        (bundle,) = step.plan.steps
        assert isinstance(bundle, Bundle)
        return f"{rounds}; each of {bundle.tasks:,} tasks runs all of them by itself:"
    if step.plan.replicas is not None:
        tasks = step.plan.replicas.tasks
        return f"{rounds}; all but what has {tasks:,} tasks in each thread, in its own memory:"
    return f"{rounds}:"


def _memory_text(program: Program, plan: Plan, kept: int, threads: int) -> Iterator[str]:
    inputs = sum(value.type.size_bytes for value in program.inputs)
    outputs = sum(value.type.size_bytes for value in program.outputs)
    constants = sum(value.type.size_bytes for value in program.constants)
    slots = threads * slot_bytes(plan)
    yield f"Memory: {_bytes(plan.arena.size_bytes + slots + kept)} beside inputs and outputs"
    yield table([
        ["arena", _bytes(plan.arena.size_bytes), "intermediate results, by turns"],
        ["slots", _bytes(slots), "what each thread has for itself"],
        ["kept", _bytes(kept), "images with zeros around them"],
        ["constants", _bytes(constants), ""],
        ["inputs", _bytes(inputs), "of one round, where it is a loop"],
        ["outputs", _bytes(outputs), ""],
    ])
    rows = []
    for name, each in _plans(plan):
        for value, home in each.homes.items():
            if home.buffer.kind == "arena" and home.buffer.keeps is None:
                rows.append(_place_row(name, value, home.buffer))
    if rows:
        rows.sort(key=lambda row: (row[3], int(row[0].replace(",", ""))))
        yield table(rows, header=["at", "bytes", "holds", ""])


def _place_row(name: str, value: Value, buffer: Buffer) -> list[str]:
    made = value.equation.primitive.name if value.equation else "input"
    return [f"{buffer.number:,}", f"{buffer.size_bytes:,}", f"{made} {value.type}", name]


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
