"""The masked language model: python3 mlm.py --from FOLDER --text FOLDER --out FOLDER [options]

Starts from a checkpoint's weights. The same arguments and seed give the same model, up to the order of the threads' sums. An interrupted run
resumes from OUT/state.pt; a run in its stable phase can be ended early by changing --tokens and --decay.
"""
import argparse
import json
import shutil
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from checkpoint import write_tensors
from data import load_sources, mask, mask_all, pack, stream, weights
from modernbert import load
from optimizer import optimizers, rate, step
from tokenizer import Tokenizer


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--from", dest="start", required=True, help="folder of a checkpoint with tokenizer.json")
    p.add_argument("--text", required=True, help="folder of text files, as fetch.py writes them")
    p.add_argument("--out", required=True)
    p.add_argument("--tokens", type=float, default=20e6)
    p.add_argument("--warmup", type=float, default=3e5, help="tokens")
    p.add_argument("--decay", type=float, default=4e6, help="tokens at the end")
    p.add_argument("--batch", type=int, nargs=2, default=[4096, 8192], help="tokens per step, at first and after --batch-warmup tokens")
    p.add_argument("--batch-warmup", type=float, default=2e6)
    p.add_argument("--length", type=int, default=256, help="tokens per row, and so the maximum per sequence")
    p.add_argument("--long", type=int, default=2048, help="row length during the context extension, which is the last --long-tokens tokens")
    p.add_argument("--long-tokens", type=float, default=0)
    p.add_argument("--global-theta", type=float, help="RoPE theta of the global layers before the context extension (during it: the config's)")
    p.add_argument("--mask", type=float, default=0.3)
    p.add_argument("--muon-lr", type=float, default=0.008)
    p.add_argument("--adam-lr", type=float, default=8e-4)
    p.add_argument("--eval-every", type=float, default=1e6, help="tokens")
    p.add_argument("--short", type=float, default=0.75, help="share of the sequences that are one to three sentences; a third of the tokens")
    p.add_argument("--more", nargs="*", default=[], help="NAME=TIMES: draws this source so many times as often")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--device", default="cpu", help="cpu or cuda")
    p.add_argument("--piece", type=int, default=4096, help="tokens at a time; gradients are added up")
    p.add_argument("--minutes", type=float, default=1e9, help="stop after these, with the state saved")
    return p.parse_args()


@torch.no_grad()
def accuracy(model, held_out, tokenizer, share, device, length=256, rows_per_domain=16):
    """{domain: (right, masked, sum of -ln p)} on the first rows of each domain's held-out text."""
    model.eval()
    newline = np.array(tokenizer.encode("\n\n"), np.uint16)
    results = {}
    for domain, found in held_out.items():
        runs = [np.concatenate([[tokenizer.cls], s[i : i + length - 2], [tokenizer.sep]])
                for s in (stream(d, newline) for d in found) for i in range(0, len(s) - 20, length - 2)]
        rows = min(rows_per_domain, sum(map(len, runs)) // length)
        if rows == 0:
            continue
        parts = cycle(runs[i] for i in np.random.default_rng(1).permutation(len(runs)))
        ids, sequence, position = pack(lambda _: next(parts), rows, length)
        masked, places, right = mask_all(ids, share, tokenizer, torch.Generator().manual_seed(1))
        masked, sequence, position, places, right = (t.to(device) for t in (masked, sequence, position, places, right))
        logits = model.logits(model.model(masked, sequence, position).flatten(0, 1)[places])
        loss = F.cross_entropy(logits, right, reduction="sum").item()
        results[domain] = ((logits.argmax(-1) == right).sum().item(), len(right), loss)
    model.train()
    return results


def summary(results):
    right, masked, loss = map(sum, zip(*results.values()))
    domains = " ".join(f"{d} {100 * r / n:.1f}" for d, (r, n, _) in results.items())
    return f"top-1 {100 * right / masked:.2f} % loss {loss / masked:.3f} | {domains}"


def save(model, a, made, done, generator, sources):
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    write_tensors(out / "model.safetensors", model.state_dict())
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        shutil.copyfile(Path(a.start) / name, out / name)
    state = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in made], "done": done, "generator": generator.get_state(),
             "rng": sources[0].rng.bit_generator.state, "sources": [(s.order, s.document, s.at) for s in sources]}
    torch.save(state, out / "state.tmp")
    (out / "state.tmp").rename(out / "state.pt")


