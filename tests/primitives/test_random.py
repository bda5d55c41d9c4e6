"""Random bits: the published test vectors, and independence of how they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.errors import DTypeError, ShapeError
from clearprop.primitives import philox_4x32, random_bits
from tests.support.numbers import compute, leaf

# Random123's known answers for philox4x32-10: counter, key, words.
KNOWN_ANSWERS = [
    ("00000000 " * 4, "00000000 " * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff " * 4, "ffffffff " * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def words(text: str) -> np.ndarray:
    return np.array([int(word, 16) for word in text.split()], np.uint32)


def bits(key: list[int], counter: list[int], *shape: int) -> np.ndarray:
    return compute(random_bits(leaf(key, "u4"), leaf(counter, "u4"), shape=shape))


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_gives_the_published_words(counter: str, key: str, expected: str) -> None:
    found = philox_4x32(words(counter)[None], words(key))
    assert found.tolist() == [words(expected).tolist()]


def test_element_4i_plus_j_is_word_j_of_block_i() -> None:
    counters = np.array([[block, 0, 11, 13] for block in range(3)], np.uint32)
    expected = philox_4x32(counters, np.array([5, 7], np.uint32)).ravel()
    for size in (0, 1, 4, 5, 12):
        assert bits([5, 7], [11, 13], size).tolist() == expected[:size].tolist()
    assert bits([5, 7], [11, 13], 2, 3).tolist() == expected[:6].reshape(2, 3).tolist()
    assert bits([5, 7], [11, 13]).tolist() == expected[0]


def test_long_streams_are_the_blocks_one_after_the_other() -> None:
    stream = bits([1, 2], [3, 4], 40_003)
    block = 10_000
    counters = np.array([[block, 0, 3, 4]], np.uint32)
    expected = philox_4x32(counters, np.array([1, 2], np.uint32))[0, :3]
    assert stream[4 * block :].tolist() == expected.tolist()


def test_other_keys_and_counters_give_other_bits() -> None:
    streams = {
        tuple(bits(key, counter, 4).tolist())
        for key in ([0, 0], [1, 0], [0, 1])
        for counter in ([0, 0], [1, 0], [0, 1])
    }
    assert len(streams) == 9


def test_bits_are_as_often_set_as_not() -> None:
    numbers = bits([1, 1], [0, 0], 1 << 16)
    for place in range(32):
        share = np.mean((numbers >> np.uint32(place)) & np.uint32(1))
        assert abs(share - 0.5) < 5 * 0.5 / 256  # five standard deviations


def test_key_and_counter_are_two_words_each() -> None:
    with pytest.raises(ShapeError, match="the key must be two words"):
        bits([1], [0, 0], 3)
    with pytest.raises(DTypeError, match="the counter must be uint32"):
        random_bits(leaf([0, 0], "u4"), leaf([0, 0], "i4"), shape=(3,))
