"""Writes eval/sets/*.json, texts of kinds and sources that training leaves out: python3 eval_sets.py TEXT_FOLDER [SET ...]

Each set but `long` is a list of pairs of one kind: a query, and the passage of the set that it must find. Needs npm, pip, apt-get and dpkg-deb.
Versions are fixed where the registry keeps old ones; of Debian it is the newest of the release, so a later run may differ a little. TEXT_FOLDER, as
fetch.py writes it, is read for `long` only. `debian` is not committed, since the licences of its texts differ from package to package: names are.
"""
import gzip
import json
import re
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import numpy as np

from data import documents, domains, split
from fetch import download, unpacked
from held_out import HERE, PASSAGE, QUERY, cut
from readers import html_blocks
from tokenizer import Tokenizer

SETS = HERE / "eval/sets"
EMBED = HERE.parent / "public/models/nano-embed"
BOILERPLATE = re.compile(r"what.s new in|features|bugfix|miscellaneous|overview|notes|changes|compatibility|deprecated|issues|\d\.\d|^1\.[^ ]*$", re.I)
DJANGO = "usr/share/doc/python-django-doc/html"


def package(kind, name, top):
    """The folder with an unpacked package, which is downloaded once."""
    folder = Path(top) / re.sub(r"\W", "_", name)
    if not folder.exists():
        folder.mkdir()
        if kind == "pypi":
            subprocess.run(["pip", "download", "-q", "--no-deps", "-d", folder, name], check=True)
            zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(folder)
        else:
            download({kind: name}, folder)
    return folder


def flat(text):
    return " ".join(text.split())


def pair(query, passage):
    return {"query": cut(flat(query), QUERY), "passage": cut(flat(passage), PASSAGE)}


def draw(found, most, rng, shortest=0):
    """At most `most` of the pairs, no query and no passage twice."""
    queries, passages, kept = set(), set(), []
    for i in rng.permutation(len(found)):
        query, passage = found[i]["query"], found[i]["passage"]
        if len(kept) < most and len(passage) >= shortest and query not in queries and passage not in passages:
            queries.add(query)
            passages.add(passage)
            kept.append(found[i])
    return kept


def sections(folder, files):
    """(heading, its text) of pages; the text ends at the next heading."""
    for path in sorted(folder.glob(files)):
        heading, rest = None, []
        for block in [*html_blocks(unpacked(path).decode("utf-8", "replace")), "# "]:
            if block.startswith("# "):
                if heading and rest:
                    yield heading, " ".join(rest)
                heading, rest = block[2:].strip(), []
            else:
                rest.append(block)


def question(top, rng):
    """FAQ entries, and answers of at least two words in a corpus of conversations."""
    found = []
    for debian, files in [("python3.11-doc", "usr/share/doc/python3.11/html/faq/*.html"), ("python-django-doc", f"{DJANGO}/faq/*.html"),
                          ("zsh-doc", "usr/share/doc/zsh-common/html/FAQ0*.html")]:
        here = [pair(re.sub(r"^[\d.]+:? ", "", q), a) for q, a in sections(package("debian", debian, top), files) if q.endswith("?")]
        found += draw(here, 200, rng, 60)
    folder = package("pypi", "chatterbot-corpus==1.3.3", top) / "chatterbot_corpus/data/english"
    for most, shortest, names in [(120, 8, ["trivia"]), (120, 30, ["ai", "computers", "food", "health", "history", "literature", "money", "psychology", "science"])]:
        here = [pair(q, a) for n in names for q, a in re.findall(r"^- - (.*)\n  - ([^|>].*)", (folder / f"{n}.yml").read_text(), re.M)]
        found += draw([p for p in here if len(p["query"]) > 15 and " " in p["passage"]], most, rng, shortest)
    return draw(found, 600, rng)


