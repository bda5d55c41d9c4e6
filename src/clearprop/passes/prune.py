"""Loops and choices without what nobody reads: outputs, carries, and inputs."""

from __future__ import annotations

from collections.abc import Container, Sequence

from clearprop.ir.program import Program, equations_under
from clearprop.ir.value import Equation, Value
from clearprop.passes.rewrite import Rewriter, write


def prune_scans(program: Program) -> Program:
    """The same Program; its scans compute only what is read after them."""
    if not program.has("scan"):
        return program
    rewriter = Rewriter(program)
    for equation in program.equations:
        if equation.primitive.name == "scan":
            _keep_pruned(rewriter, equation)
        else:
            rewriter.keep(equation)
    return rewriter.finish()


def _keep_pruned(rewriter: Rewriter, equation: Equation) -> None:
    params = equation.params
    body, carry_count, step_count = params["body"], params["carry_count"], params["step_count"]
    read = [value is not None for value in rewriter.old.results[equation]]
    needed_inputs = _needed(body, carry_count, read)
    outputs = [
        i
        for i in range(len(body.outputs))
        if (needed_inputs[i] or read[i] if i < carry_count else read[i])
    ]
    inputs = [
        i
        for i in range(len(body.inputs))
        if needed_inputs[i] or (i < carry_count and i in set(outputs))
    ]
    new_body = Program.under([body.outputs[i] for i in outputs], [body.inputs[i] for i in inputs])
    new_params = dict(params) | {
        "body": new_body,
        "carry_count": sum(i < carry_count for i in inputs),
        "step_count": sum(carry_count <= i < carry_count + step_count for i in inputs),
    }
    old_inputs = rewriter.inputs_of(equation)
    written = write(
        equation.primitive,
        [old_inputs[i] for i in inputs],
        new_params,
        tuple(equation.types[i] for i in outputs),
        like=equation,
    )
    results: list[Value | None] = [None] * len(equation.types)
    for i, value in zip(outputs, written, strict=True):
        results[i] = value
    rewriter.replace(equation, results)


def prune_branches(program: Program) -> Program:
    """The same Program; its branches compute only what is read, from what some body reads."""
    if not program.has("branch"):
        return program
    rewriter = Rewriter(program)
    for equation in program.equations:
        if equation.primitive.name == "branch":
            _keep_pruned_branch(rewriter, equation)
        else:
            rewriter.keep(equation)
    return rewriter.finish()


def _keep_pruned_branch(rewriter: Rewriter, equation: Equation) -> None:
    bodies: tuple[Program, ...] = equation.params["bodies"]
    read = rewriter.old.results[equation]
    outputs = [i for i, value in enumerate(read) if value is not None]
    needed = [_read_inputs(body, [body.outputs[i] for i in outputs]) for body in bodies]
    inputs = [i for i in range(len(bodies[0].inputs)) if any(i in each for each in needed)]
    new_bodies = tuple(
        Program.under([body.outputs[i] for i in outputs], [body.inputs[i] for i in inputs])
        for body in bodies
    )
    index, *operands = rewriter.inputs_of(equation)
    written = write(
        equation.primitive,
        [index, *(operands[i] for i in inputs)],
        {"bodies": new_bodies},
        tuple(equation.types[i] for i in outputs),
        like=equation,
    )
    results: list[Value | None] = [None] * len(equation.types)
    for i, value in zip(outputs, written, strict=True):
        results[i] = value
    rewriter.replace(equation, results)


def _read_inputs(body: Program, outputs: Sequence[Value]) -> set[int]:
    """Which inputs of the body these outputs of it depend on."""
    position = {value: i for i, value in enumerate(body.inputs)}
    return {position[value] for value in _reached(outputs, position) if value in position}


def _reached(outputs: Sequence[Value], given: Container[Value]) -> set[Value]:
    """The outputs and all that computing them reads."""
    reached = set(outputs)
    for equation in equations_under(outputs, given.__contains__):
        reached.update(equation.inputs)
    return reached


def _needed(body: Program, carry_count: int, read: list[bool]) -> list[bool]:
    """Which body inputs the outputs that are read depend on, through any number of steps."""
    position = {value: i for i, value in enumerate(body.inputs)}
    needed = [i < carry_count and read[i] for i in range(len(body.inputs))]
    while True:
        roots = [
            output
            for i, output in enumerate(body.outputs)
            if read[i] or (i < carry_count and needed[i])
        ]
        reached = _reached(roots, position)
        now = [needed[i] or value in reached for i, value in enumerate(body.inputs)]
        if now == needed:
            return needed
        needed = now
