"""Kinds of tokenizer: a tokenizer.json each, of every part and option, and small models of every type."""
import json
import re

from tokenizers import Regex, Tokenizer, models, normalizers as N, pre_tokenizers as P, processors, decoders  # noqa: F401

GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]


def bert(**options):
    return N.BertNormalizer(**{**dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False), **options})


def field(message, number):
    """The bytes of a field of a protocol buffer that is of the wire type "length-delimited"."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            varint()
            continue
        size = {1: 8, 5: 4}.get(tag & 7) or varint()
        if tag == number * 8 + 2:
            return message[at:at + size]
        at += size
    raise ValueError(f"no field {number}")


def sentencepiece_charsmaps():
    """nmt_nfkc and nmt_nfkc_cf as sentencepiece writes them into a model, in base64."""
    import base64, io
    import sentencepiece
    found = {}
    for rule in ["nmt_nfkc", "nmt_nfkc_cf"]:
        out = io.BytesIO()
        words = ["abc def ghi", "the quick brown fox", "hello world again"]
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(words * 10), model_writer=out, vocab_size=32, normalization_rule_name=rule, hard_vocab_limit=False, minloglevel=2)
        # ModelProto's normalizer_spec is its field 3, whose field 2 is the charsmap.
        found[rule] = base64.b64encode(field(field(out.getvalue(), 3), 2)).decode()
    return found


def part_kinds(charsmaps):
    """name -> (normalizer, pre-tokenizer)"""
    precompiled = {name: N.Precompiled(__import__("base64").b64decode(charsmap)) for name, charsmap in charsmaps.items()}
    kinds = {
        "clean": (bert(clean_text=True), None),
        "chinese": (bert(handle_chinese_chars=True), None),
        "accents": (bert(strip_accents=True), P.BertPreTokenizer()),
        "lowercase": (bert(lowercase=True), None),
        "lowercase-accents": (bert(lowercase=True, strip_accents=True), P.BertPreTokenizer()),
        "bert": (N.BertNormalizer(), P.BertPreTokenizer()),
        "bert-cased": (N.BertNormalizer(lowercase=False), P.BertPreTokenizer()),
        "bert-accented": (N.BertNormalizer(strip_accents=False), P.BertPreTokenizer()),
        "nfc": (N.NFC(), None),
        "nfd": (N.NFD(), None),
        "nfkc": (N.NFKC(), None),
        "nfkd": (N.NFKD(), None),
        "strip-accents": (N.Sequence([N.NFD(), N.StripAccents()]), P.Whitespace()),
        "strip-accents-alone": (N.StripAccents(), None),
        "lower": (N.Lowercase(), None),
        "nfkc-lower": (N.Sequence([N.NFKC(), N.Lowercase()]), P.WhitespaceSplit()),
        "strip": (N.Strip(), None),
        "strip-left": (N.Strip(right=False), None),
        "strip-right": (N.Strip(left=False), None),
        "nmt": (N.Nmt(), None),
        "prepend": (N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), None),
        "replace": (N.Sequence([N.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "), N.NFC(), N.Strip(left=False)]), P.Metaspace()),
        "replace-longer": (N.Replace(Regex(r"\p{P}"), " . "), P.WhitespaceSplit()),
        "replace-word": (N.Sequence([N.Replace(Regex(r"\p{N}+"), "w"), N.Replace("w", "xyz")]), None),
        "whitespace": (None, P.Whitespace()),
        "whitespace-split": (None, P.WhitespaceSplit()),
        "bert-pre": (None, P.BertPreTokenizer()),
        "digits": (None, P.Digits()),
        "digits-single": (None, P.Digits(individual_digits=True)),
        "fixed": (None, P.FixedLength(3)),
        "delimiter": (None, P.CharDelimiterSplit("é")),
        "metaspace": (None, P.Metaspace()),
        "metaspace-first": (None, P.Metaspace(prepend_scheme="first")),
        "metaspace-never": (None, P.Metaspace(prepend_scheme="never")),
        "metaspace-whole": (None, P.Metaspace(split=False)),
        "metaspace-x": (None, P.Metaspace(replacement="x")),
        "words-metaspace": (None, P.Sequence([P.WhitespaceSplit(), P.Metaspace()])),
        "words-metaspace-first": (None, P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="first")])),
        "byte-level": (None, P.ByteLevel(add_prefix_space=False)),
        "byte-level-prefix": (None, P.ByteLevel(add_prefix_space=True)),
        "byte-level-whole": (None, P.ByteLevel(add_prefix_space=False, use_regex=False)),
        "nfc-byte-level": (N.NFC(), P.ByteLevel(add_prefix_space=False, trim_offsets=False)),
        "digits-byte-level-prefix": (None, P.Sequence([P.Digits(), P.ByteLevel(add_prefix_space=True)])),
        "gpt4": (None, P.Sequence([P.Split(Regex(GPT4), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])),
        "split-word": (None, P.Split(Regex(r"\w+|[^\w\s]+"), "removed", invert=True)),
        "split-classes": (None, P.Sequence([P.Split(Regex(r"[\w']+"), "isolated"), P.Split(Regex(r"[^\s\d]|\p{Lu}\p{Ll}*"), "contiguous")])),
        "split-boundary": (None, P.Split(Regex(r"\b"), "isolated")),
        "sequence": (None, P.Sequence([P.WhitespaceSplit(), P.Punctuation(), P.Digits(individual_digits=True)])),
    }
    for behavior in BEHAVIORS:
        kinds[f"punctuation-{behavior}"] = (None, P.Punctuation(behavior))
        for invert in [False, True]:
            inverted = "-inverted" if invert else ""
            kinds[f"split-{behavior}{inverted}"] = (None, P.Split(Regex(r"\s|\p{P}"), behavior, invert=invert))
            kinds[f"split-string-{behavior}{inverted}"] = (None, P.Split(" ", behavior, invert=invert))
    for name, normalizer in precompiled.items():
        kinds[f"charsmap-{name}"] = (normalizer, None)
        kinds[f"charsmap-{name}-metaspace"] = (N.Sequence([normalizer, N.Replace(Regex(" {2,}"), " ")]), P.Sequence([P.WhitespaceSplit(), P.Metaspace()]))
    if precompiled:
        kinds["albert"] = (N.Sequence([N.Replace("``", '"'), N.Replace("''", '"'), N.NFKD(), N.StripAccents(), N.Lowercase(), precompiled["nmt_nfkc"]]), P.Metaspace())
    return kinds


def model_kinds(train):
    """name -> tokenizer.json of a small model of each type and option, trained on these texts."""
    from tokenizers import trainers

    texts = [re.sub(r"(.)\1{5,}", r"\1", "".join(c for c in text if ord(c) < 0x180 and c.isprintable())) for text in train]
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]

    def with_bytes(file, left_out=()):
        vocab = file["model"]["vocab"]
        for token in byte_tokens:
            if token in left_out:
                continue
            if isinstance(vocab, list):
                vocab.append([token, -20.0])
            else:
                vocab.setdefault(token, len(vocab))
        file["model"]["byte_fallback"] = True

    def trained(model, trainer, pre_tokenizer, normalizer=None, change=lambda file: None):
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizer
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.train_from_iterator(texts, trainer)
        file = json.loads(tokenizer.to_str())
        change(file)
        return file

    def unigram(change):
        trainer = trainers.UnigramTrainer(vocab_size=500, special_tokens=["<unk>", "<s>"], unk_token="<unk>", show_progress=False)
        return trained(models.Unigram(), trainer, P.Metaspace(), None, change)

    def bpe(pre_tokenizer, normalizer=None, change=lambda file: None, **options):
        special = ["<unk>"] if "unk_token" in options else []
        trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, limit_alphabet=100, show_progress=False)
        return trained(models.BPE(**options), trainer, pre_tokenizer, normalizer, change)

    def word_piece(most, **options):
        trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=["[UNK]", "[CLS]", "[MASK]"], show_progress=False)
        change = lambda file: file["model"].update(max_input_chars_per_word=most)
        return trained(models.WordPiece(unk_token="[UNK]"), trainer, P.BertPreTokenizer(), N.BertNormalizer(**options), change)

    words, unk = P.WhitespaceSplit(), {"unk_token": "<unk>"}
    gemma = P.Split(" ", "merged_with_previous")
    return {
        "unigram": unigram(lambda file: None),
        "unigram-bytes": unigram(with_bytes),
        "bpe": bpe(P.Whitespace(), **unk),
        "bpe-fused": bpe(words, **unk, fuse_unk=True),
        "bpe-dropped": bpe(words),
        "bpe-bytes": bpe(gemma, N.Replace(" ", "▁"), with_bytes, **unk, fuse_unk=True, byte_fallback=True),
        "bpe-some-bytes": bpe(words, None, lambda file: with_bytes(file, byte_tokens[0xCC:0xE3]), **unk, byte_fallback=True),
        "bpe-whole-words": bpe(P.ByteLevel(), **unk, ignore_merges=True),
        "wordpiece": word_piece(100),
        "wordpiece-short": word_piece(5, lowercase=False),
    }


ADDED = [dict(content="[MASK]", lstrip=True, special=True), dict(content="[CLS]", special=True), dict(content="zzword", single_word=True), dict(content="ＺＺ", normalized=True), dict(content="<s>", rstrip=True, special=True), dict(content="İ[D]", normalized=True)]


def characters_file(normalizer, pre_tokenizer, characters):
    """A tokenizer whose tokens are characters, at the start of a word or (##) within."""
    tokens = ["[UNK]"] + characters + [f"##{c}" for c in characters]
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=1000))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    from tokenizers import AddedToken
    for token in ADDED:
        special = token.get("special", False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([AddedToken(**{"normalized": not special, **token})])
    return json.loads(tokenizer.to_str())
