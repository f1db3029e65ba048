"""Readers of reference works: dictionaries, fact books, classifications, API descriptions. Mostly a document per entry: name, then description."""
import html
import json
import re
import sqlite3
import xml.etree.ElementTree as xml

from readers import html_blocks
from readers_code import words

TAG = re.compile(r"<[^>]+>")


def sentence(text):
    text = " ".join(html.unescape(TAG.sub(" ", text)).split())
    return text if not text or text[-1] in ".!?:;" else text + "."


def read_wordnet(data, path):
    """A synset: its words; its definition, examples and what it is a kind of."""
    synsets = {}
    for line in data.decode("ascii").splitlines():
        if line[:1] == " ":
            continue
        left, gloss = line.split(" | ", 1)
        at, _, _, count, *fields = left.split()
        count = int(count, 16)
        names = [re.sub(r"\(\w+\)$", "", w).replace("_", " ") for w in fields[: 2 * count : 2]]
        pointers = fields[2 * count + 1 :]
        above = next((pointers[i + 1] for i, p in enumerate(pointers) if p in ("@", "@i")), None)
        synsets[at] = names, gloss.strip(), above
    for names, gloss, above in synsets.values():
        parts = [sentence(p.strip().strip('"').capitalize()) for p in re.split(r';\s*(?=")', gloss)]
        if above:
            kinds, meaning, _ = synsets[above]
            parts.append(f"A kind of {kinds[0]}: {meaning.split('; ')[0]}.")
        yield [f"# {', '.join(names)[:85]}", " ".join(parts)]


def flattened(value):
    if isinstance(value, dict):
        return " ".join(sentence(flattened(v) if k == "text" else f"{k}: {flattened(v)}") for k, v in value.items() if v)
    return str(value)


def read_factbook(data, path):
    """Fields of a country, a document each: "France: Climate", then the text."""
    sections = json.loads(data)
    try:
        names = sections["Government"]["Country name"]
        country = names["conventional short form"]["text"]
        country = names["conventional long form"]["text"] if country == "none" else country
    except KeyError:
        return
    for fields in sections.values():
        for name, value in fields.items():
            yield [f"# {country}: {name}", *(sentence(p) for p in re.split(r"<br\s*/?>|\+\+", flattened(value)))]


def described(node, key):
    """Every object with a description, as [title, description], however deep in a JSON document."""
    if isinstance(node, list):
        for part in node:
            yield from described(part, key)
    elif isinstance(node, dict):
        text = node.get("documentation") or node.get("description")
        title = node.get("title") or node.get("name") or key
        if isinstance(text, str) and isinstance(title, str) and not re.search(r"\[%|[{}]", text):
            text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
            parts = re.split(r"</p>|</li>|\n\s*\n", text)
            yield [f"# {title if ' ' in title else words(title)}", *(" ".join(html.unescape(TAG.sub(" ", p)).replace("`", "").split()) for p in parts)]
        for name, part in node.items():
            yield from described(part, name)


def read_described(data, path):
    yield from described(json.loads(data), path.stem)


def read_elements(data, path):
    """Columns of mendeleev's table of chemical elements as sentences."""
    table = sqlite3.connect(path)
    for name, symbol, number, *texts in table.execute("select name, symbol, atomic_number, description, sources, uses, discoverers, name_origin from elements"):
        titles = ["What is {}?", "Where {} comes from", "Uses of {}", "Who discovered {}?", "Origin of the name {}"]
        starts = [f"{name} is the chemical element with the symbol {symbol} and the atomic number {number}. ", "", "", f"{name} was discovered by: ", ""]
        for title, start, text in zip(titles, starts, texts):
            if text:
                yield [f"# {title.format(name.lower())}", start + sentence(text)]


def read_diagnoses(data, path):
    """ICD-10-CM: a diagnosis, what it belongs to, other names of it and what it is not."""
    for chapter in xml.fromstring(data).iter("chapter"):
        field = re.sub(r" \(.*", "", chapter.findtext("desc"))
        above = {child: parent for parent in chapter.iter() for child in parent}
        for node in chapter.iter("diag"):
            parent, notes = above[node].findtext("desc"), lambda kind: "; ".join(re.sub(r" \([A-Z]\d.*", "", n.text) for n in node.iterfind(f"{kind}/note"))
            text = f"A diagnosis among: {re.sub(r' [(].*', '', parent)}; {field.lower()}."
            for start, kind in [("Also called", "inclusionTerm"), ("Includes", "includes"), ("Not included", "excludes1"), ("Not included here", "excludes2")]:
                text += f" {start}: {notes(kind)}." if notes(kind) else ""
            yield [f"# {node.findtext('desc')[:85]}", text]


def read_weaknesses(data, path):
    """CWE: a document per weakness."""
    for entry in json.loads(data).values():
        if not isinstance(entry, dict) or "Description" not in entry:
            continue
        texts = [v for v in strings(entry) if v.count(" ") > 6]
        yield [f"# {entry.get('attr', {}).get('@_Name', '')}", *texts]


