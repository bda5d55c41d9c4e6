"""Image folders: classes out of folder names, pixels from 0 to 1, faults named by file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from clearprop.data import read_image_folder, read_images
from clearprop.errors import ArgumentError, DataError, MissingExtraError

Image = pytest.importorskip("PIL.Image")


def picture(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def gray(value: int, size: tuple[int, int] = (4, 6)) -> np.ndarray:
    return np.full(size, value, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture(tmp_path / "dogs" / "b.png", gray(255))
    picture(tmp_path / "dogs" / "deep" / "a.PNG", gray(51))
    picture(tmp_path / "cats" / "c.png", gray(0))
    (tmp_path / "cats" / "notes.txt").write_text("no image")
    (tmp_path / "cats" / ".hidden.png").write_text("no image")
    (tmp_path / ".git").mkdir()
    (tmp_path / "readme.txt").write_text("beside the classes")
    return tmp_path


def test_folders_are_classes(folder: Path) -> None:
    images = read_image_folder(folder)
    assert (images.class_names, images.y.tolist(), images.y.dtype) == (
        ("cats", "dogs"), [0, 1, 1], np.int64,
    )  # fmt: skip
    assert [path.name for path in images.paths] == ["c.png", "b.png", "a.PNG"]
    assert (images.x.shape, images.x.dtype, images.ignored) == ((3, 4, 6, 1), np.float32, 1)
    np.testing.assert_allclose(images.x[:, 0, 0, 0], [0, 1, 0.2])


def test_colors_and_gray(tmp_path: Path) -> None:
    color = np.zeros((4, 6, 3), np.uint8)
    color[..., 0] = 255
    paths = [picture(tmp_path / "red.png", color), picture(tmp_path / "gray.png", gray(51))]
    x = read_images(paths)
    assert x.shape == (2, 4, 6, 3)
    np.testing.assert_allclose(x[:, 0, 0], [[1, 0, 0], [0.2, 0.2, 0.2]])
    assert read_images(paths, channels=1).shape == (2, 4, 6, 1)
    np.testing.assert_allclose(read_images(paths, channels=1)[0, 0, 0, 0], 0.299, atol=0.003)
    assert read_images(paths[1:], channels=3).shape == (1, 4, 6, 3)


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_sixteen_bits_keep_their_brightness(tmp_path: Path, channels: int | None) -> None:
    path = picture(tmp_path / "deep.png", np.full((4, 6), 13107, np.uint16))
    x = read_images([path], channels=channels)
    assert x.shape == (1, 4, 6, channels or 1)
    np.testing.assert_allclose(x, 0.2, atol=1e-6)


def test_images_are_resized_to_height_and_width(tmp_path: Path) -> None:
    half = gray(0)
    half[:, 3:] = 255
    x = read_images([picture(tmp_path / "a.png", half)], size=(2, 8))
    assert x.shape == (1, 2, 8, 1)
    assert (x[0, :, 0] == 0).all()
    assert (x[0, :, -1] == 1).all()


def test_pictures_are_turned_as_the_camera_says(tmp_path: Path) -> None:
    image = Image.fromarray(gray(9))
    exif = image.getexif()
    exif[0x0112] = 6  # a quarter turn
    image.save(tmp_path / "a.png", exif=exif)
    assert read_images([tmp_path / "a.png"]).shape == (1, 6, 4, 1)


def test_different_sizes_are_explained(tmp_path: Path) -> None:
    paths = [picture(tmp_path / "a.png", gray(1)), picture(tmp_path / "b.png", gray(1, (5, 6)))]
    with pytest.raises(DataError) as caught:
        read_images(paths)
    assert (
        str(caught.value)
        == f"""\
Reading images: they have different sizes
  found:  {tmp_path.name}/a.png: 4 by 6, {tmp_path.name}/b.png: 5 by 6
  needed: one size for all images
  try:    size=(4, 6) resizes them all to (height, width)"""
    )
    assert read_images(paths, size=(4, 6)).shape == (2, 4, 6, 1)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    whole = picture(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (40, 40), "u1"))
    whole.write_bytes(whole.read_bytes()[:-300])
    (tmp_path / "text.png").write_text("not an image")
    for path in (whole, tmp_path / "text.png", tmp_path / "absent.png"):
        with pytest.raises(DataError, match=f"{path.name} cannot be read"):
            read_images([path])


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(tmp_path / "a.png", gray(1, (40, 40)))
    for limit in (1000, 100):  # pillow warns of the first and refuses the second
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(DataError, match=r"a\.png cannot be read"):
            read_images([path])


def test_folders_that_are_no_classes_are_explained(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0 sub-folders(.|\n)*dogs/1\.png"):
        read_image_folder(folder / "cats")
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match=r'the class "empty" of .* has no images'):
        read_image_folder(folder)
    with pytest.raises(DataError, match="there is no folder"):
        read_image_folder(tmp_path / "absent")


def test_other_mistakes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(tmp_path / "a.png", gray(1))
    with pytest.raises(ArgumentError, match="channels=4"):
        read_images([path], channels=4)
    with pytest.raises(ArgumentError, match=r"size=\(0, 3\)"):
        read_images([path], size=(0, 3))
    with pytest.raises(DataError, match="there are no files"):
        read_images([])
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pillow(.|\n)*pip install 'clearprop\[data\]'"):
        read_images([path])