def resume(path, model, made, generator, sources):
    state = torch.load(path, map_location="cpu", weights_only=False)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(made, state["optimizers"]):
        optimizer.load_state_dict(saved)
    generator.set_state(state["generator"])
    sources[0].rng.bit_generator.state = state["rng"]
    for source, (order, document, at) in zip(sources, state["sources"]):
        source.order, source.document, source.at = order, document, at
    return state["done"]


def main():
    a = arguments()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    tokenizer = Tokenizer(a.start)
    sources, held_out = load_sources(a.text, tokenizer, a.seed, a.short)
    more = {name: float(times) for name, times in (one.split("=") for one in a.more)}
    chances = weights(sources) * [more.get(s.name, 1) for s in sources]
    chances /= chances.sum()
    print(json.dumps({s.name: [s.tokens, round(float(c), 3)] for s, c in zip(sources, chances)}), flush=True)
    rng, generator = sources[0].rng, torch.Generator().manual_seed(a.seed)
    model = load(a.start).to(a.device)
    config_theta = model.model.config["global_rope_theta"]
    made = optimizers(model, a.muon_lr, a.adam_lr)
    done = 0
    if (Path(a.out) / "state.pt").exists():
        done = resume(Path(a.out) / "state.pt", model, made, generator, sources)
    evaluated, saved = done, time.time()
    if not done:
        print(f"at 0 {summary(accuracy(model, held_out, tokenizer, a.mask, a.device))}", flush=True)
    started, since, losses = time.time(), done, []
    begun = time.time()
    while done < a.tokens and time.time() - begun < 60 * a.minutes:
        is_long = done >= a.tokens - a.long_tokens
        length = a.long if is_long else a.length
        model.model.config["global_rope_theta"] = config_theta if is_long or not a.global_theta else a.global_theta
        grown = min(1, done / a.batch_warmup)
        rows = max(1, round((a.batch[0] + (a.batch[1] - a.batch[0]) * grown) / length))
        take = lambda size: sources[rng.choice(len(sources), p=chances)].take(size)
        ids, sequence, position = pack(take, rows, length)
        masked, places, right = mask(ids, a.mask, tokenizer, model.model.config["vocab_size"], generator)
        masked, sequence, position, places, right = (t.to(a.device) for t in (masked, sequence, position, places, right))
        parts = max(1, rows * length // a.piece)
        for piece in np.array_split(np.arange(rows), min(parts, rows)):
            first, last = piece[0] * length, (piece[-1] + 1) * length
            inside = (places >= first) & (places < last)
            with torch.autocast(a.device, torch.bfloat16):
                hidden = model.model(masked[piece], sequence[piece], position[piece]).flatten(0, 1)
                logits = model.logits(hidden[places[inside] - first])
            loss = F.cross_entropy(logits.float(), right[inside], reduction="sum") / len(right)
            loss.backward()
            losses.append(loss.detach())
        done += rows * length
        step(made, rate(done, a.warmup, a.decay, a.tokens))
        if done - since >= 1e5 or done >= a.tokens:
            speed = (done - since) / (time.time() - started)
            mean_loss = torch.stack(losses).sum().item() / max(1, (done - since) / (rows * length))
            print(f"{time.strftime('%H:%M:%S')} tokens {done / 1e6:.2f} M loss {mean_loss:.3f} "
                  f"rate {rate(done, a.warmup, a.decay, a.tokens):.2f} {speed:.0f} tokens/s", flush=True)
            started, since, losses = time.time(), done, []
        if done - evaluated >= a.eval_every or done >= a.tokens:
            print(f"at {done / 1e6:.2f} M {summary(accuracy(model, held_out, tokenizer, a.mask, a.device))}", flush=True)
            evaluated = done
        if time.time() - saved >= 120:
            save(model, a, made, done, generator, sources)
            saved = time.time()
    save(model, a, made, done, generator, sources)


if __name__ == "__main__":
    main()
