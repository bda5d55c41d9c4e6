"""How every test runs: the same examples each time, no clocks, no screens."""

from __future__ import annotations

import os

import hypothesis

os.environ.setdefault("KERAS_BACKEND", "torch")  # read once, when Keras is first imported
os.environ["MPLBACKEND"] = "Agg"
os.environ["CLEARPROP_CACHE"] = "off"  # code of an earlier run is no code of this one

hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")
