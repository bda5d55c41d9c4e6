"""clearprop train: what it prints and saves."""

from __future__ import annotations

import csv
import re
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from clearprop.train import load_model
from tests.cli.running import COMMAND, invoke, read_rows, run, run_on_terminal, write_rows

# -- what it prints ---------------------------------------------------------------


def test_digits_in_a_pipe(folder: Path) -> None:
    result = run("train", "digits", "--epochs", "2")
    assert result.returncode == 0, result.stderr
    assert "\x1b" not in result.stdout
    (score,) = re.findall(r"^test accuracy: (0\.\d{4})$", result.stdout, flags=re.MULTILINE)
    assert float(score) > 0.9
    assert re.findall(r"^epoch (\d)/2 ", result.stdout, flags=re.MULTILINE) == ["1", "2"]
    assert (
        "1,294 to train on (each also moved a little: 6,470), 144 to tell when to stop, "
        "359 held out for the test, the same share of every class in each part"
    ) in result.stdout
    for title in ("confusion matrix", "each class", "the most uncertain samples", "next"):
        assert f"\n{title}" in result.stdout
    assert re.search(r"^saved digits.safetensors; done in [\d.]+ s$", result.stdout, re.MULTILINE)
    assert "clearprop show digits.safetensors digits " in result.stdout
    assert (folder / "digits.safetensors").exists()


def test_digits_on_a_terminal(folder: Path) -> None:
    del folder
    code, written = run_on_terminal("train", "digits", "--epochs", "2", "--no-augment")
    assert code == 0
    assert "\x1b[?25l" in written, "a live display hides the cursor"
    assert "epoch 2/2" in written
    assert re.search(r"\ntest accuracy: 0\.\d{4}\r\n", written)
    assert "38;2;86;180;233m" in written, "what is right is blue"
    assert "48;2;255;255;255m" in written, "the digits are drawn in gray"


def test_quiet_tells_the_result_only(folder: Path) -> None:
    del folder
    result = run("train", "iris", "--epochs", "5", "--quiet")
    assert re.fullmatch(r"test accuracy: [01]\.\d{4}\nsaved iris.safetensors\n", result.stdout)


def test_the_same_seed_gives_the_same_model(folder: Path) -> None:
    del folder
    for out in ("one.safetensors", "two.safetensors"):
        assert invoke("train", "iris", "--epochs", "5", "--seed", "3", "--out", out).exit_code == 0
    one, two = load_model("one.safetensors"), load_model("two.safetensors")
    assert one.notes == two.notes
    pairs = zip(one.get_weights(), two.get_weights(), strict=True)
    assert all((first == second).all() for first, second in pairs)


def test_digits_are_learned(folder: Path) -> None:
    del folder
    result = invoke("train", "digits", "--epochs", "6", "--quiet", "--seed", "1")
    assert float(result.output.split()[2]) >= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_digits_are_learned_with_every_seed(folder: Path, seed: int) -> None:
    del folder
    result = invoke("train", "digits", "--quiet", "--seed", str(seed))
    assert float(result.output.split()[2]) >= 0.975


def test_the_split_can_stay_while_the_seed_changes(folder: Path) -> None:
    del folder
    for seed in ("1", "2"):
        arguments = ["iris", "--epochs", "2", "--seed", seed, "--split-seed", "1", "--quiet"]
        assert invoke("train", *arguments, "--out", f"{seed}.safetensors").exit_code == 0
    one, two = load_model("1.safetensors"), load_model("2.safetensors")
    assert (one.notes["seed"], two.notes["seed"]) == (1, 2)
    assert one.notes["table"] == two.notes["table"], "the rules are fitted on the same rows"
    assert not (one.get_weights()[0] == two.get_weights()[0]).all()
    summary = invoke("summary", "2.safetensors").output
    assert re.search(r"^seed +2, 1 of the split$", summary, re.MULTILINE)
    for name in ("1.safetensors", "2.safetensors"):
        told = invoke("evaluate", name, "iris").output
        assert "30 samples" in told


def test_lenet_learns_the_digits(folder: Path) -> None:
    del folder
    result = invoke("train", "digits", "--model", "lenet:8,16", "--epochs", "4", "--quiet")
    assert float(result.output.split()[2]) >= 0.95


