"""Texts that belong together, from documents' own structure: a heading and its paragraph, neighbouring paragraphs, a first sentence and what follows."""
import re

KINDS = ["title", "neighbour", "sentence"]
SHORTEST = 80  # characters of a passage


def pairs(document):
    """Yields (kind, query, passage) of one document, a list of (is_heading, text)."""
    title = document[0][1] if document and document[0][0] else None
    for (is_heading, text), (next_is_heading, following) in zip(document, document[1:]):
        if next_is_heading or len(following) < SHORTEST:
            continue
        if is_heading:
            yield "title", text if title in (None, text) else f"{title}: {text}", following
        elif len(text) >= SHORTEST:
            yield "neighbour", text, following
    for is_heading, text in document:
        first, *rest = re.split(r"(?<=[a-z)][.?!]) (?=[A-Z])", text, maxsplit=1)
        if not is_heading and rest and len(first) > 30 and len(rest[0]) >= SHORTEST:
            yield "sentence", first, rest[0]
