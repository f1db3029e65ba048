"""The masked language model's training on a machine with a GPU: python3 pack.py TEXT_FOLDER CHECKPOINT OUT.tar.xz [MB]

Packs this folder, the texts and the checkpoint to start from. Where it is unpacked, needs Python with PyTorch, numpy and tokenizers, no network:
    python3 pack/training/mlm.py --from pack/start --text pack/text --out OUT --device cuda --minutes 8 ...
Texts beyond MB megabytes before compression (default 120) are left out, from every source alike.
"""
import io
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent


def shortened(path, share):
    """The first documents of a file, about a share of it. Each document's place stays, and so the split into training and held-out text."""
    text = path.read_text(encoding="utf-8")
    return text if share >= 1 else text[: int(len(text) * share)].rsplit("\n\f\n", 1)[0] + "\n"


def main(text, start, out, megabytes="120"):
    paths = sorted(Path(text).glob("*.txt"))
    share = float(megabytes) * 1e6 / sum(path.stat().st_size for path in paths)
    with tarfile.open(out, "w:xz", preset=6) as tar:
        for path in sorted(HERE.glob("*.py")) + [HERE / "sources.json"]:
            tar.add(path, f"pack/training/{path.name}")
        for path in sorted(p for p in Path(start).iterdir() if p.is_file() and p.name != "state.pt"):
            tar.add(path, f"pack/start/{path.name}")
        for path in paths:
            data = shortened(path, share).encode()
            entry = tarfile.TarInfo(f"pack/text/{path.name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    print(f"{Path(out).stat().st_size / 1e6:.1f} MB, {min(1, share):.2f} of the texts")


if __name__ == "__main__":
    main(*sys.argv[1:])
