"""Turns the bytes of a file into documents: each reader yields lists of blocks; a block is a paragraph or, prefixed by "# ", a heading."""
import html
import json
import re
import struct
import zlib
from html.parser import HTMLParser

HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
BLOCKS = HEADINGS | {"p", "li", "dd", "dt", "td", "th", "div", "section", "blockquote", "br", "tr", "table", "ul", "ol", "dl", "title"}
HIDDEN = {"pre", "script", "style", "nav", "footer", "head", "button", "sup", "svg", "select"}


class Blocks(HTMLParser):
    def __init__(self):
        super().__init__()
        self.blocks, self.text, self.hidden, self.heading = [], "", [], False

    def flush(self):
        text = " ".join(self.text.split()).replace("\u00b6", "").replace("\u00a7", "").strip()
        if text:
            self.blocks.append(f"# {text}" if self.heading else text)
        self.text = ""

    def handle_starttag(self, tag, attributes):
        if tag in HIDDEN:
            self.hidden.append(tag)
        if tag in BLOCKS:
            self.flush()
            self.heading = tag in HEADINGS

    def handle_endtag(self, tag):
        if tag in self.hidden:
            while self.hidden.pop() != tag:
                pass
        if tag in BLOCKS:
            self.flush()
            self.heading = False

    def handle_data(self, data):
        if not self.hidden:
            self.text += data


def html_blocks(text):
    main = re.search(r"<main\b.*?</main>", text, re.S)
    parser = Blocks()
    parser.feed(main[0] if main else text)
    parser.flush()
    return parser.blocks


def read_html(data, path):
    yield html_blocks(data.decode("utf-8", "replace"))


def markdown_blocks(text):
    title = re.search(r"^---\n.*?^title: *['\"]?(.*?)['\"]?$", text, re.S | re.M)
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M)
    text = re.sub(r"\{/\*.*?\*/\}|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"^(import|export) .*$", "", text, flags=re.M)
    text = re.sub(r"</?[A-Za-z][^>\n]*>", "\n", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`)", "", text)
    blocks = [f"# {title[1]}"] if title else []
    for part in re.split(r"\n\s*\n|\n(?=\s*[-*] |#)", text):
        part = " ".join(part.split())
        heading = re.match(r"#+ +(.*)", part)
        if heading:
            blocks.append(f"# {heading[1]}")
        elif part and not part.startswith("|"):
            blocks.append(re.sub(r"^([-*>]|\d+\.) +", "", part))
    return blocks


def read_markdown(data, path):
    yield markdown_blocks(data.decode("utf-8", "replace"))


def read_chapter(data, path):
    chapter = json.loads(data)
    title = chapter.get("title") or chapter["chapter"]
    yield [f"# {title}", *re.split(r"\n\s*\n", chapter["text"])]


def read_speech(data, path):
    """The addresses have no line breaks, so a paragraph is six sentences."""
    year, *name = path.stem.split("_")
    sentences = re.split(r"(?<=[a-z][.?!]) (?=[A-Z])", " ".join(data.decode("utf-8", "replace").split()))
    paragraphs = [" ".join(sentences[i : i + 6]) for i in range(0, len(sentences), 6)]
    yield [f"# State of the Union address, {year}, {' '.join(name[:-1]).title()}", *paragraphs]


def read_dict(data, path):
    for entry in re.split(r"\n(?=[A-Z][A-Z' -]+, )", data.decode("utf-8", "replace")):
        yield re.split(r"\n\s*\n", entry)


def read_rdb(data, path):
    """R's lazy-load database: zlib streams, each after 4 bytes and with a serialised vector of lines."""
    at = 0
    while at + 4 < len(data):
        stream = zlib.decompressobj()
        try:
            raw = stream.decompress(data[at + 4 :])
        except zlib.error:
            return
        at = len(data) - len(stream.unused_data)
        lines, place = [], 0
        for found in re.finditer(rb"\x00[\x00\x04][\x00\x40\x80\x02\x01]\x09(?=\x00\x00)", raw):
            if found.start() < place:
                continue
            size = struct.unpack(">i", raw[found.end() : found.end() + 4])[0]
            lines.append(raw[found.end() + 4 : found.end() + 4 + size].decode("utf-8", "replace"))
            place = found.end() + 4 + size
        for chapter in re.split(r"\n(?=CHAPTER|Chapter \d+)", "\n".join(lines)):
            yield re.split(r"\n\s*\n", chapter.replace("_", ""))


def read_sword(data, path):
    """A SWORD module: zlib blocks, with an index in the file of the same name that ends in s."""
    places = path.with_name(path.name[:-1] + "s").read_bytes()
    for i in range(len(places) // 12):
        start, size, _ = struct.unpack_from("<III", places, 12 * i)
        if not size:
            continue
        text = zlib.decompress(data[start : start + size]).decode("utf-8", "replace")
        text = re.sub(r"<note.*?</note>", "", text, flags=re.S)
        text = re.sub(r"<w\b[^>]*>|</w>|</?hi\b[^>]*>|</?reference\b[^>]*>|</?divineName>|</?transChange\b[^>]*>|</?q\b[^>]*>|<verse\b[^>]*>", "", text)
        for chapter in re.split(r"<chapter\b[^>]*sID[^>]*>", text):
            chapter = re.sub(r"<title[^>]*>(.*?)</title>", r"\n\n# \1\n\n", chapter, flags=re.S)
            yield re.split(r"\n\s*\n", html.unescape(re.sub(r"<[^>]+>", "\n\n", chapter)))


def read_openapi(data, path):
    for operations in json.loads(data)["paths"].values():
        for operation in operations.values():
            blocks = [f"# {operation.get('summary', '')}", *markdown_blocks(operation.get("description", ""))]
            yield blocks + [p["description"] for p in operation.get("parameters", []) if "description" in p]


SENTENCES = {
    "country-by-capital-city": ("city", ["The capital of {country} is {city}.", "{city} is the capital city of {country}.", "{country} is a country whose capital is {city}."]),
    "country-by-continent": ("continent", ["{country} is a country in {continent}.", "{country} lies in {continent}."]),
    "country-by-languages": ("languages", ["The languages spoken in {country} include {languages}.", "In {country}, people speak {languages}."]),
    "country-by-currency-name": ("currency_name", ["The currency of {country} is the {currency_name}.", "In {country}, people pay in {currency_name}."]),
    "country-by-region-in-world": ("location", ["{country} is in {location}."]),
    "country-by-religion": ("religion", ["The main religion of {country} is {religion}."]),
    "country-by-government-type": ("government", ["The government of {country} is a {government}."]),
    "country-by-national-dish": ("dish", ["The national dish of {country} is {dish}."]),
    "country-by-national-symbol": ("symbol", ["A national symbol of {country} is the {symbol}."]),
}


def read_countries(data, path):
    if path.stem not in SENTENCES:
        return
    field, templates = SENTENCES[path.stem]
    sentences = []
    for row in json.loads(data):
        if row.get(field):
            value = ", ".join(row[field]) if isinstance(row[field], list) else row[field]
            sentences.append(" ".join(t.format(**{**row, field: value}) for t in templates))
    yield sentences


READERS = {name.removeprefix("read_"): f for name, f in globals().items() if name.startswith("read_")}
