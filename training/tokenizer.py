"""A checkpoint's tokenizer.json, read by the library `tokenizers`."""
from pathlib import Path

import tokenizers


class Tokenizer:
    def __init__(self, folder):
        self.library = tokenizers.Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        self.library.no_padding()
        self.library.no_truncation()
        self.cls, self.sep, self.mask = map(self.library.token_to_id, ("[CLS]", "[SEP]", "[MASK]"))
        self.special = sorted(i for i, token in self.library.get_added_tokens_decoder().items() if token.special)

    def encode(self, text):
        """Token ids of a text, without [CLS] and [SEP]."""
        return self.library.encode(text, add_special_tokens=False).ids

    def encode_each(self, texts):
        """encode of many texts, by all cores."""
        return [e.ids for e in self.library.encode_batch_fast(texts, add_special_tokens=False)]

    def encode_all(self, texts, length):
        """Token ids of every text with [CLS] and [SEP], the text itself cut so that there are at most `length` of them."""
        return [[self.cls, *ids[: length - 2], self.sep] for ids in self.encode_each(texts)]
