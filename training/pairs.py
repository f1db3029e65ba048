"""Pairs of related texts, from the structure of documents: training data for embedding models without labels."""
import re

KINDS = ["title", "neighbour", "rest", "sentence"]
SHORTEST = 80  # characters of a passage
SENTENCE_END = re.compile(r"(?<=[a-z)][.?!]) (?=[A-Z])")


def pairs(document, shortest=SHORTEST):
    """Yields (kind, query, passage) of one document, a list of (is_heading, text). Passages have at least `shortest` characters.

    title: a heading, prefixed by its document's, and the paragraph below (in manuals, often a name and its definition). neighbour: two
    consecutive paragraphs. rest: a paragraph's first sentence and the rest of it. sentence: the middle one of three or more, and its paragraph.
    """
    title = document[0][1] if document and document[0][0] else None
    for (is_heading, text), (next_is_heading, following) in zip(document, document[1:]):
        if next_is_heading or len(following) < shortest:
            continue
        if is_heading:
            yield "title", text if title in (None, text) else f"{title}: {text}", following
        elif len(text) >= shortest:
            yield "neighbour", text, following
    for is_heading, text in document:
        if is_heading:
            continue
        sentences = SENTENCE_END.split(text)
        rest = text[len(sentences[0]) + 1 :]
        if len(sentences[0]) > 30 and len(rest) >= shortest:
            yield "rest", sentences[0], rest
        middle = sentences[len(sentences) // 2]
        if len(sentences) >= 3 and len(middle) > 30:
            yield "sentence", middle, text
