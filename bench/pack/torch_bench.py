"""Hugging Face's ModernBERT in PyTorch on the sets and queries that the benchmark measured: torch_bench.py STOCK.json OUT.json

FP32 with TF32 off and bf16, random weights, from token ids in host memory to normalised mean embeddings in host memory. Documents are
sorted by length and padded to the longest of their batch, as sentence-transformers does. OUT gets each result as it comes.
"""

import json
import os
import statistics
import sys
import time
from datetime import datetime, timezone

MODES = [("fp32 sdpa", "float32", "sdpa"), ("bf16 sdpa", "bfloat16", "sdpa"), ("fp32 eager", "float32", "eager")]
BATCH_TOKENS = 16384  # 32 documents of 512
REPEATS = 5
QUERY_REPEATS = 50


def batches_of(lengths):
    """Batches of lengths, longest first, each of at most BATCH_TOKENS tokens including padding."""
    batches = []
    for length in sorted(lengths, reverse=True):
        if batches and (len(batches[-1]) + 1) * batches[-1][0] <= BATCH_TOKENS:
            batches[-1].append(length)
        else:
            batches.append([length])
    return batches


def make_runner(torch, model, vocab_size, device):
    """Returns a function that runs batches of given lengths and returns the milliseconds of each repeat."""
    generator = torch.Generator().manual_seed(1)

    def inputs(lengths):
        longest = max(lengths)
        ids = torch.randint(0, vocab_size, (len(lengths), longest), generator=generator)
        mask = (torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]).long()
        return ids, mask

    def embed(ids, mask):
        ids, mask = ids.to(device), mask.to(device)
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[:, :, None].float()
        mean = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(mean).cpu()

    def run(batches, repeats):
        ready = [inputs(batch) for batch in batches]
        times = []
        with torch.inference_mode():
            for i in range(repeats + 2):  # two warm-ups
                start = time.perf_counter()
                for ids, mask in ready:
                    embed(ids, mask)  # copies to host memory, so it is done when it returns
                if i >= 2:
                    times.append(1000 * (time.perf_counter() - start))
        return times

    return run


def save(report, path):
    """Writes a report that is always whole, also if this process is stopped."""
    with open(f"{path}.part", "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    os.replace(f"{path}.part", path)


def main():
    stock_path, out_path = sys.argv[1:]
    try:
        import torch
        import transformers
    except ImportError as error:
        sys.exit(f"PyTorch was not measured: {error}. Set PYTHON to a Python that has torch and transformers.")
    device = os.environ.get("TORCH_DEVICE", "cuda")
    if device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch was not measured: it finds no CUDA device. TORCH_DEVICE=cpu runs it on the CPU.")
    if not os.path.exists(stock_path):
        sys.exit(f"PyTorch was not measured: {stock_path} does not exist. Run the stage stock first: its sets are measured.")
    with open(stock_path) as file:
        stock = json.load(file)
    with open("bench/shapes/base.json") as file:
        shape = json.load(file)["config"]

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    sets = {entry["name"]: entry["lengths"] for entry in stock["sets"] if entry["model"] == "base"}
    queries = sorted({entry["tokens"] for entry in stock["queries"] if entry["model"] == "base"})
    if not sets and not queries:
        sys.exit(f"PyTorch was not measured: {stock_path} has no results for the model base, whose shape is compared.")
    # No compiled layers: eager mode, as most people run it.
    config = transformers.ModernBertConfig(**{key: value for key, value in shape.items() if key != "model_type"})
    config.reference_compile = False
    results = []
    report = {
        "date": datetime.now(timezone.utc).isoformat(),
        "commit": stock["commit"],
        "runtime": f"PyTorch {torch.__version__}, transformers {transformers.__version__}",
        "adapter": torch.cuda.get_device_name() if device == "cuda" else "CPU",
        "driver": f"CUDA {torch.version.cuda}",
        "batch_tokens": BATCH_TOKENS,
        "results": results,
    }
    for mode, dtype, attention in MODES:
        torch.manual_seed(6)
        config._attn_implementation = attention
        model = transformers.ModernBertModel(config).to(device=device, dtype=getattr(torch, dtype)).eval()
        run = make_runner(torch, model, config.vocab_size, device)
        work = [(name, batches_of(lengths), REPEATS) for name, lengths in sets.items()]
        work += [(f"query-{tokens}", [[tokens]], QUERY_REPEATS) for tokens in queries]
        for name, batches, repeats in work:
            tokens = sum(map(sum, batches))
            result = {"mode": mode, "name": name, "tokens": tokens, "sequences": sum(map(len, batches))}
            result["padded_tokens"] = sum(len(batch) * batch[0] for batch in batches)
            try:
                times = run(batches, repeats)
                result |= {"ms": statistics.median(times), "runs": len(times)}
                result["tokens_per_s"] = 1000 * tokens / result["ms"]
                print(f"{mode:12} {name:16} {result['ms']:10.2f} ms {result['tokens_per_s']:12.0f} tokens/s", flush=True)
            except RuntimeError as error:  # out of memory
                result["failure"] = str(error).splitlines()[0][:300]
                print(f"{mode:12} {name:16} failed: {result['failure']}", flush=True)
                if device == "cuda":
                    torch.cuda.empty_cache()
            results.append(result)
            save(report, out_path)
        del model, run


main()