@pytest.mark.slow
def test_lenet_learns_the_digits_with_every_seed(folder: Path) -> None:
    """The mean of five seeds on the same split."""
    del folder
    scores = []
    for seed in range(5):
        arguments = ["digits", "--model", "lenet", "--seed", str(seed), "--split-seed", "0"]
        scores.append(float(invoke("train", *arguments, "--quiet").output.split()[2]))
    assert np.mean(scores) >= 0.985


# -- tables -----------------------------------------------------------------------


def test_a_price_is_regressed_and_the_reason_told(here: Path) -> None:
    del here
    result = invoke("train", "houses.csv", "--target", "price", "--out", "h.safetensors")
    assert result.exit_code == 0, result.output
    assert "regression: the target has 242 different whole numbers in 250 rows" in result.output
    assert re.search(r"^city +category +4 ", result.output, re.MULTILINE)
    assert "house_id   dropped          0  numbers that only count the rows" in result.output
    unit = r"^test mean absolute error: [\d.]+ \(in the unit of price\)$"
    assert re.search(unit, result.output, re.MULTILINE)
    (r2,) = re.findall(r"^test R2: (0\.\d{4})$", result.output, re.MULTILINE)
    assert float(r2) > 0.85
    assert "the largest errors" in result.output


def test_a_text_target_is_classified(here: Path) -> None:
    del here
    result = invoke("train", "houses.csv", "--target", "condition", "--epochs", "20")
    assert result.exit_code == 0, result.output
    assert "classification: the target is text" in result.output
    assert '18 rows without a value in "condition" left out' in result.output
    assert re.search(r"^good +\d+ ", result.output, re.MULTILINE)


def test_a_flag_decides_the_task(here: Path) -> None:
    del here
    result = invoke(
        "train", "houses.csv", "--target", "rooms", "--task", "regression", "--epochs", "5"
    )
    assert "regression: as asked" in result.output
    assert "(in the unit of rooms)" in result.output


def test_dates_are_regressed_in_days(here: Path) -> None:
    del here
    result = invoke("train", "houses.csv", "--target", "sold", "--epochs", "3")
    assert "regression: the target is dates" in result.output
    assert re.search(r"^test mean absolute error: [\d.]+ \(in days\)$", result.output, re.MULTILINE)


def test_the_encoder_sees_training_rows_only(here: Path) -> None:
    rows = read_rows((here / "houses.csv").read_text())
    invoke("train", "houses.csv", "--target", "price", "--epochs", "1", "--seed", "5")
    notes = load_model("houses.safetensors").notes
    area = next(c for c in notes["table"]["columns"] if c["name"] == "area")
    assert (notes["train_rows"], notes["validation_rows"], notes["test_rows"]) == (160, 40, 50)
    everything = np.array([float(row["area"]) for row in rows])
    assert notes["table"]["rows"] == 160
    assert area["mean"] != pytest.approx(everything.mean(), rel=1e-6)


def test_small_tables_are_all_trained_on(folder: Path) -> None:
    path = folder / "small.csv"
    write_rows(path, [{"x": str(i), "kind": "ab"[i % 2]} for i in range(20)])
    result = invoke("train", "small.csv", "--target", "kind", "--epochs", "2")
    assert result.exit_code == 0, result.output
    assert "16 to train on, 4 held out for the test" in result.output
    assert "2 epochs; the last weights are kept" in result.output


def test_parquet_is_read(here: Path) -> None:
    polars = pytest.importorskip("polars")
    polars.read_csv("houses.csv").write_parquet("houses.parquet")
    result = invoke("train", "houses.parquet", "--target", "price", "--epochs", "2", "-q")
    assert result.exit_code == 0, result.output
    assert (here / "houses.safetensors").exists()