class Commands:
    """Sentences from Home Assistant's templates: (a|b) is one of them, [a] may be left out, {list:slot} is a slot, <rule> another template."""

    # Rules of which every choice of words is right only in some places have the same words everywhere.
    PLAIN = {"the": "the", "in": "in", "all": "all the", "is": "is", "are": "are", "any": "any", "which": "which", "how_many": "how many",
             "here": "here", "everywhere": "everywhere", "close": "(close|shut|lower)", "open": "(open|raise|lift)", "turn": "(turn|switch)"}
    SLOTS = {
        "name": ["ceiling fan", "front door", "coffee machine", "bookshelf lamp", "garage gate", "heat pump", "record player", "porch light"],
        "area": ["kitchen", "bedroom", "living room", "office", "hallway", "attic"], "floor": ["basement", "upper", "second"],
        "message": ["dinner is ready", "the taxi has arrived", "someone is at the door"], "zone": ["work", "school", "the gym"],
        "item": ["apples", "washing powder", "call the plumber", "two litres of milk"], "name_of_timer": ["pizza", "laundry", "homework"],
        "conversation_command": ["open the blinds", "lock the doors"], "search_query": ["the Beatles", "quiet piano music", "a nature film"],
    }

    def __init__(self, data, rng):
        self.data, self.rng = data, rng

    def words(self, slot):
        """A value of a slot, as it is said."""
        name, _, role = slot.partition(":")
        values = self.SLOTS.get("name_of_timer" if name == "timer_name" else role or name) or self.SLOTS.get(name)
        known = self.data["lists"].get(name, {})
        if "range" in known:
            return str(self.rng.integers(2, 60) if known["range"]["to"] <= 100 else 100 * self.rng.integers(20, 60))
        if "values" in known:
            values = [v["in"] if isinstance(v, dict) else v for v in known["values"]]
        return values[self.rng.integers(len(values))]

    def said(self, template, slots):
        """A sentence of a template. `slots`: the values chosen so far, which it adds to."""
        while found := re.search(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]|<(\w+)>|\{([^{}]*)\}", template):
            some, optional, rule, slot = found.groups()
            if slot:
                value = slots.setdefault(slot, self.words(slot))
            elif rule:
                value = f"({self.PLAIN.get(rule) or self.data['expansion_rules'][rule]})"
            else:
                options = (some if some is not None else optional).split("|")
                value = options[self.rng.integers(len(options))] if some is not None or self.rng.random() < 0.15 else ""
            template = template[: found.start()] + value + template[found.end() :]
        return flat(template)


def paraphrase(top, rng):
    """Two ways to give a home the same command, with few words in common; Unicode's name of an emoji and CLDR's."""
    data = json.loads((package("pypi", "home-assistant-intents==2026.11.25", top) / "home_assistant_intents/data/en.json").read_text())
    common = lambda a, b: len(set(a.split()) & set(b.split())) / len(set(a.split()) | set(b.split()))
    commands, found = Commands(data, rng), []
    for blocks in data["intents"].values():
        for block in blocks["data"]:
            for _ in range(2):
                slots, drawn = {}, rng.choice(block["sentences"], 30)
                said = sorted({commands.said(s, slots) for s in drawn if ";" not in s})
                alike = [(common(a, b), a, b) for a in said for b in said if a < b and all(v in a and v in b for v in slots.values())]
                share, a, b = min(alike, default=(1, "", ""))
                if share <= 0.5:
                    found.append({"query": a, "passage": b})
    found = draw(found, 350, rng)
    for emoji in json.loads((package("npm", "emojibase-data@17.0.0", top) / "package/en/data.json").read_text()):
        letters = emoji["emoji"].replace("\ufe0f", "")
        name, label = unicodedata.name(letters, "").lower() if len(letters) == 1 else "", emoji["label"].lower()
        if " " in name and " " in label and common(name, label) < 0.34:
            found.append({"query": name, "passage": label})
    return draw(found, 600, rng)


def code_below(lines):
    """The lines up to the one that closes all brackets."""
    depth = 0
    for n, line in enumerate(lines):
        depth += sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}")
        if depth <= 0 and (n > 0 or line.rstrip().endswith((";", "}", ")"))):
            return lines[: n + 1]
    return lines


