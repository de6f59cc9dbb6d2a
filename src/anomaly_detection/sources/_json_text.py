"""JSON text as Python values where the strict decoder gives up: with NaN and Infinity, as Python writes them."""

from __future__ import annotations

import json
import re
from typing import Any

from anomaly_detection.errors import SourceError

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def lenient_json(text: bytes, place: str) -> Any:
    """Decode UTF-8 JSON.

    Raises
    ------
    json.JSONDecodeError
        with the line and column where the JSON breaks.
    SourceError
        beginning with ``place``, for JSON that is well formed and holds what no table can.
    """
    try:
        value = json.loads(text.decode())
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise SourceError(f"{place}: the JSON is nested too deeply.") from None
    except UnicodeEncodeError:
        raise SourceError(
            f"{place}: a text holds half of a character (a lone surrogate such as \\ud83d). Was it cut? Write it whole."
        ) from None
    except ValueError:
        raise SourceError(f"{place}: a whole number has too many digits to be read. Write it as text.") from None
    return value
