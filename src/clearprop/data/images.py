"""Pictures in files, read with pillow: single ones, and folders with one sub-folder per class."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.extras import import_pillow
from clearprop.data.intake import Array
from clearprop.errors import ArgumentError, DataError
from clearprop.text import count_text

IMAGE_SUFFIXES = frozenset({
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
})
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L")  # gray, 16 bits a pixel
_GRAY_MODES = ("1", "L", "LA", *_DEEP_MODES)


@dataclass(frozen=True, eq=False)
class ImageFolder:
    """The images of a folder, their classes, and where they come from.

    Attributes:
        x: the images, 0 to 1.
        y: the number of each image's class.
        class_names: the sub-folders' names, sorted.
        paths: the files, in the order of ``x``.
        ignored: how many files in the class folders are no images by their ending.

    Shapes:
        x: float32 (n, height, width, channels); y: int64 (n,).
    """

    x: Array
    y: Array
    class_names: tuple[str, ...]
    paths: tuple[Path, ...]
    ignored: int


def read_image_folder(
    path: str | os.PathLike[str],
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> ImageFolder:
    """The images below a folder; the names of its sub-folders are the classes.

    Args:
        path: a folder with one sub-folder per class; deeper folders belong to their class,
            hidden files and folders are left out.
        size: (height, width) to resize every image to; unless given, all must be of one size.
        channels: 1 (gray) or 3 (red, green, blue); unless given, 1 if all images are gray.

    Shapes:
        -> x float32 (n, height, width, channels), y int64 (n,).

    Raises:
        DataError: no such folder, fewer than two classes, a class without images, a file that
            cannot be read, or images of different sizes.
        MissingExtraError: pillow is not installed.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(
            f"Reading images: there is no folder {folder}",
            found="a file" if folder.exists() else f"nothing at {folder}",
            needed="a folder with one sub-folder per class",
        )
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(classes) < 2:
        raise DataError(
            f"Reading images: the folder {folder} has "
            f"{count_text(len(classes), 'sub-folder')}, so there is nothing to tell apart",
            found=", ".join(p.name for p in classes) or "files only",
            needed="one sub-folder per class, named like the class, at least two",
            try_=f"{folder / 'cats' / '1.png'}, {folder / 'dogs' / '1.png'}",
        )
    files: list[Path] = []
    labels: list[int] = []
    ignored = 0
    for label, class_folder in enumerate(classes):
        inside = _files_below(class_folder)
        images = [file for file in inside if file.suffix.lower() in IMAGE_SUFFIXES]
        if not images:
            raise DataError(
                f'Reading images: the class "{class_folder.name}" of {folder} has no images',
                found=count_text(len(inside), "file") + f" in {class_folder}",
                needed="files ending in " + ", ".join(sorted(IMAGE_SUFFIXES)),
            )
        ignored += len(inside) - len(images)
        files += images
        labels += [label] * len(images)
    return ImageFolder(
        x=read_images(files, size, channels),
        y=np.array(labels, np.int64),
        class_names=tuple(p.name for p in classes),
        paths=tuple(files),
        ignored=ignored,
    )


def read_images(
    paths: Sequence[str | os.PathLike[str]],
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> Array:
    """Image files as one array; black is 0, white is 1.

    Pictures are turned as their camera says, transparency is dropped, the first frame of a
    moving picture is taken, resizing averages (bilinear).

    Args:
        paths: the files.
        size: (height, width) to resize to; unless given, all must be of one size.
        channels: 1 or 3; unless given, 1 if all images are gray.

    Shapes:
        -> float32 (n, height, width, channels).

    Raises:
        ArgumentError: an impossible size or number of channels.
        DataError: no files, a file that cannot be read, or images of different sizes.
        MissingExtraError: pillow is not installed.
    """
    _check_arguments(size, channels)
    if not paths:
        raise DataError("Reading images: there are no files", needed="at least one image file")
    files = [Path(path) for path in paths]
    images = [_read(file, size, channels) for file in files]
    depth = max(image.shape[2] for image in images)
    first = images[0].shape[:2]
    for file, image in zip(files, images, strict=True):
        if image.shape[:2] != first:
            raise DataError(
                "Reading images: they have different sizes",
                found=f"{_short(files[0])}: {_size_text(first)}, "
                f"{_short(file)}: {_size_text(image.shape[:2])}",
                needed="one size for all images",
                try_=f"size={first} resizes them all to (height, width)",
            )
    x = np.empty((len(images), *first, depth), np.float32)
    for index, image in enumerate(images):
        x[index] = image  # a gray image fills all channels of a colored set
    return x


def _read(file: Path, size: tuple[int, int] | None, channels: int | None) -> Array:
    pillow, operations = import_pillow("reading images")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(file) as opened:
                image = operations.exif_transpose(opened)
                if image.mode in _DEEP_MODES:
                    gray = np.asarray(image).astype(np.float32) * np.float32(255 / 65535)
                    image = pillow.fromarray(gray)
                    image = image if channels != 3 else image.convert("RGB")
                else:
                    gray_wanted = channels == 1 or (channels is None and _is_gray(image))
                    image = image.convert("L" if gray_wanted else "RGB")
                if size is not None:
                    image = image.resize((size[1], size[0]), pillow.Resampling.BILINEAR)
                pixels = np.asarray(image, np.float32) / np.float32(255)
    except (
        OSError,
        SyntaxError,
        ValueError,
        Warning,
        pillow.DecompressionBombError,
    ) as error:
        raise DataError(
            f"Reading images: {_short(file)} cannot be read",
            found=str(error).partition("\n")[0][:200],
            needed="a whole image file of a usual size",
            try_=f"take {file} out of the folder, or save it again",
        ) from error
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _is_gray(image: Any) -> bool:
    return image.mode in _GRAY_MODES


def _files_below(folder: Path) -> list[Path]:
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(
        p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts)
    )


def _short(file: Path) -> str:
    """A file with the folder that it is in."""
    return str(Path(file.parent.name) / file.name)


def _size_text(size: tuple[int, ...]) -> str:
    return f"{size[0]} by {size[1]}"


def _check_arguments(size: tuple[int, int] | None, channels: int | None) -> None:
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise ArgumentError(
            "Reading images: the size is not a height and a width",
            found=f"size={size}",
            needed="(height, width), both at least 1",
        )
    if channels not in {None, 1, 3}:
        raise ArgumentError(
            "Reading images: images have 1 or 3 channels",
            found=f"channels={channels}",
            needed="1 (gray), 3 (red, green, blue) or None (as the images are)",
        )
