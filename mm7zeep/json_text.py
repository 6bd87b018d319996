"""Values as JSON for people and programs: readable, but with nothing in it that steers a terminal or reorders a line.

JSON itself escapes C0 controls alone. Values in, text out; refuses, with ``TypeError`` or ``ValueError``, what is none.
"""

from __future__ import annotations

import json
import re
from typing import Any

# DEL and C1, marks of direction, line and paragraph separators, invisible formatting, tags, halves of pairs
_STEERING = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)


def as_json(value: object, **options: Any) -> str:
    """``value`` as ``json.dumps`` writes it with these options, in Unicode; what steers is written as an escape.

    Such characters stand in strings only, where the escape means the same.
    """
    text = json.dumps(value, ensure_ascii=False, **options)
    return _STEERING.sub(lambda m: json.dumps(m[0])[1:-1], text)
