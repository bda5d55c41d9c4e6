"""Scans without what nobody reads: stacked outputs, carries, and inputs."""

from __future__ import annotations

from clearprop.ir.program import Program, equations_under
from clearprop.ir.value import Equation, Value
from clearprop.passes.rewrite import Rewriter, write


def prune_scans(program: Program) -> Program:
    """The same Program; its scans compute only what is read after them."""
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
        reached = set(roots)
        for equation in equations_under(roots, position.__contains__):
            reached.update(equation.inputs)
        now = [needed[i] or value in reached for i, value in enumerate(body.inputs)]
        if now == needed:
            return needed
        needed = now
