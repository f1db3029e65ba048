"""python3 -m unittest discover training (needs PyTorch: python3-torch of Debian 12 or newer; not part of npm test)"""
import json
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from checkpoint import read_config, read_tensors, write_tensors
from combine import combined
from data import Source, mask, pack
from embedding import embed
from eval_sets import Commands, code_below
from evaluate import retrieval, spearman
from modernbert import attend, attend_in_blocks, load, one_sequence
from optimizer import orthogonal, rate
from pairs import pairs
from quantize import GROUP, Rounded, rounded
from student import cut, kept_tokens
from tile import grow
from tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/goldens"))
from reference import read_safetensors  # noqa: E402

GOLDEN = ROOT / "src/model/fixtures/golden"
NANO = ROOT / "public/models/nano"


class Golden(unittest.TestCase):
    """Against Hugging Face's own outputs."""

    def test_forward(self):
        golden = read_safetensors(GOLDEN / "tiny-mlm.safetensors")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["node", ROOT / "tools/make-checkpoint.mjs", GOLDEN / "specs/tiny-mlm.json", folder], check=True, stdout=subprocess.DEVNULL)
            model = load(folder).double().eval()
        with torch.no_grad():
            hidden = torch.cat([model.model(*one_sequence(ids.copy()))[0] for ids in np.split(golden["input_ids"], np.cumsum(golden["lengths"])[:-1])])
            logits = model.logits(hidden[golden["logit_rows"].tolist()])
        np.testing.assert_allclose(hidden.numpy(), golden["last_hidden_state"], atol=1e-5)
        np.testing.assert_allclose(logits.numpy(), golden["logits"], atol=1e-4)

    def test_rounding_is_the_librarys(self):
        name = "layers.3.mlp.Wi.weight"
        with tempfile.TemporaryDirectory() as folder:
            command = ["node", "tools/run.mjs", "cli/main.ts", "convert", "public/models/nano-embed", f"{folder}/q4", "--dtype", "q4"]
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            file = read_safetensors(f"{folder}/q4/model.safetensors")
        halves = file[name].reshape(-1, 4)
        integers = np.concatenate([halves & 15, halves >> 4], 1).astype(np.float32).reshape(-1, GROUP) - 8
        expected = (integers * file[f"{name}.scales"].astype(np.float32).reshape(-1, 1)).reshape(768, 256)
        actual = rounded(read_tensors(ROOT / "public/models/nano-embed/model.safetensors")[name]).numpy()
        self.assertGreater((actual == expected).mean(), 0.995)  # not all: two scales can be equally good, and sums differ by their order

    def test_tokenizer(self):
        golden, tokenizer = read_safetensors(GOLDEN / "nano.safetensors"), Tokenizer(NANO)
        texts = json.loads((GOLDEN / "nano-texts.json").read_text())
        for text, ids in zip(texts, np.split(golden["input_ids"], np.cumsum(golden["lengths"])[:-1])):
            if "[MASK]" not in text:
                self.assertEqual([tokenizer.cls, *tokenizer.encode(text), tokenizer.sep], ids.tolist())


