"""Examples for training and measuring: own templates and the records of the data directory, cut into tokens.

What a source says about a token is a *set* of tags. A labelled token allows one tag; an unlabelled token allows O and every label that the
source does not annotate, so that nothing is taught that nobody said. The same holds for passages: each category has a target and a weight.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from tokenizers import Encoding, Tokenizer

from generate.compose import LANGUAGES, Composer
from network import SEQUENCE_LABELS, TAGS, TOKEN_LABELS, WINDOW

MASK = "<mask>"
ALL_TAGS = (1 << TAGS) - 1
OUTSIDE = 1
LABEL_INDEX = {label: index for index, label in enumerate(TOKEN_LABELS)}

# Labels of the data files in ours. Places below a street (towns, countries) are no addresses.
SPAN_LABELS = {"PERSON": "name", "ADDRESS": "address", "ORG": "organisation", "TITLE": "title", "SOCIAL_ACCOUNT": "handle", "PASSWORD": "secret", "DATE_OF_BIRTH": "birth_date"}
# What the rules of the product find and replace before the model reads.
STRUCTURED = {"PHONE", "EMAIL", "ID_CARD", "BANK_CARD", "CREDIT_CARD", "IBAN", "SSN", "PASSPORT", "LICENSE_PLATE", "CREDIT_CODE", "IP_ADDRESS"}
STREET = re.compile(r"\d+ \w+ (st|street|ave|avenue|road|rd|lane|drive)\b|\b(room|building|unit|no\.|apartment|block) ?\d+|\d+号|栋|单元", re.IGNORECASE)


@dataclass(frozen=True)
class SpanSource:
    """A file of labelled spans. `weak` labels may also be nothing."""

    file: str
    annotates: frozenset[str]
    public: bool
    weak: frozenset[str] = frozenset()
    template_split: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class ClassSource:
    """The records of one category of a class file. No categories: public. `(ANY,)`: business of some kind."""

    file: str
    category: str
    categories: tuple[str, ...]
    weight: float = 1.0
    template_split: bool = False
    share: float = 1.0


ANY = "any"
NATURAL = frozenset({"name", "organisation", "address", "medical", "secret"})
SPAN_SOURCES = (
    SpanSource("pii_en_synth", frozenset({"name", "address", "organisation", "secret", "medical"}), False, template_split=True, share=0.4),
    SpanSource("pii_zh_synth", frozenset({"name", "address", "organisation", "secret", "medical", "handle"}), False, template_split=True, share=0.4),
    SpanSource("pii_en_lifebench", frozenset({"name", "organisation", "address", "secret", "handle"}), False, weak=frozenset({"organisation", "address"}), share=0.5),
    SpanSource("pii_en_nannigalaxy", frozenset({"name", "secret", "title"}), False, weak=frozenset({"title"})),
    SpanSource("ner_en_uner_ewt", NATURAL | {"birth_date", "handle"}, True, share=1.8),
    SpanSource("ner_en_wnut17", NATURAL | {"birth_date"}, True, share=1.5),
    SpanSource("ner_zh_uner_gsdsimp", NATURAL | {"handle"}, True, share=1.8),
)
CLASS_SOURCES = (
    ClassSource("class_en_train", "source_code", ("source_code",), share=0.6),
    ClassSource("class_zh_train", "source_code", ("source_code",), share=0.7),
    ClassSource("class_en_train", "contract_legal", ("contract",), share=0.8),
    ClassSource("class_en_train", "medical", ("medical",)),
    ClassSource("class_en_train", "hr_salary", ("hr",), template_split=True),
    ClassSource("class_zh_train", "hr_salary", ("hr",), template_split=True),
    ClassSource("class_en_train", "financial", ("financial",), template_split=True),
    ClassSource("class_zh_train", "financial", ("financial",), template_split=True),
    ClassSource("class_en_train", "customer_data", ("customer",), template_split=True),
    ClassSource("class_zh_train", "customer_data", ("customer",), template_split=True),
    ClassSource("class_en_train", "strategy_meeting", ("strategy",), template_split=True),
    ClassSource("class_zh_train", "strategy_meeting", ("strategy",), template_split=True),
    ClassSource("class_en_train", "meeting_transcript", ("meeting",), weight=0.5, share=0.5),
    ClassSource("class_zh_train", "meeting_transcript", ("meeting",), weight=0.4, share=0.5),
    ClassSource("class_en_train", "financial_statement", ("financial",), weight=0.25, share=0.3),
    ClassSource("class_en_train", "business_email", (ANY,), weight=0.5),
    ClassSource("class_en_train", "web", ()),
    ClassSource("class_en_train", "wiki", ()),
    ClassSource("class_en_train", "docs", ()),
    ClassSource("class_en_train", "legal_public", ()),
    ClassSource("harmless_en_train", "prompt", ()),
    ClassSource("harmless_zh_train", "prompt", ()),
)
# The part of a source that one round reads, before its own share.
ROUND_SHARE = 0.18
# Texts of each kind, language and round that the templates give.
OWN_TEXTS = {"personal": 900, "business": 1_500, "public": 2_000}


@dataclass
class Example:
    """Token ids with the set of allowed tags of each (bit k: tag k), and for each category a target and a weight."""

    ids: np.ndarray
    allowed: np.ndarray
    target: np.ndarray = field(default_factory=lambda: np.zeros(len(SEQUENCE_LABELS), np.float32))
    weight: np.ndarray = field(default_factory=lambda: np.zeros(len(SEQUENCE_LABELS), np.float32))
    any_weight: float = 0.0


@dataclass(frozen=True)
class Record:
    """A record of a data file: `spans` with the labels of the file, or `label` and `category`."""

    id: str
    language: str
    text: str
    spans: tuple[tuple[int, int, str], ...] = ()
    label: str = ""
    category: str = ""


def read_records(directory: Path, name: str) -> list[Record]:
    """The records of `NAME.jsonl.gz`. Raises FileNotFoundError."""
    records = []
    with gzip.open(directory / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            spans = tuple((span["start"], span["end"], span["label"]) for span in raw.get("spans", ()))
            records.append(Record(raw["id"], raw.get("lang", "en"), raw["text"], spans, raw.get("label", ""), raw.get("category", "")))
    return records


def licensed(record: Record, file: str) -> bool:
    """From this record on the English prompts are the self-instruct seed tasks (non-commercial), which are for measuring only."""
    return file != "harmless_en_train" or record.id < "hl-en-tr-02058"


def split_key(record: Record, template_split: bool) -> str:
    """What decides the part of a record: its id, or the template that a script filled."""
    if not template_split:
        return record.id
    text = record.text
    for start, end, label in sorted(record.spans, reverse=True):
        text = text[:start] + label + text[end:]
    if record.spans:
        return re.sub(r"\d+", "0", text)
    words = re.sub(r"[\d,.%£$€]+", "", text)
    return words[:6] if record.language == "zh" else " ".join(words.split()[:3])


def part_of(key: str) -> str:
    """85 % train, 5 % dev, 10 % test, by a fixed hash."""
    value = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little") % 100
    return "train" if value < 85 else "dev" if value < 90 else "test"


def records_of(directory: Path, source: SpanSource | ClassSource, part: str) -> list[Record]:
    """The records of a source that belong to a part."""
    category = source.category if isinstance(source, ClassSource) else ""
    return [
        record
        for record in read_records(directory, source.file)
        if record.category == category and licensed(record, source.file) and part_of(split_key(record, source.template_split)) == part
    ]


def without_structured(record: Record, random: Random) -> Record:
    """The record with what the rules find replaced by `<mask>`, in seven of ten cases."""
    if random.random() < 0.3:
        return record
    text, spans, last = "", [], 0
    for start, end, label in sorted(record.spans):
        text += record.text[last:start]
        begin = len(text)
        text += MASK if label in STRUCTURED else record.text[start:end]
        spans.append((begin, len(text), label))
        last = end
    return Record(record.id, record.language, text + record.text[last:], tuple(spans))


def tag_bits(label: str, first: bool) -> int:
    index = LABEL_INDEX[label]
    return 1 << (1 + 2 * index if first else 2 + 2 * index)


def outside_bits(annotated: Iterable[str]) -> int:
    """O and the tags of every label that is not annotated."""
    bits = OUTSIDE
    for label in set(TOKEN_LABELS) - set(annotated):
        bits |= tag_bits(label, True) | tag_bits(label, False)
    return bits


def token_ranges(text: str, encoding: Encoding) -> list[tuple[int, int]]:
    """The characters of each token without the blank before it; empty for specials and lone blanks."""
    ranges = []
    for token, special, (start, end) in zip(encoding.tokens, encoding.special_tokens_mask, encoding.offsets):
        if special and token != MASK or token == "\u2581":
            ranges.append((start, start))
            continue
        while start < end and text[start].isspace():
            start += 1
        ranges.append((start, end))
    return ranges


def allowed_tags(text: str, encoding: Encoding, spans: Iterable[tuple[int, int, frozenset[str], bool]], outside: int) -> np.ndarray:
    """The allowed tags of each token. A span is (start, end, labels it may have, whether it may be nothing)."""
    ranges = token_ranges(text, encoding)
    allowed = np.full(len(ranges), outside, np.int64)
    for start, end, labels, optional in spans:
        first = True
        for index, (low, high) in enumerate(ranges):
            inside = low < high and low < end and high > start or low == high and start < low < end
            if not inside:
                continue
            allowed[index] = sum(tag_bits(label, first) for label in labels) | (outside if optional else 0)
            first = False
    return allowed


def window(text: str, random: Random, limit: int) -> tuple[int, int]:
    """A part of at most `limit` characters that starts after a stop or a line end, if the text is longer."""
    if len(text) <= limit:
        return 0, len(text)
    starts = [0] + [match.end() for match in re.finditer(r"\n|[.!?] |[。！？]", text) if match.end() < len(text) - limit // 2]
    start = random.choice(starts)
    return start, min(len(text), start + limit)


class Examples:
    """Makes examples; `tokenizer` is that of the base."""

    def __init__(self, tokenizer: Tokenizer, directory: Path) -> None:
        self.tokenizer = tokenizer
        self.tokenizer.enable_truncation(WINDOW)
        self.directory = directory

    def own(self, composer: Composer, kind: str) -> Example:
        text = composer.text(kind)
        encoding = self.tokenizer.encode(text.text)
        spans = [(start, end, frozenset({label.removesuffix("?")}), label.endswith("?")) for start, end, label in text.spans]
        example = Example(np.array(encoding.ids), allowed_tags(text.text, encoding, spans, OUTSIDE))
        return with_categories(example, text.categories, 0.4 if kind == "personal" else 1.0)

    def spans(self, record: Record, source: SpanSource, random: Random) -> Example:
        record = without_structured(record, random)
        encoding = self.tokenizer.encode(record.text)
        spans = list(known_spans(record, source))
        example = Example(np.array(encoding.ids), allowed_tags(record.text, encoding, spans, outside_bits(source.annotates)))
        return with_categories(example, (), 0.3) if source.public else example

    def classes(self, record: Record, source: ClassSource, random: Random) -> Example:
        start, end = window(record.text, random, random.randint(120, 480) if record.language == "en" else random.randint(50, 170))
        encoding = self.tokenizer.encode(record.text[start:end])
        example = Example(np.array(encoding.ids), np.full(len(encoding.ids), ALL_TAGS, np.int64))
        if source.categories == (ANY,):
            example.any_weight = source.weight
            return example
        categories = source.categories
        if source.category == "strategy_meeting" and re.match(r"Minutes|会议纪要", record.text):
            categories = ("strategy", "meeting")
        return with_categories(example, categories, source.weight)

    def round(self, number: int, own_texts: dict[str, int]) -> list[Example]:
        """The training examples of one round; every round fills the templates anew."""
        random = Random(f"round {number}")
        examples = []
        for language in LANGUAGES:
            composer = Composer(number, language, "train")
            for kind, count in own_texts.items():
                examples += [self.own(composer, kind) for _ in range(count)]
        for source in SPAN_SOURCES:
            for record in sample(records_of(self.directory, source, "train"), ROUND_SHARE * source.share, random):
                examples.append(self.spans(record, source, random))
        for source in CLASS_SOURCES:
            for record in sample(records_of(self.directory, source, "train"), ROUND_SHARE * source.share, random):
                examples.append(self.classes(record, source, random))
        return examples


def known_spans(record: Record, source: SpanSource) -> Iterator[tuple[int, int, frozenset[str], bool]]:
    """The spans of a record in our labels, with what a weak source leaves open."""
    for start, end, label in record.spans:
        ours = SPAN_LABELS.get(label)
        if ours is not None:
            yield start, end, frozenset({ours}), ours in source.weak
        elif label == "LOCATION" and STREET.search(record.text[start:end]):
            yield start, end, frozenset({"address"}), "address" in source.weak
        elif label == "LOCATION" and "address" in source.weak:
            yield start, end, frozenset({"address", "organisation"}), True


def with_categories(example: Example, categories: tuple[str, ...], weight: float) -> Example:
    """Sets the targets. What a passage of one category is not weighs less: contract and legal, finance and strategy overlap."""
    for index, label in enumerate(SEQUENCE_LABELS):
        example.target[index] = float(label in categories)
        example.weight[index] = weight if label in categories or not categories else 0.3 * weight
    return example


def sample(records: list[Record], share: float, random: Random) -> list[Record]:
    return random.sample(records, round(share * len(records)))


def batches(examples: list[Example], tokens: int, random: Random) -> list[list[Example]]:
    """Batches of about `tokens` tokens with texts of like length, in random order."""
    order = sorted(random.sample(examples, len(examples)), key=lambda example: len(example.ids) // 4)
    out: list[list[Example]] = [[]]
    for example in order:
        if out[-1] and (len(out[-1]) + 1) * len(example.ids) > tokens:
            out.append([])
        out[-1].append(example)
    random.shuffle(out)
    return out
