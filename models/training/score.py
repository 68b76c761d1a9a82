"""Reads texts with the model and compares with what is known: spans of personal data, categories of passages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer

from data import CLASS_SOURCES, SPAN_SOURCES, Record, SpanSource, known_spans, records_of, token_ranges, without_structured
from export import Calibration
from generate.compose import LANGUAGES, Composer
from network import PAD, SEQUENCE_LABELS, TAGS, TOKEN_LABELS, WINDOW, Reader

Span = tuple[int, int, str]
# An I tag may only follow the B or I of its label.
TRANSITIONS = np.zeros((TAGS, TAGS), np.float32)
for _index in range(len(TOKEN_LABELS)):
    TRANSITIONS[:, 2 + 2 * _index] = -1e9
    TRANSITIONS[[1 + 2 * _index, 2 + 2 * _index], 2 + 2 * _index] = 0.0


# What surrounds a name without being part of it.
EDGES = frozenset(" \n\t,;:()[]<>\"/|，；：、（）【】《》“”。")


@dataclass(frozen=True)
class Reading:
    """What the model says about a text: spans with confidences and a probability per category."""

    spans: list[tuple[int, int, str, float]]
    categories: np.ndarray


def viterbi(scores: np.ndarray) -> np.ndarray:
    """The best tag sequence under the transitions; `scores` is [tokens, TAGS]."""
    greedy = scores.argmax(1)
    if greedy[0] % 2 == int(greedy[0] > 0) and not TRANSITIONS[greedy[:-1], greedy[1:]].any():
        return greedy
    best = scores[0] + TRANSITIONS[0]
    back = np.zeros(scores.shape, np.int64)
    for row in range(1, len(scores)):
        paths = best[:, None] + TRANSITIONS
        back[row] = paths.argmax(0)
        best = paths.max(0) + scores[row]
    tags = np.empty(len(scores), np.int64)
    tags[-1] = best.argmax()
    for row in range(len(scores) - 1, 0, -1):
        tags[row - 1] = back[row, tags[row]]
    return tags


def decode(logits: np.ndarray, temperature: float, ranges: Sequence[tuple[int, int]], text: str) -> list[tuple[int, int, str, float]]:
    """Spans of characters from biased logits [tokens, TAGS]; the confidence is the mean probability of the label over the tokens.

    The tokenizer turns line ends into blanks, so a span of anything but an address is cut at the first of them here.
    """
    if len(logits) == 0:
        return []
    scaled = logits / temperature
    probabilities = np.exp(scaled - np.logaddexp.reduce(scaled, axis=-1, keepdims=True))
    spans: list[tuple[int, int, str, list[float]]] = []
    tags = viterbi(logits)
    for row, tag in enumerate(tags):
        start, end = ranges[row]
        if tag == 0 or start == end:
            continue
        index = (tag - 1) // 2
        sure = float(probabilities[row, 1 + 2 * index] + probabilities[row, 2 + 2 * index])
        if tag % 2 == 0 and spans and spans[-1][2] == TOKEN_LABELS[index] and row > 0 and tags[row - 1] in (tag, tag - 1):
            first, _, label, before = spans[-1]
            spans[-1] = (first, end, label, [*before, sure])
        else:
            spans.append((start, end, TOKEN_LABELS[index], [sure]))
    trimmed = [(*trim(start, end, label, text), label, float(np.mean(sure))) for start, end, label, sure in spans]
    return [span for span in trimmed if span[0] < span[1]]


def trim(start: int, end: int, label: str, text: str) -> tuple[int, int]:
    """Without what follows a line end; names, titles and organisations without the punctuation around them."""
    if label != "address" and (stop := text.find("\n", start, end)) > start:
        end = stop
    if label in ("name", "title", "organisation"):
        while start < end and text[start] in EDGES:
            start += 1
        while start < end and text[end - 1] in EDGES:
            end -= 1
    return start, end


class Scorer:
    """A model with its calibration."""

    def __init__(self, model: Reader, tokenizer: Tokenizer, calibration: Calibration) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.tokenizer.enable_truncation(WINDOW)
        self.calibration = calibration

    def logits(self, texts: Sequence[str], tokens: int = 4096) -> list[tuple[np.ndarray, np.ndarray, list[tuple[int, int]]]]:
        """For each text the tag logits without the specials, the category logits and the character ranges of the tokens."""
        encodings = self.tokenizer.encode_batch(list(texts))
        out: list = [None] * len(texts)
        order = sorted(range(len(texts)), key=lambda index: len(encodings[index].ids))
        start = 0
        while start < len(order):
            longest = len(encodings[order[start]].ids)
            stop = start
            while stop < len(order) and (stop - start + 1) * max(longest, len(encodings[order[stop]].ids)) <= tokens:
                longest = max(longest, len(encodings[order[stop]].ids))
                stop += 1
            stop = max(stop, start + 1)
            rows = order[start:stop]
            ids = torch.full((len(rows), max(len(encodings[index].ids) for index in rows)), PAD)
            for row, index in enumerate(rows):
                ids[row, : len(encodings[index].ids)] = torch.tensor(encodings[index].ids)
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
                tags, categories = self.model(ids)
            for row, index in enumerate(rows):
                length = len(encodings[index].ids)
                ranges = token_ranges(texts[index], encodings[index])[1:-1]
                out[index] = (tags[row, 1 : length - 1].float().numpy(), categories[row].float().numpy(), ranges)
            start = stop
        return out

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [self.reading(text, *logits) for text, logits in zip(texts, self.logits(texts))]

    def reading(self, text: str, tags: np.ndarray, categories: np.ndarray, ranges: list[tuple[int, int]]) -> Reading:
        biased = tags + np.array(self.calibration.token_bias)
        temperature = np.array(self.calibration.sequence_temperature)
        return Reading(decode(biased, self.calibration.token_temperature, ranges, text), 1 / (1 + np.exp(-categories / temperature)))


@dataclass
class Tally:
    """Counts for one label: characters covered of each known span, and how many of the found spans touch a known one."""

    known: int = 0
    covered: int = 0
    found: int = 0
    right: int = 0

    def add(self, known: Sequence[Span], found: Sequence[Span], open_spans: Sequence[Span] = ()) -> None:
        """`open_spans` may or may not be of the label: found there, a span counts neither way."""
        for start, end, _ in known:
            inside = sum(max(0, min(end, high) - max(start, low)) for low, high, *_ in found)
            self.known += 1
            self.covered += inside >= 0.8 * (end - start)
        for low, high, *_ in found:
            if any(low < end and high > start for start, end, _ in known):
                self.found += 1
                self.right += 1
            elif not any(low < end and high > start for start, end, _ in open_spans):
                self.found += 1

    @property
    def recall(self) -> float:
        return self.covered / self.known if self.known else float("nan")

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else float("nan")


def auroc(positive: Iterable[float], negative: Iterable[float]) -> float:
    """The chance that a positive scores above a negative."""
    positive, negative = np.asarray(list(positive)), np.sort(np.asarray(list(negative)))
    if len(positive) == 0 or len(negative) == 0:
        return float("nan")
    below, upto = np.searchsorted(negative, positive, "left"), np.searchsorted(negative, positive, "right")
    return float(((below + upto) / 2).mean() / len(negative))


def windows(text: str, language: str) -> list[str]:
    """A text cut at line and sentence ends into parts of about a hundred tokens, as the product does."""
    size = 400 if language == "en" else 140
    parts, start = [], 0
    for sentence in re.finditer(r"[^\n.!?。！？；]*(?:[\n。！？；]|[.!?](?=\s|$)|[.!?]|$)", text):
        while sentence.end() - start > size:
            cut = sentence.start() if sentence.start() > start else start + size
            parts.append(text[start:cut])
            start = cut
    return [*parts, text[start:]] if start < len(text) or not parts else parts


def passage_logits(scorer: Scorer, texts: Sequence[str], language: str) -> np.ndarray:
    """Category logits [texts, categories]: the mean over up to four windows in a row, the largest such mean of each text."""
    parts = [(index, part) for index, text in enumerate(texts) for part in windows(text, language)]
    found: list[list[np.ndarray]] = [[] for _ in texts]
    for (index, _), (_, categories, _) in zip(parts, scorer.logits([part for _, part in parts])):
        found[index].append(categories)
    groups = [[np.mean(rows[start : start + 4], axis=0) for start in range(0, len(rows), 4)] for rows in found]
    return np.array([np.max(each, axis=0) for each in groups]).reshape(len(texts), len(SEQUENCE_LABELS))


def passage_scores(scorer: Scorer, texts: Sequence[str], language: str) -> np.ndarray:
    """Probabilities [texts, categories]."""
    return 1 / (1 + np.exp(-passage_logits(scorer, texts, language) / np.array(scorer.calibration.sequence_temperature)))


def span_tallies(scorer: Scorer, records: Sequence[Record], source: SpanSource) -> dict[str, Tally]:
    """Leak recall and precision per annotated label on records of a source."""
    tallies = {label: Tally() for label in sorted(source.annotates)}
    masked = [without_structured(record, Random(record.id)) for record in records]
    for record, reading in zip(masked, scorer.read([record.text for record in masked])):
        known = list(known_spans(record, source))
        for label, tally in tallies.items():
            sure = [(start, end, label) for start, end, labels, optional in known if labels == {label} and not optional]
            unsure = [(start, end, label) for start, end, labels, optional in known if label in labels and optional]
            tally.add(sure, [span for span in reading.spans if span[2] == label], unsure)
    return tallies


def own_texts(language: str, kind: str, part: str, count: int) -> list:
    composer = Composer(99, language, part)
    return [composer.text(kind) for _ in range(count)]


def own_tallies(scorer: Scorer, language: str, part: str, count: int) -> dict[str, Tally]:
    """The same on texts from templates that training has not seen."""
    tallies = {label: Tally() for label in TOKEN_LABELS}
    texts = [text for kind in ("personal", "business", "public") for text in own_texts(language, kind, part, count)]
    for text, reading in zip(texts, scorer.read([text.text for text in texts])):
        for label, tally in tallies.items():
            unsure = [span for span in text.spans if span[2] == label + "?"]
            tally.add([span for span in text.spans if span[2] == label], [span for span in reading.spans if span[2] == label], unsure)
    return tallies


def take(records: list[Record], count: int) -> list[Record]:
    return Random(5).sample(records, min(count, len(records)))


def summary(model: Reader, tokenizer: Tokenizer, directory: Path, part: str, count: int) -> str:
    """A few lines on the dev part: names and addresses per source, confidential against public per language."""
    scorer = Scorer(model, tokenizer, Calibration())
    lines = []
    for source in SPAN_SOURCES:
        tallies = span_tallies(scorer, take(records_of(directory, source, part), count), source)
        lines.append(f"  {source.file}: " + ", ".join(f"{label} r{tally.recall:.3f} p{tally.precision:.3f} ({tally.known})" for label, tally in tallies.items() if tally.known))
    for language in LANGUAGES:
        tallies = own_tallies(scorer, language, part, count // 2)
        lines.append(f"  own {language}: " + ", ".join(f"{label} r{tally.recall:.3f} p{tally.precision:.3f}" for label, tally in tallies.items()))
        scores: dict[bool, list[float]] = {True: [], False: []}
        for source in CLASS_SOURCES:
            texts = [record.text for record in take(records_of(directory, source, part), count // 4) if record.language == language]
            scores[bool(source.categories)] += passage_scores(scorer, texts, language).max(1).tolist() if texts else []
        own: dict[bool, list[float]] = {}
        for kind in ("business", "public"):
            own[kind == "business"] = passage_scores(scorer, [text.text for text in own_texts(language, kind, part, count)], language).max(1).tolist()
        lines.append(f"  passages {language}: AUROC files {auroc(scores[True], scores[False]):.4f}, own {auroc(own[True], own[False]):.4f}")
    return "\n".join(lines)