def strings(node):
    if isinstance(node, str):
        yield " ".join(TAG.sub(" ", node).split())
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from strings(part)


def read_lines(data, path):
    """Sentences without an order, 50 to a document."""
    lines = [sentence(line) for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    for i in range(0, len(lines), 50):
        yield lines[i : i + 50]


def read_jargon(data, path):
    """The Jargon File: a headword at the start of a line, its text indented."""
    for entry in re.split(r"\n\s*\n(?=\S)", data.decode("utf-8", "replace")):
        head, _, body = entry.partition("\n")
        yield [f"# {head}", *(re.sub(r"[{}]", "", p) for p in re.split(r"\n\s*\n", body))]


def read_pod(data, path):
    """Perl's manuals."""
    blocks = []
    for part in re.split(r"\n\s*\n", data.decode("utf-8", "replace")):
        heading = re.match(r"=(?:head\d|item) +(.*)", part, re.S)
        if part[:1] in " \t" or (part[:1] == "=" and not heading):
            continue
        text = heading[1] if heading else part
        text = re.sub(r"X<[^>]*>", "", text)
        for _ in range(3):
            text = re.sub(r"[BICFSL](?:<<+ (.*?) >>+|<(?:[^<>|]*\|)?([^<>]*)>)", r"\1\2", text)
        text = " ".join(re.sub(r"E<lt>", "<", re.sub(r"E<gt>", ">", text)).split())
        if heading and part.startswith("=head1") and blocks:
            yield blocks
            blocks = []
        blocks.append(f"# {text}" if heading and len(text) > 2 else text)
    yield blocks


HIDDEN = {"Vb": "Ve", "nf": "fi", "Bd": "Ed", "CS": "CE", "de": "."}
BREAKS = {"PP", "P", "LP", "Pp", "IP", "TP", "It", "Bl", "El", "sp"}
SKIPPED = {"IX", "TH", "Dd", "Dt", "Os", "Cd", "Fd", "In", "if", "ie", "el", "ds", "tr", "rm", "nh", "ad", "ft", "ne", "so", "AS", "AP"}


def plain(text):
    r"""Without roff's escapes: \fBname\fR -> name."""
    text = re.sub(r"\\f(\(..|\[\w*\]|.)|\\s[-+]?\d|\\[&|^/,]|\\\*\(L\"|\\\*\(R\"", "", text)
    return re.sub(r"\\\*\(..|\\\(..", " ", text).replace("\\-", "-").replace("\\e", "\\").replace("\\", "")


def read_man(data, path):
    """Manual pages, man or mdoc: a document per page, without its listings. Its name and purpose stand above its description."""
    blocks, text, end, name = [], "", None, ""
    for line in data.decode("utf-8", "replace").splitlines():
        macro, _, rest = line[1:].strip().partition(" ") if line[:1] in (".", "'") else ("", "", line)
        if end or macro in HIDDEN:
            end = None if macro == end else end or HIDDEN[macro]
            continue
        rest = plain(rest.replace('"', "") if macro else rest).strip()
        if macro in ("SH", "Sh", "SS", "Ss"):
            blocks += [text, f"# {rest.capitalize() if rest.isupper() else rest}"]
            text = ""
        elif macro in BREAKS:
            blocks.append(text)
            text = ""
        elif macro.startswith('\\"') or macro in SKIPPED:
            continue
        else:
            if macro == "Nm":
                named = rest[:1].isalnum()
                name = name or (rest.split(" ")[0] if named else "")
                rest = rest if named else f"{name} {rest}"
            rest = {"Fx": "FreeBSD", "Nx": "NetBSD", "Ox": "OpenBSD", "Bx": "BSD"}.get(macro, rest) if macro else rest
            text += " " + (re.sub(r"^(\S+) (\d)", r"\1(\2)", rest) if macro == "Xr" else rest)
    blocks = [re.sub(r" +([.,;:)])", r"\1", b.strip()).replace("( ", "(") for b in [*blocks, text] if b.strip()]
    title = f"# {blocks[1]}" if blocks[:1] == ["# Name"] and len(blocks) > 1 else "# Description"
    yield [title if b == "# Description" else b for b in blocks]


def read_sphinx(data, path):
    """The body of a page that Sphinx made, without the navigation around it."""
    page = data.decode("utf-8", "replace")
    start = re.search(r'<[^<>]*(role="main"|itemprop="articleBody"|class="docs-body")', page)
    page = page[start.start() if start else 0 :]
    end = re.search(r'<[^<>]*class="(sphinxsidebar|related|docs-actions|docs-sidebar-toc|prev-next-area)|<footer', page)
    yield html_blocks(page[: end.start()] if end else page)


def read_quiz(data, path):
    """BSD's quiz: "first|other:second"; braces mark what may be left out."""
    lines = [re.sub(r"[{}]", "", line).split(":") for line in data.decode("utf-8", "replace").replace("\\\n", "").splitlines()]
    yield [" is to ".join(field.split("|")[0] for field in line[:2]) + "." for line in lines if len(line) > 1]


READERS = {name.removeprefix("read_"): f for name, f in globals().items() if name.startswith("read_")}
