"""Weighted sums of checkpoints: python3 combine.py OUT_FOLDER FOLDER=SHARE [FOLDER=SHARE ...]

    combine.py out nano=0.5 trained=0.5              halfway to a further trained model: often better than either on what both know, and
                                                     it forgets far less (Wortsman et al. 2022)
    combine.py out nano-embed=1 trained=0.5 nano=-0.5   an embedding model plus what its masked language model has learned since

The first folder determines the tensors; its other files are copied.
"""
import shutil
import sys

from checkpoint import read_tensors, write_tensors


def combined(terms):
    """terms: [(tensors, share)]. Names with and without the prefix "model." mean the same tensor."""
    plain = [({name.removeprefix("model."): value for name, value in tensors.items()}, share) for tensors, share in terms]
    return {name: sum(share * tensors[name.removeprefix("model.")] for tensors, share in plain) for name in terms[0][0]}


def main(out, *arguments):
    folders, shares = zip(*(argument.rsplit("=", 1) for argument in arguments))
    tensors = combined([(read_tensors(f"{folder}/model.safetensors"), float(share)) for folder, share in zip(folders, shares)])
    shutil.copytree(folders[0], out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("model.safetensors", "state.*", "README.md"))
    write_tensors(f"{out}/model.safetensors", tensors)


if __name__ == "__main__":
    main(*sys.argv[1:])
