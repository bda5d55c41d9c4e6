"""The text drawing of a graph: every gate once, with value, gradient and line."""

from __future__ import annotations

from typing import Any

import numpy as np

import clearprop as cp


def lines_of(picture: object) -> list[str]:
    return str(picture).splitlines()


def drawing(text: str) -> list[str]:
    """The lines of a drawing that stands in a test, without its indentation."""
    lines = text.strip("\n").rstrip().splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return [line[margin:] for line in lines]


def circuit() -> cp.Tensor:
    w0, w1, w2 = (cp.parameter(v, name=f"w{n}") for n, v in enumerate([2.0, -3.0, -3.0]))
    x0, x1 = cp.tensor(-1.0, name="x0"), cp.tensor(-2.0, name="x1")
    return 1 / (1 + cp.exp(-(w0 * x0 + w1 * x1 + w2)))


def test_every_gate_shows_value_and_gradient() -> None:
    f = circuit()
    f.backward()
    assert lines_of(f.show()) == drawing("""
        gate              value    gradient
        ────────────────  ───────  ────────
        1 / ·              0.7311   1
        └ 1 + ·            1.3679  -0.5344
          └ exp            0.3679  -0.5344
            └ negate      -1       -0.1966
              └ +          1        0.1966
                ├ +        4        0.1966
                │ ├ *     -2        0.1966
                │ │ ├ w0   2       -0.1966
                │ │ └ x0  -1        0.3932
                │ └ *      6        0.1966
                │   ├ w1  -3       -0.3932
                │   └ x1  -2       -0.5898
                └ w2      -3        0.1966
    """)


def test_before_backward_there_are_no_gradients() -> None:
    x = cp.parameter(3.0, name="x")
    assert lines_of((x * 2).show()) == drawing("""
        gate   value  gradient
        ─────  ─────  ────────
        · * 2  6      —
        └ x    3      —

        No gradients yet: backward() fills them in.
    """)


def test_gradients_of_an_earlier_output_are_not_shown() -> None:
    x = cp.parameter(3.0, name="x")
    middle = x * 2
    middle.backward()
    later = middle + 1
    assert "No gradients yet" in str(later.show())
    assert lines_of(later.show())[-3].split() == ["└", "x", "3", "—"]


def test_what_is_read_twice_is_drawn_once() -> None:
    x = cp.parameter(3.0, name="x")
    s = x + 1
    f = s * s * x
    f.backward()
    assert lines_of(f.show(lines=False)) == drawing("""
        gate             value  gradient
        ───────────────  ─────  ────────
        *                48      1
        ├ *              16      3
        │ ├ · + 1 [1]     4     24
        │ │ └ x [2]       3     40
        │ └ ↑ · + 1 [1]
        └ ↑ x [2]
    """)


def test_helpers_between_the_gates_are_left_out() -> None:
    kernel = cp.parameter(np.ones((3, 2), "float32"), name="kernel")
    bias = cp.parameter([0.0, 1.0], name="bias")
    inputs = cp.tensor(np.arange(12.0, dtype="float32").reshape(4, 3), name="inputs")
    loss = (2 * (inputs @ kernel + bias)).mean()
    loss.backward()
    text = str(loss.show())
    assert "bias spread to (4, 2)" in text
    assert "broadcast" not in text
    assert "reshape" not in text


def test_a_row_that_becomes_a_table_needs_no_reshape_in_the_picture() -> None:
    row = cp.parameter([[1.0, 2.0]], name="row")
    text = str((row * cp.parameter(np.ones((3, 2), "float32"), name="table")).show())
    assert "row spread to (3, 2)" in text
    assert "reshape" not in text


def test_reshape_of_the_user_is_a_gate() -> None:
    x = cp.parameter([1.0, 2.0], name="x")
    assert "reshape" in str((x.reshape(2, 1) * 2).show())


def test_constants_stand_in_their_gate() -> None:
    x = cp.parameter([1.0, -2.0], name="x")
    assert lines_of(cp.maximum(x, 0).show())[2].startswith("maximum(·, 0)")
    assert lines_of((x**-1).show())[2].startswith("1 / ·")
    assert lines_of((3 - x).show())[2].startswith("3 - ·")


def test_numbers_that_are_equal_are_still_data() -> None:
    x = cp.parameter([1.0, 2.0], name="x")
    assert lines_of((x + cp.tensor([5.0, 5.0])).show())[-3].split()[1] == "data"


