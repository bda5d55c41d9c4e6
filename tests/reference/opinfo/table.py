"""Every operation of PyTorch's table that has a counterpart here."""

from __future__ import annotations

from tests.reference.opinfo.helpers import Counterpart
from tests.reference.opinfo.networks import NETWORKS
from tests.reference.opinfo.numbers import NUMBERS
from tests.reference.opinfo.pieces import PIECES
from tests.reference.opinfo.shapes import SHAPES

COUNTERPARTS: dict[str, Counterpart] = NUMBERS | SHAPES | PIECES | NETWORKS
