"""Compares reference.py with Hugging Face's outputs (src/model/fixtures/golden): python3 tools/goldens/check.py"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from reference import Model, read_safetensors

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "src/model/fixtures/golden"

worst = 0.0
for name in ["tiny-mlm", "tiny-mlm-v5config", "tiny-seqcls-cls-biases", "tiny-seqcls-mean", "tiny-tokcls", "small-encoder"]:
    golden = read_safetensors(GOLDEN / f"{name.removesuffix('-v5config')}.safetensors")
    spec = GOLDEN / "specs" / f"{name}.json"
    task = json.loads(spec.read_text())["task"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", ROOT / "tools/make-checkpoint.mjs", spec, folder], check=True, stdout=subprocess.DEVNULL)
        model = Model(folder)
    ends = np.cumsum(golden["lengths"])
    hidden = [model.hidden_states(ids) for ids in np.split(golden["input_ids"], ends[:-1])]
    stream = np.concatenate(hidden)
    pairs = []
    if "last_hidden_state" in golden:
        pairs.append((stream, golden["last_hidden_state"]))
    if "last_hidden_state_rows" in golden:
        pairs.append((stream[golden["rows"]], golden["last_hidden_state_rows"]))
        pairs.append((np.stack([x.mean(0) for x in hidden]), golden["mean_pooled"]))
    if "logits" in golden:
        logits = np.concatenate([model.logits(x, task) for x in hidden])
        pairs.append((logits[golden["logit_rows"]] if "logit_rows" in golden else logits, golden["logits"]))
    difference = max(np.abs(ours - theirs).max() for ours, theirs in pairs)
    print(f"{name}: {difference:.1e}")
    worst = max(worst, difference)
sys.exit(0 if worst < 1e-4 else f"the largest difference is {worst}")
