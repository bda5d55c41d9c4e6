"""Data: shipped and drawn sets, tables, splits, scalers, and the checks before training.

Arrays in, arrays out.  polars (Parquet, Arrow) and pillow (images) are imported when a
function needs them; everything else works with NumPy alone.
"""

from __future__ import annotations

from clearprop.data.columns import Column
from clearprop.data.encoding import EncodedTable, TableEncoder
from clearprop.data.images import ImageFolder, read_image_folder, read_images
from clearprop.data.intake import as_array, check_data, check_same_length
from clearprop.data.outliers import OutlierReport, outliers
from clearprop.data.reading import read_csv, read_parquet, read_table
from clearprop.data.scaling import (
    DecimalScaler,
    MinMaxScaler,
    Scaler,
    ZScoreScaler,
    scaler_from_config,
)
from clearprop.data.shipped import DATASETS, DatasetInfo, describe, load_digits, load_iris
from clearprop.data.splits import split_indices, train_test_split, train_validation_test_split
from clearprop.data.synthetic import circle, gaussians, plane, spiral, xor
from clearprop.data.tables import Table, as_table
from clearprop.data.targets import TaskDecision, decide_task

__all__ = [
    "DATASETS",
    "Column",
    "DatasetInfo",
    "DecimalScaler",
    "EncodedTable",
    "ImageFolder",
    "MinMaxScaler",
    "OutlierReport",
    "Scaler",
    "Table",
    "TableEncoder",
    "TaskDecision",
    "ZScoreScaler",
    "as_array",
    "as_table",
    "check_data",
    "check_same_length",
    "circle",
    "decide_task",
    "describe",
    "gaussians",
    "load_digits",
    "load_iris",
    "outliers",
    "plane",
    "read_csv",
    "read_image_folder",
    "read_images",
    "read_parquet",
    "read_table",
    "scaler_from_config",
    "spiral",
    "split_indices",
    "train_test_split",
    "train_validation_test_split",
    "xor",
]