def test_conversions_are_told() -> None:
    x = cp.parameter([1.0, 2.0], name="x")
    text = str((x.astype("float64") * np.array([1.0, 3.0])).show())
    assert "x as float64" in text
    assert "f64[2]" in text  # element types differ, so they are told


def test_sums_tell_their_axis() -> None:
    x = cp.parameter(np.ones((2, 3), "float32"), name="x")
    assert lines_of(x.sum(axis=1).show())[2].startswith("sum over axis 1 ")
    assert lines_of(x.sum().show())[2].startswith("sum  ")


def test_gates_may_have_names() -> None:
    z = cp.parameter(0.0, name="x") + 1
    z.name = "z"
    assert lines_of(z.show())[2].startswith("z = · + 1 ")


def test_names_stay_on_one_line_and_short() -> None:
    x = cp.parameter(1.0, name="first\nsecond\x00" + "long" * 20)
    label = lines_of((x * 2).show())[3]
    assert label.startswith("└ first second longlonglo… ")


def test_lines_are_told_where_there_are_several() -> None:
    x = cp.parameter(3.0, name="x")
    z = x * 2
    f = z + 1
    rows = lines_of(f.show())
    assert rows[2].endswith(": f = z + 1")
    assert rows[3].endswith(": z = x * 2")
    assert rows[4].split() == ["└", "x", "3", "—"]
    assert ": f = z + 1" not in str(f.show(lines=False))
    assert "z = x * 2" in str(z.show(lines=True))
    assert "z = x * 2" not in str(z.show())


def chain(length: int) -> cp.Tensor:
    x = cp.parameter(1.0, name="x")
    for _ in range(length):
        x = x + 1
    return x


def test_large_graphs_say_what_is_left_out() -> None:
    text = str(chain(100).show())
    assert text.count("· + 1") == 40
    assert "60 of 100 gates are left out (…): those farthest from the output." in text
    assert "show(limit=None) draws all" in text
    whole = str(chain(100).show(limit=None))
    assert whole.count("· + 1") == 100
    assert "left out" not in whole


def test_a_very_deep_graph_can_be_drawn() -> None:
    assert "4,960 of 5,000 gates are left out" in str(chain(5000).show())


def test_plain_numbers_have_no_history() -> None:
    assert lines_of((cp.tensor(2.0) * 3).show()) == drawing("""
        gate  value  gradient
        ────  ─────  ────────
        data  6      —

        No parameter reaches it: plain numbers do not remember where they come from.
        Write cp.parameter(...) for what should be learned.
    """)


def test_while_tracing_there_are_no_numbers() -> None:
    seen: list[str] = []

    def function(x: Any) -> Any:
        y = x * 2
        seen.append(str(y.show()))
        return y.sum()

    cp.grad(function)(cp.tensor([1.0, 2.0]))
    assert "input" in seen[0]
    assert seen[0].splitlines()[2].split()[-2:] == ["—", "—"]


def test_nan_infinity_booleans_and_emptiness_are_told() -> None:
    numbers = np.array([1, 2, 3, np.nan, np.inf, -np.inf, np.nan], "float32")
    assert "2 nan, 2 inf, 1 to 3, mean 2" in str(cp.parameter(numbers).show())
    assert "5 nan" in str(cp.parameter(np.full(5, np.nan, "float32")).show())
    assert "[nan, 1]" in str(cp.parameter([np.nan, 1.0]).show())
    assert "3 of 6 true" in str(cp.tensor(np.arange(6) % 2 == 0).show())
    assert "empty" in str(cp.parameter(np.zeros((0, 3), "float32")).show())
    assert "1e+30" in str(cp.parameter(1e30).show())


def test_each_result_of_a_gate_with_several_is_told_apart() -> None:
    values, _ = cp.scan(
        lambda carry, x: (carry + x, carry * x), cp.parameter(1.0), cp.tensor([1.0, 2.0])
    )
    assert "scan, result 1 of " in str(values.show())


def test_the_picture_keeps_what_it_showed() -> None:
    w = cp.parameter(1.0, name="w")
    f = w * 2
    picture = f.show()
    before = str(picture)
    f.backward()
    w.assign(5.0)
    assert str(picture) == before
    assert "—" not in str(f.show())