def code(top, rng):
    """The description in a JSDoc comment, and the function below without comments; white space is one space, as our tokenizer for training asks."""
    found = []
    for name, files, most in [("lodash@4.18.1", "lodash.js", 90), ("ramda@0.32.0", "src/*.js", 90), ("date-fns@4.4.0", "*.js", 90),
                              ("eslint@10.15.0", "lib/**/*.js", 90), ("three@0.187.0", "src/**/*.js", 90), ("effect@4.1.0", "src/*.ts", 90), ("async@3.2.6", "*.js", 30)]:
        here = []
        for path in sorted((package("npm", name, top) / "package").glob(files)):
            text = path.read_text()
            for comment in re.finditer(r"/\*\*(.*?)\*/[ \t]*\n", text, re.S):
                said = re.sub(r"^\s*\* ?", "", comment[1], flags=re.M)
                described = re.search(r"@description\s(.*?)(?=\n@|\n\n|\Z)", said, re.S)
                said = described[1] if described else re.split(r"\n\s*@|\n\s*\n|```", said.strip())[0]
                said = re.sub(r"\{@link ([^} |]*)[^}]*\}", r"\1", said)
                below = code_below(text[comment.end() : comment.end() + 3000].splitlines())
                body = flat(re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", "\n".join(below), flags=re.S))
                is_function = re.match(r"(export |async |static |default )*(function\b|[\w.]+ ?\([^)]*\) ?\{|(const|var|let) \w+.*(=>|function|\())", body)
                if len(said) >= 40 and len(said.split()) >= 6 and "@" not in said and is_function and len(body) >= 80:
                    here.append(pair(said, body))
        found += draw(here, most, rng)
    return draw(found, 600, rng)


def report(top, rng):
    """Titles in Django's release notes (security reports, features, incompatible changes) and the text below."""
    found = [pair(re.sub(r"^CVE-[\d-]+: ", "", title), text) for title, text in sections(package("debian", "python-django-doc", top), f"{DJANGO}/releases/*.html")
             if len(title) >= 15 and " " in title and not BOILERPLATE.search(title)]
    return draw(found, 500, rng, 100)


def debian(top, rng):
    """Synopses and descriptions of the Debian packages in debian-names.json, which is chosen here if it is missing."""
    kept, lists = SETS / "debian-names.json", Path(top) / "lists"
    (lists / "partial").mkdir(parents=True)
    options = ["-o", f"Dir::State::lists={lists}", "-o", "Acquire::Languages=en", "-o", "APT::Sandbox::User=root"]
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True)  # descriptions are in lists that many machines leave out
    of = lambda *command: subprocess.check_output(["apt-cache", *options, *command], text=True)
    unlike = re.compile(r"-(dev|dbg|doc|data|common|l10n|locale|dbgsym)\b|\d$|^lib|-lib|^help-|hunspell|^task-")
    names = json.loads(kept.read_text()) if kept.exists() else sorted(n for n in of("pkgnames").split() if not unlike.search(n))
    shown = of("show", "--no-all-versions", *[names[i] for i in rng.permutation(len(names))[:1500]])
    found = []
    for record in shown.split("\n\n"):
        name = re.search(r"^Package: (.*)", record, re.M)
        text = re.search(r"^Description(?:-en)?: (.*)\n((?: .*\n?)+)", record, re.M)
        if name and text:
            found.append({"name": name[1], **pair(text[1], re.sub(r"^ \.$", "", text[2], flags=re.M))})
    found = sorted(draw(found, 500, rng, 100), key=lambda p: p["name"])
    if not kept.exists():
        kept.write_text(json.dumps([p["name"] for p in found], indent=2) + "\n")
    return [{k: p[k] for k in ("query", "passage")} for p in found]


LONGEST, SHORTEST, DOCUMENTS = 8000, 4000, 100
END = re.compile(r"(?<=[a-z)][.?!]) (?=[A-Z])")


def long(top, rng, folder):
    """Documents of SHORTEST to LONGEST tokens, and as query a sentence from the middle of each: pages of Django's documentation, and consecutive
    documents held out from training, of one domain."""
    count = lambda text: len(tokenizer.encode(text))
    tokenizer, parts, domain = Tokenizer(EMBED), [], domains()
    for path in sorted(Path(folder).glob("*.txt")):
        held_out = [text for document in split(list(documents(path)))[1] for _, text in document] if path.stem in domain else []
        parts.append((domain.get(path.stem), held_out))
    for path in sorted((package("debian", "python-django-doc", top) / DJANGO).rglob("*.html")):
        if not re.search(r"genindex|search|_modules|py-modindex|releases", str(path)):
            parts.append(("django", html_blocks(unpacked(path).decode("utf-8", "replace"))))
    found = []
    for name, blocks in parts:
        whole, tokens, enough = [], 0, LONGEST - 800 if name == "django" else SHORTEST + 500
        for block in [*(b.removeprefix("# ") for b in blocks), None]:
            if tokens >= enough or (block is None and tokens >= SHORTEST + 100):
                found.append((name, "\n\n".join(whole)))
                whole, tokens = [], 0
                if name == "django":
                    break  # one part of a page, or documents would be alike
            if block:
                whole.append(block)
                tokens += count(block) + 2
    per_domain, kept = {}, []
    for i in rng.permutation(len(found)):
        name, text = found[i]
        middle = text[int(len(text) * 0.4) : int(len(text) * 0.6)].split("\n\n")[1:-1]
        middle = [s for block in middle for s in END.split(block) if 60 <= len(s) <= QUERY and s[-1] in ".?!"]
        if len(kept) < DOCUMENTS and middle and SHORTEST <= count(text) <= LONGEST and per_domain.get(name, 0) < (67 if name == "django" else 24):
            per_domain[name] = per_domain.get(name, 0) + 1
            kept.append({"domain": name, "query": middle[len(middle) // 2], "passage": text})
    print(per_domain)
    return kept


def main(folder, names):
    about = json.loads((SETS / "about.json").read_text())
    with tempfile.TemporaryDirectory() as top:
        for name, make in {"question": question, "paraphrase": paraphrase, "code": code, "report": report, "debian": debian, "long": long}.items():
            if names and name not in names:
                continue
            pairs = make(top, np.random.default_rng(0), *([folder] if make is long else []))
            text = json.dumps({**about[name], "pairs": pairs}, ensure_ascii=False, indent=2) + "\n"
            if make is long:
                (SETS / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
            else:
                (SETS / f"{name}.json").write_text(text, encoding="utf-8")
            print(f"{name}: {len(pairs)} pairs, {len(text) / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
