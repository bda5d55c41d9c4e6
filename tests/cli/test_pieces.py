"""The pieces of the room: pictures, tables that fit, networks by name, moved images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop.cli.moving import COPIES, is_worth_moving, moved_copies
from clearprop.cli.pictures import picture, side_by_side, strip
from clearprop.cli.reports import ClassReport, probabilities_of, value_text
from clearprop.cli.screen import fitting_table, shortened
from clearprop.cli.sources import read_size
from clearprop.cli.specs import Problem, build_model
from clearprop.errors import ArgumentError, UnknownNameError


def test_shades_follow_the_brightness() -> None:
    image = np.array([[0.0, 0.25, 0.5, 0.75, 1.0]])[:, :, None]
    assert [line.plain for line in picture(image)] == ["  ░░▒▒▓▓██"]


def test_a_color_image_is_drawn_by_its_mean() -> None:
    image = np.array([[[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]])
    assert picture(image)[0].plain == "██░░"


def test_large_images_are_averaged_down() -> None:
    image = np.zeros((100, 64, 1))
    image[:, 32:] = 1
    lines = [line.plain for line in picture(image)]
    assert lines == [" " * 16 + "█" * 16] * 16


def test_odd_heights_are_drawn_whole() -> None:
    assert len(picture(np.ones((17, 3, 1)))) == 9


def test_images_stand_side_by_side_as_the_screen_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    images = [np.ones((1, 4, 1))] * 3
    lines = side_by_side(images, [["a", "first"], ["b", ""], ["c", ""]])
    assert [line.plain.rstrip() for line in lines] == [
        "  ████████   ████████",
        "  a          b",
        "  first",
        "",
        "  ████████",
        "  c",
        "",
    ]
    assert side_by_side([], []) == []


def test_a_strip_shows_magnitudes() -> None:
    assert strip(np.array([0.0, 1.0, -2.0, 4.0]), 4) == " ░▒█"
    assert len(strip(np.arange(100.0), 10)) == 10
    assert strip(np.zeros(3), 8) == "   "


def test_columns_in_the_middle_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    header = ["row", *(f"column {number}" for number in range(6)), "predicted"]
    rows = [["1", *"abcdef", "x"]]
    monkeypatch.setenv("COLUMNS", "50")
    assert fitting_table(header, rows, first=1, last=1).splitlines() == [
        "row  column 0  column 1  column 2  …  predicted",
        "───  ────────  ────────  ────────  ─  ─────────",
        "  1  a         b         c         …  x",
    ]
    monkeypatch.setenv("COLUMNS", "200")
    assert "…" not in fitting_table(header, rows, first=1, last=1)


def test_long_cells_are_shortened_and_stay_on_a_line() -> None:
    assert shortened("two\nlines") == "two lines"
    assert shortened("x" * 30) == "x" * 23 + "…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234567.25, "1234567"),
        (33232.272, "33232.27"),
        (0.00071, "0.00071"),
        (-2.5, "-2.5"),
        (1e-7, "1e-07"),
        (2e20, "2e+20"),
    ],
)
def test_values_have_seven_digits(value: float, text: str) -> None:
    assert value_text(value) == text


def test_scores_agree_with_counting() -> None:
    logits = np.array([[2.0, 0, 0], [0, 2, 0], [0, 0, 2], [2, 0, 0]])
    report = ClassReport(("a", "b", "c"), np.array([0, 1, 1, 2]), probabilities_of(logits))
    assert report.scores == {"accuracy": 0.5}
    assert report.confusion.tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 0]]
    np.testing.assert_allclose(report.probabilities.sum(axis=1), 1)


def test_probabilities_of_large_logits_are_finite() -> None:
    assert probabilities_of(np.array([[1e4, -1e4]], np.float32)).tolist() == [[1.0, 0.0]]


# -- networks by name ---------------------------------------------------------------


def shapes(spec: str, problem: Problem) -> list[tuple[int, ...]]:
    return [weight.shape for weight in build_model(spec, problem).get_weights()]


def test_networks_are_built_as_their_names_say() -> None:
    table = Problem((5,), 3)
    assert shapes("mlp:7,6", table) == [(5, 7), (7,), (7, 6), (6,), (6, 3), (3,)]
    assert shapes("linear", table) == [(5, 3), (3,)]
    assert shapes("mlp:7", Problem((2, 3, 1), 4)) == [(6, 7), (7,), (7, 4), (4,)]
    assert build_model("mlp", table).predict(np.zeros((2, 5))).shape == (2, 3)
    image = Problem((8, 8, 1), 10)
    assert shapes("lenet:4,5", image)[:4] == [(3, 3, 1, 4), (4,), (3, 3, 4, 5), (5,)]
    assert shapes("lenet", image)[4] == (2 * 2 * 64, 128)
    assert build_model("resnet20", image).predict(np.zeros((2, 8, 8, 1))).shape == (2, 10)


@pytest.mark.parametrize(
    "spec", ["mlp:0", "mlp:1.5", "mlp:-3", "mlp:70000", "mlp:3,,4", "linear:3"]
)
def test_details_that_make_no_network_are_refused(spec: str) -> None:
    with pytest.raises(ArgumentError, match="Choosing a network"):
        build_model(spec, Problem((5,), 3))


@pytest.mark.parametrize("spec", ["lenet:x", "resnet20:3"])
def test_details_that_make_no_network_for_images_are_refused(spec: str) -> None:
    with pytest.raises(ArgumentError, match="Choosing a network"):
        build_model(spec, Problem((8, 8, 1), 3))


@pytest.mark.parametrize(
    ("spec", "shape", "smallest"),
    [("lenet", (5,), 4), ("lenet:1,2,3", (8, 7, 1), 8), ("resnet20", (5,), 1)],
)
def test_networks_for_images_need_images(spec: str, shape: Any, smallest: int) -> None:
    with pytest.raises(ArgumentError) as caught:
        build_model(spec, Problem(shape, 3))
    assert str(caught.value).splitlines() == [
        f"Choosing a network: {spec.partition(':')[0]} looks at images",
        f"  found:  samples of shape {shape}",
        f"  needed: (height, width, channels), at least {smallest} by {smallest}",
        "  try:    --model mlp",
    ]


def test_an_unknown_network_is_told_all_that_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"needed: one of:\n +mlp: .*\n +linear: "):
        build_model("lenett", Problem((5,), 3))


# -- moved images -------------------------------------------------------------------


def test_images_move_by_a_sixteenth_of_their_size() -> None:
    image = np.zeros((1, 16, 16, 1), np.float32)
    image[0, 8, 8] = 1
    copies = moved_copies(image)
    assert copies.shape == (COPIES, 16, 16, 1)
    assert copies.dtype == np.float32
    places = [tuple(int(i) for i in np.argwhere(copy[:, :, 0])[0]) for copy in copies]
    assert places == [(8, 8), (9, 8), (7, 8), (8, 9), (8, 7)]


def test_half_a_pixel_is_shared_between_two() -> None:
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, 4, 4] = 1
    down = moved_copies(image)[1, :, 4, 0]
    assert down.tolist() == [0, 0, 0, 0, 0.5, 0.5, 0, 0]


def test_a_border_goes_on_where_an_image_moves_away() -> None:
    assert (moved_copies(np.ones((2, 5, 7, 3), np.float32)) == 1).all()


def test_only_images_that_fit_in_memory_are_copied() -> None:
    assert is_worth_moving(np.zeros((10, 8, 8, 1)))
    assert not is_worth_moving(np.zeros((10, 8)))
    assert not is_worth_moving(np.broadcast_to(np.float32(0), (10_000, 64, 64, 3)))


@pytest.mark.parametrize(("text", "size"), [("32", (32, 32)), ("20x30", (20, 30))])
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "0x3", "3x", "3x4x5", "a", "-3", "1e3", "9999"])
def test_sizes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="not a height and a width"):
        read_size(text)
