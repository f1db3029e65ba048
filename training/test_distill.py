"""python3 -m unittest training/test_distill.py: the recipe on a small scale, about four minutes. Needs PyTorch and sentence-transformers."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MODELS = HERE.parent / "public/models"
TOKENS = 1.5e5


def run(name, *arguments):
    return subprocess.run([sys.executable, HERE / name, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


class Recipe(unittest.TestCase):
    def test_a_student_comes_to_answer_as_its_teacher(self):
        """nano, a masked language model, learns from nano-embed on the guides of this repository."""
        with tempfile.TemporaryDirectory() as top:
            top = Path(top)
            (top / "text").mkdir()
            for folder in ("guide", "."):
                pages = sorted((HERE.parent / "docs" / folder).glob("*.md"))
                documents = ["\n\n".join(block for block in page.read_text().split("\n\n") if "```" not in block) for page in pages]
                (top / f"text/{'guides' if folder == 'guide' else 'pages'}.txt").write_text("\n\f\n".join(documents))
            run("teach.py", "--teacher", MODELS / "nano-embed", "--text", top / "text", "--out", top / "cache", "--pairs", 600)
            said = run(
                "distill.py", "--from", MODELS / "nano", "--modules", MODELS / "nano-embed", "--teacher", top / "cache", "--out", top / "out",
                "--tokens", TOKENS, "--warmup", 1e4, "--decay", 7e4, "--rows", 16, "--eval-every", TOKENS, "--log-every", 10,
            )
            # 1 - cosine to the teacher's vectors, the mean of ten steps
            distances = [float(line.split("losses ")[1].split()[0]) for line in said.splitlines() if "losses" in line]
            self.assertLess(distances[-1], 0.75 * distances[0])
            found = json.loads((top / "cache/guides.0.json").read_text())
            self.assertEqual(np.load(top / "cache/guides.0.npy").shape, (len(found["texts"]), 256))


if __name__ == "__main__":
    unittest.main()
