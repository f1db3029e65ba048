"""python3 -m unittest training/test_distill.py: the recipe on a small scale, about two minutes. Needs PyTorch and transformers."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MODELS = HERE.parent / "public/models"
TOKENS = 3e5


def run(name, *arguments):
    return subprocess.run([sys.executable, HERE / name, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


class Recipe(unittest.TestCase):
    def test_a_student_comes_to_answer_as_its_teacher(self):
        """A new model learns from nano-embed on the guides of this repository."""
        with tempfile.TemporaryDirectory() as top:
            top = Path(top)
            (top / "text").mkdir()
            for folder in ("guide", "."):
                pages = sorted((HERE.parent / "docs" / folder).glob("*.md"))
                documents = ["\n\n".join(block for block in page.read_text().split("\n\n") if "```" not in block) for page in pages]
                (top / f"text/{'guides' if folder == 'guide' else 'pages'}.txt").write_text("\n\f\n".join(documents))
            teacher = MODELS / "nano-embed"
            run("student.py", "--teacher", teacher, "--text", top / "text", "--modules", teacher, "--out", top / "start")
            run("teach.py", "--teacher", teacher, "--student", top / "start", "--text", top / "text", "--out", top / "cache", "--pairs", 600)
            said = run(
                "distill.py", "--from", top / "start", "--teacher", top / "cache", "--out", top / "out", "--tokens", TOKENS, "--warmup", 1e4,
                "--decay", 1.5e5, "--rows", 16, "--long", 512, "--eval-every", TOKENS, "--log-every", 5,
            )
            losses = [[float(x) for x in line.split("losses ")[1].split()[:4]] for line in said.splitlines() if "losses" in line]
            for name, first, last in zip(["token", "text"], losses[0], losses[-1]):
                self.assertLess(last, 0.6 * first, name)
            found = json.loads((top / "cache/guides.0.json").read_text())
            self.assertEqual(np.load(top / "cache/guides.0.npy").shape, (len(found["ids"]), 256))
            self.assertEqual(np.load(top / "cache/guides.0.tokens.npy").shape, (sum(map(len, found["ids"])), 256))
            vocabulary = json.loads((top / "out/tokenizer.json").read_text())["model"]["vocab"]
            self.assertEqual(sorted(vocabulary.values()), list(range(len(vocabulary))))


if __name__ == "__main__":
    unittest.main()