def test_rows_with_quotes_and_lines_in_cells_are_shown_on_one_line(folder: Path) -> None:
    with (folder / "odd.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["say, it", "kind"])
        writer.writerows([[f"a\nb{i % 3}", "xy"[i % 2]] for i in range(40)])
    result = invoke("train", "odd.csv", "--target", "kind", "--epochs", "2")
    assert result.exit_code == 0, result.output
    table = result.output.partition("the most uncertain samples\n")[2].splitlines()[:3]
    assert table[0].split("  ")[1].strip() == "say, it"
    assert "a b" in table[2]


# -- images -----------------------------------------------------------------------


@pytest.fixture
def photos(folder: Path) -> Path:
    """Gray pictures of upright and of lying bars, 12 pixels in height and width."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for name in ("lying", "upright"):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 60, (12, 12)).astype(np.uint8)
            place = int(rng.integers(2, 9))
            pixels[place : place + 2] = 250
            pixels = pixels.T if name == "upright" else pixels
            image.fromarray(np.ascontiguousarray(pixels)).save(
                folder / "photos" / name / f"{number}.png"
            )
    return folder / "photos"


def test_a_folder_of_images(photos: Path) -> None:
    result = invoke("train", "photos", "--epochs", "40")
    assert result.exit_code == 0, result.output
    assert "photos: 40 images of 12 by 12 pixels, gray\nclassification: 2 classes" in result.output
    assert "test accuracy: 1.0000" in result.output
    assert "upright/" in result.output
    predicted = read_rows(invoke("predict", "photos.safetensors", "photos").stdout)
    assert [Path(row["image"]).parent.name for row in predicted] == ([
        row["predicted class"] for row in predicted
    ])
    single = invoke("predict", "photos.safetensors", str(photos / "upright" / "3.png")).stdout
    assert read_rows(single)[0]["predicted class"] == "upright"
    judged = invoke("evaluate", "photos.safetensors", "photos")
    assert "judged on the 8 samples held out then" in judged.output


def test_images_are_resized_if_asked(photos: Path) -> None:
    from PIL import Image

    Image.open(photos / "lying" / "0.png").resize((24, 20)).save(photos / "lying" / "0.png")
    refused = invoke("train", "photos")
    assert refused.exit_code == 2
    assert "--image-size 32x32 resizes them all" in refused.stderr
    result = invoke("train", "photos", "--image-size", "8", "--epochs", "2")
    assert "40 images of 8 by 8 pixels" in result.output


def test_images_have_no_target(photos: Path) -> None:
    del photos
    result = invoke("train", "photos", "--target", "kind")
    assert result.exit_code == 2
    assert "images have no columns" in result.stderr


# -- where it saves ---------------------------------------------------------------


def test_an_older_model_is_replaced_and_that_is_told(here: Path) -> None:
    before = (here / "iris.safetensors").read_bytes()
    result = invoke("train", "iris", "--epochs", "2")
    assert "saved iris.safetensors, in place of an older model" in result.output
    assert (here / "iris.safetensors").read_bytes() != before


def test_nothing_else_is_ever_overwritten(folder: Path) -> None:
    diary = folder / "iris.safetensors"
    diary.write_text("my diary")
    result = invoke("train", "iris", "--epochs", "2")
    assert result.exit_code == 2
    assert "iris.safetensors exists and is not a ClearProp model" in result.stderr
    assert "try:    --out iris-model.safetensors" in result.stderr
    assert diary.read_text() == "my diary"


def test_the_folder_must_exist(folder: Path) -> None:
    del folder
    result = invoke("train", "iris", "--out", "none/iris.safetensors")
    assert result.exit_code == 2
    assert "lies in a folder that does not exist" in result.stderr


# -- Ctrl-C -----------------------------------------------------------------------


def test_ctrl_c_keeps_what_was_learned(folder: Path) -> None:
    words = ["train", "spiral", "--epochs", "1000000"]
    with subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch"):
                break
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "stopped by Ctrl-C after " in rest
    assert re.search(r"^test accuracy: [01]\.\d{4}$", rest, re.MULTILINE)
    assert load_model(folder / "spiral.safetensors").notes["source"] == "spiral"


def test_ctrl_c_before_the_training_saves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("clearprop.cli.training.read_source", interrupted)
    result = invoke("train", "iris")
    assert (result.exit_code, result.stderr) == (130, "stopped\n")
    assert not (folder / "iris.safetensors").exists()
