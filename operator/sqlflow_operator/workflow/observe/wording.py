"""Clips and shapes the texts that messages are made of."""

from __future__ import annotations

import re

MESSAGE_LIMIT = 1024
"""Bytes of a condition's message."""
WORDS_LIMIT = 500
"""Bytes of an engine's, a scheduler's, an event's or a diagnostic's own words."""
SHORT_LIMIT = 300
"""Bytes of words that are not the main part of a message."""

_POD_NAME = re.compile(r'\bpods? "[^"]*"')


def clip(text: str, limit: int) -> str:
    """The text on one line, at most `limit` bytes of UTF-8, with `…` if it was cut."""
    flat = " ".join(text.split())
    data = flat.encode()
    return flat if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"


def sentence(text: str) -> str:
    """The text, with a full stop if it has no end."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def without_pod_name(text: str) -> str:
    """The words about a pod on one line, clipped, without the pod's name.

    A refused pod gets another name at each try; a message that changed with it would be written each time.
    """
    return clip(_POD_NAME.sub("the pod", text), WORDS_LIMIT)
