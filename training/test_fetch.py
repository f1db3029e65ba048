"""python3 -m unittest training/test_fetch.py (the standard library only)"""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fetch
from readers_code import read_python
from readers_reference import described, read_man, read_pod, read_wordnet

PYTHON = b'''
class HTTPPool:
    """Keeps connections open."""

    @cached
    def area(self, width):
        """Area of a square.

        Negative widths count as positive.

        Parameters
        ----------
        width : float
        """
        # a comment
        if width < 0:
            width = -width
        return width * width * self.scale


def undocumented():
    return 1
'''
WORDNET = b"""  1 a line of the licence
00001 03 n 01 animal 0 000 | a living being
00002 05 n 02 dog 0 Canis_familiaris 0 002 @ 00001 n 0000 ~ 00003 n 0000 | a tame animal; often kept as a pet; "the dog barked"
"""
MAN = rb"""
.SH "NAME"
\fBgreet\fR \- greets
.SH "DESCRIPTION"
Says hello to the \fIname\fR
.Nm .
.nf
greet world
.fi
.PP
Never fails.
"""


class Readers(unittest.TestCase):
    def test_python(self):
        code = "def area(self, width): if width < 0: width = -width return width * width * self.scale"
        expected = [["# HTTP pool", "Keeps connections open."], ["# Area of a square.", code, "Negative widths count as positive."]]
        self.assertEqual(list(read_python(PYTHON, Path("shapes.py"))), expected)

    def test_wordnet(self):
        text = "A tame animal; often kept as a pet. The dog barked. A kind of animal: a living being."
        self.assertEqual(list(read_wordnet(WORDNET, None))[1], ["# dog, Canis familiaris", text])

    def test_described(self):
        node = {"ListUsers": {"documentation": "<p>Lists <b>users</b>.</p><p>At most 50.</p>", "input": [{"name": "Page size", "description": "How many."}]}}
        found = [[block for block in blocks if block] for blocks in described(node, "x")]
        self.assertEqual(found, [["# list users", "Lists users .", "At most 50."], ["# Page size", "How many."]])

    def test_man(self):
        self.assertEqual(list(read_man(MAN, None)), [["# Name", "greet - greets", "# greet - greets", "Says hello to the name.", "Never fails."]])

    def test_pod(self):
        pod = b"=head1 FAQ\n\n=head2 What is B<it>?\n\nA C<< word >> in L<perlfunc/map>.\n\n    code\n"
        self.assertEqual(list(read_pod(pod, None)), [["# FAQ", "# What is it?", "A word in perlfunc/map."]])


class Fetch(unittest.TestCase):
    def test_paragraphs_once(self):
        seen = set()
        first = fetch.cleaned(["# One", "a b c " * 10, "# Empty"], seen, fetch.is_any)
        self.assertEqual(first, ["# One", ("a b c " * 10).strip()])
        self.assertEqual(fetch.cleaned(["# Two", "a b c " * 10], seen, fetch.is_any), [])

    def test_thinned(self):
        documents = [[str(i) * 10] for i in range(10)]
        self.assertEqual(fetch.thinned(documents, 30), [documents[3], documents[6], documents[9]])
        self.assertEqual(fetch.thinned(documents, 1000), documents)

    def test_rules(self):
        listing = "if (x == 0) { return y[1]; } else { f(&z, 3 * x); }"
        self.assertEqual((fetch.is_text(listing), fetch.is_any(listing), fetch.is_any("word")), (False, True, False))

    def test_across_sources(self):
        """A source leaves out what an earlier one has, also if that was fetched before."""
        fetched = [{"name": n, "npm": n, "files": "t$", "reader": "lines", "rule": "any"} for n in ("first", "second")]
        lines = {"first": "a paragraph that both of these sources have", "second": "a paragraph that both of these sources have\nand another one that only the second source has"}
        sources, download = fetch.SOURCES, fetch.download
        fetch.SOURCES, fetch.download = fetched, lambda kind, name, folder: (folder / "t").write_text(lines[name])
        try:
            with tempfile.TemporaryDirectory() as folder:
                fetch.main(folder, ["first"])
                fetch.main(folder, ["second"])
                self.assertEqual((Path(folder) / "second.txt").read_text(), "and another one that only the second source has.\n")
        finally:
            fetch.SOURCES, fetch.download = sources, download


if __name__ == "__main__":
    unittest.main()
