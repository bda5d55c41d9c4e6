"""What the tests read in a fence's first line is not shown: ```python no-run is ```python."""

from __future__ import annotations

import re
from typing import Any

FLAGS = re.compile(r"^( *`{3,}(?:python|console)) +(?:no-run|raises=\w+|exit=\d+)$", re.MULTILINE)


def on_page_markdown(markdown: str, **context: Any) -> str:
    return FLAGS.sub(r"\1", markdown)