class Parts(unittest.TestCase):
    def test_blocks_equal_full_attention(self):
        torch.manual_seed(0)
        q, k, v = torch.randn(3, 2, 2, 50, 8).unbind(0)
        sequence = torch.tensor([[0] * 20 + [1] * 30, [0] * 50])
        place = torch.arange(50)
        seen = (sequence[:, :, None] == sequence[:, None, :]) & ((place[:, None] - place[None, :]).abs() <= 4)
        torch.testing.assert_close(attend_in_blocks(q, k, v, sequence, 4), attend(q, k, v, seen))

    def test_orthogonal(self):
        values = torch.linalg.svdvals(orthogonal(torch.randn(2, 48, 16)))
        self.assertTrue(((values > 0.6) & (values < 1.3)).all())

    def test_rate(self):
        self.assertEqual([rate(n, 10, 40, 100) for n in (5, 10, 60, 70, 100)], [0.5, 1, 1, 0.5, 0])

    def test_tiled_model_answers_as_the_small_one(self):
        small, config = load(NANO).eval(), read_config(NANO)
        doubled = {name: 2 * config[name] for name in ("hidden_size", "intermediate_size", "num_attention_heads")}
        large = grow(read_tensors(NANO / "model.safetensors"), config, config | doubled).eval()
        batch = one_sequence(range(100, 180))
        with torch.no_grad():
            expected, actual = (model.logits(model.model(*batch)) for model in (small, large))
        torch.testing.assert_close(actual, expected, atol=1e-3, rtol=1e-3)

    def test_texts_packed_in_rows_embed_as_alone(self):
        encoder = load(NANO).eval().model
        texts = [list(range(at, at + size)) for at, size in ((5, 30), (900, 100), (70, 3), (300, 95))]
        with torch.no_grad():
            hidden, means = embed(encoder, texts, 128)
            alone = [encoder(*one_sequence(ids))[0] for ids in texts]
        torch.testing.assert_close(hidden, torch.cat(alone), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(means, torch.stack([states.mean(0) for states in alone]), atol=1e-4, rtol=1e-4)

    def test_rows_are_full_and_masks_are_counted(self):
        tokenizer, rng = Tokenizer(NANO), np.random.default_rng(0)
        lengths = iter([30, 90, 128, 7, 60, 300])
        ids, sequence, position = pack(lambda most: rng.integers(0, 16000, min(most, next(lengths))), 2, 128)
        self.assertEqual([row.unique_consecutive(return_counts=True)[1].tolist() for row in sequence], [[30, 90, 8], [7, 60, 61]])
        self.assertEqual(position[0, 28:33].tolist(), [28, 29, 0, 1, 2])
        masked, places, right = mask(ids, 0.3, tokenizer, 16384, torch.Generator().manual_seed(0))
        self.assertTrue(50 < len(places) < 105)
        self.assertTrue(torch.equal(ids.flatten()[places], right))
        changed = (masked != ids).flatten().nonzero()[:, 0]
        self.assertTrue(set(changed.tolist()) <= set(places.tolist()))

    def test_sequences_are_documents_or_a_few_sentences(self):
        tokenizer = Tokenizer(NANO)
        text = "One ship sailed. Two came back! Was it late?\n\nNo."
        ids = np.array(tokenizer.encode(text), np.uint16)
        source = Source("a", [[(False, ids)]] * 3, tokenizer, np.random.default_rng(0), short=0.5)
        taken = Counter(tokenizer.library.decode(source.take(64).tolist()) for _ in range(400))
        sentences = ["One ship sailed.", " Two came back!", " Was it late?"]
        self.assertGreater(taken[text], 150)  # whole documents, without a newline at the end
        for first in range(3):
            for last in range(first + 1, 4):
                self.assertGreater(taken["".join(sentences[first:last])], 3, (first, last))
        self.assertEqual({kind for kind in taken if kind not in text}, set())

    def test_combined(self):
        tensors = lambda value, prefix: {f"{prefix}a": torch.tensor([value]), f"{prefix}b": torch.tensor([2 * value])}
        sums = combined([(tensors(1.0, ""), 1), (tensors(10.0, "model."), 0.5), (tensors(4.0, "model."), -0.5)])
        self.assertEqual({name: value.item() for name, value in sums.items()}, {"a": 4, "b": 8})

    def test_rounded_weights_come_back_whole(self):
        model = torch.nn.Linear(64, 2)
        whole, given = model.weight.detach().clone(), torch.randn(1, 64)
        with Rounded(model):
            self.assertFalse(torch.equal(model.weight, whole))
            model(given).sum().backward()
        torch.testing.assert_close(model.weight.detach(), whole, atol=0, rtol=0)
        torch.testing.assert_close(model.weight.grad, given.expand(2, -1))

    def test_words_without_a_token_fall_into_kept_ones(self):
        vocabulary = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "w", "##w", "a", "##a", "é", "wa", "##wa", "wawa"])}
        file = {"model": {"vocab": vocabulary}, "post_processor": {"special_tokens": {"[SEP]": {"ids": [3]}}}, "added_tokens": [{"id": 4, "content": "[MASK]"}]}
        kept = kept_tokens(vocabulary, Counter({12: 9, 10: 8, 11: 1}), 9)
        self.assertEqual(kept, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "w", "##w", "wa", "wawa"])
        self.assertEqual(cut(file, kept)["model"]["vocab"]["wawa"], 8)

    def test_pairs(self):
        document = [(True, "Locks"), (False, "A lock keeps others out of the file. " + "It is held until the work is done. " * 4), (False, "More words. " * 9)]
        kinds = [(kind, query[:12]) for kind, query, _ in pairs(document)]
        self.assertEqual(kinds, [("title", "Locks"), ("neighbour", "A lock keeps"), ("rest", "A lock keeps"), ("sentence", "It is held u")])

    def test_retrieval(self):
        vector = {t: np.array(v, np.float32) for t, v in {"a": (1, 0), "b": (0, 1), "p": (0.8, 0.6), "q": (0.6, 0.8), "c": (0.6, 0.8), "r": (0, 1)}.items()}
        pairs = [{"query": q, "passage": p, "kind": k} for q, p, k in [("a", "p", "x"), ("b", "q", "x"), ("c", "r", "y")]]
        found = retrieval(pairs, vector)  # ranks 0, 1 (r is nearer to b), 2 (q and p are nearer to c)
        self.assertEqual((found["all"]["count"], found["all"]["recall1"], found["all"]["recall10"]), (3, 1 / 3, 1))
        self.assertAlmostEqual(found["all"]["mrr"], (1 + 1 / 2 + 1 / 3) / 3)
        self.assertAlmostEqual(found["all"]["ndcg10"], (1 + 1 / np.log2(3) + 1 / 2) / 3)
        self.assertEqual([found["kinds"][k]["count"] for k in "xy"], [2, 1])

    def test_spearman(self):
        self.assertAlmostEqual(spearman([1, 2, 3, 4], [10, 20, 21, 400]), 1)
        self.assertAlmostEqual(spearman([1, 2, 2, 3], [1, 3, 2, 4]), 0.9486833)  # as scipy.stats.spearmanr has it

    def test_commands_keep_their_slots(self):
        data = {"lists": {"minutes": {"range": {"from": 1, "to": 100}}}, "expansion_rules": {"set": "(set|start)"}}
        slots = {"minutes": "7"}
        said = {Commands(data, np.random.default_rng(n)).said("<set> [a] {minutes} minute (timer|clock)", slots) for n in range(400)}
        self.assertIn("start 7 minute clock", said)
        self.assertEqual(len(said), 8)

    def test_code_ends_with_its_brackets(self):
        self.assertEqual(code_below(["function f(a) {", "  return [a];", "}", "f();"]), ["function f(a) {", "  return [a];", "}"])

    def test_written_file_is_byte_for_byte_the_one_read(self):
        path = Path(self.id())
        try:
            write_tensors(path, load(NANO).state_dict())
            self.assertEqual(path.read_bytes(), (NANO / "model.safetensors").read_bytes())
        finally:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    unittest.main()
