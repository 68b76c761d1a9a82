"""Measures a model file on held-out records and templates and prints the tables of MODEL_CARD.md.

    python models/training/evaluate.py --data DIR --model models/exeat-zh-en.gguf --tokenizer models/tokenizer.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import export
from data import ANY, CLASS_SOURCES, SPAN_SOURCES, Record, SpanSource, read_records, records_of
from generate.compose import LANGUAGES
from network import SEQUENCE_LABELS, TOKEN_LABELS
from score import Scorer, auroc, own_tallies, own_texts, passage_scores, span_tallies, take

# Licences that forbid shipping weights trained on them, or that are not stated: only measured.
MEASURED_SPANS = (
    SpanSource("ner_en_edgar_ener", frozenset({"name", "organisation"}), True),
    SpanSource("ner_zh_cluener", frozenset({"name", "organisation"}), True),
    SpanSource("ner_zh_resume", frozenset({"name", "organisation"}), True),
    SpanSource("addr_zh_parsing", frozenset({"address"}), True),
)
MEASURED_CLASSES = (
    ("class_en_train", "resume", ("hr",)),
    ("class_en_train", "news", ()),
    ("class_en_train", "science", ()),
    ("class_en_train", "literature", ()),
    ("class_en_train", "finance_public", ()),
    ("class_zh_train", "contract_legal", ("contract",)),
    ("class_zh_train", "medical", ("medical",)),
    ("class_zh_train", "news", ()),
    ("class_zh_train", "science", ()),
    ("class_zh_train", "literature", ()),
    ("class_zh_train", "web", ()),
    ("harmless_en_train", "tweet", ()),
    ("harmless_zh_train", "headline", ()),
)
PROXIES = {"meeting_transcript", "financial_statement", "resume", "business_email"}
MOST = 400


@dataclass(frozen=True)
class Passages:
    """Scores [records, categories] of one category of one file."""

    name: str
    language: str
    categories: tuple[str, ...]
    unseen_source: bool
    scores: np.ndarray


def row(*cells: object) -> str:
    return "| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"


def header(*cells: str) -> str:
    return row(*cells) + "\n|" + "---|" * len(cells)


def span_tables(scorer: Scorer, directory: Path) -> None:
    print("### Personal data, held-out records\n")
    print("Recall: spans of which at least 80 % of the characters are covered. Precision: found spans that touch a known one.\n")
    print(header("source", "label", "spans", "recall", "precision"))
    for source in SPAN_SOURCES:
        for label, tally in span_tallies(scorer, take(records_of(directory, source, "test"), 800), source).items():
            if tally.known >= 5:
                print(row(source.file, label, tally.known, tally.recall, tally.precision))
    for source in MEASURED_SPANS:
        for label, tally in span_tallies(scorer, take(read_records(directory, source.file), 800), source).items():
            if tally.known >= 5:
                print(row(source.file + " (source not trained on)", label, tally.known, tally.recall, tally.precision))
    for language in LANGUAGES:
        for label, tally in own_tallies(scorer, language, "test", 500).items():
            print(row(f"own templates, {language}", label, tally.known, tally.recall, tally.precision))
    print()


def all_passages(scorer: Scorer, directory: Path) -> list[Passages]:
    out = []

    def add(name: str, language: str, categories: tuple[str, ...], unseen: bool, records: Sequence[Record]) -> None:
        if records:
            out.append(Passages(name, language, categories, unseen, passage_scores(scorer, [record.text for record in records], language)))

    for source in CLASS_SOURCES:
        add(source.category, source.file.split("_")[1], source.categories, False, take(records_of(directory, source, "test"), MOST))
    for file, category, categories in MEASURED_CLASSES:
        records = [record for record in read_records(directory, file) if record.category == category]
        add(category, file.split("_")[1], categories, True, take(records, MOST))
    for language in LANGUAGES:
        for kind in ("business", "public"):
            texts = own_texts(language, kind, "test", 800)
            for categories in dict.fromkeys(text.categories for text in texts):
                records = [Record("", language, text.text) for text in texts if text.categories == categories]
                add("own " + ("+".join(categories) or "public"), language, categories, False, records)
    return out


def pooled(passages: Sequence[Passages], wanted: Callable[[Passages], bool]) -> np.ndarray:
    """All scores of the passages that are wanted, stacked."""
    rows = [each.scores for each in passages if wanted(each)]
    return np.concatenate(rows) if rows else np.zeros((0, len(SEQUENCE_LABELS)))


def passage_tables(scorer: Scorer, directory: Path) -> None:
    passages = all_passages(scorer, directory)
    thresholds = np.array(scorer.calibration.sequence_threshold)
    print("### Business passages\n")
    print(header("language", "what", "confidential", "public", "AUROC"))
    for language in LANGUAGES:
        for what, confidential in (
            ("held-out part, without proxies", lambda each: each.categories and not each.unseen_source and each.name not in PROXIES),
            ("held-out part and sources not trained on, without proxies", lambda each: each.categories and each.name not in PROXIES),
            ("all, with proxies", lambda each: bool(each.categories)),
        ):
            here = lambda each, wanted=confidential: each.language == language and wanted(each)
            positive = pooled(passages, here).max(1)
            negative = pooled(passages, lambda each: each.language == language and not each.categories).max(1)
            print(row(language, what, len(positive), len(negative), auroc(positive, negative)))
    print("\nRecall per category: by the largest probability at 1 % false positives on the public texts of the language, and of any category at the shipped thresholds.\n")
    print(header("language", "passages", "records", "recall at 1 %", "recall at the thresholds"))
    for language in LANGUAGES:
        negative = pooled(passages, lambda each: each.language == language and not each.categories).max(1)
        limit = np.quantile(negative, 0.99)
        recalls = []
        for each in passages:
            if each.language != language or not each.categories:
                continue
            caught = float((each.scores.max(1) > limit).mean())
            over = float((each.scores > thresholds).any(1).mean())
            if each.name not in PROXIES:
                recalls.append(caught)
            note = " (proxy)" if each.name in PROXIES else " (source not trained on)" if each.unseen_source else ""
            print(row(language, each.name + note, len(each.scores), caught, over))
        print(row(language, "**mean without proxies**", "", float(np.mean(recalls)), ""))
    print("\nFalse positives at the shipped thresholds; `source_code` is only logged by the default policy and is counted apart.\n")
    print(header("language", "public texts", "records", "flagged", "flagged as source code only"))
    acting = np.array([label != "source_code" for label in SEQUENCE_LABELS])
    for each in passages:
        if not each.categories:
            over = each.scores > thresholds
            act = over[:, acting].any(1)
            note = " (source not trained on)" if each.unseen_source else ""
            print(row(each.language, each.name + note, len(each.scores), int(act.sum()), int((over.any(1) & ~act).sum())))
    print()
    reliability(passages)


def reliability(passages: Sequence[Passages]) -> None:
    print("### Reliability of the category probabilities\n")
    scores = np.concatenate([each.scores for each in passages if ANY not in each.categories and each.name not in PROXIES])
    truth = np.concatenate([np.tile([label in each.categories for label in SEQUENCE_LABELS], (len(each.scores), 1)) for each in passages if ANY not in each.categories and each.name not in PROXIES])
    print(header("stated probability", "cases", "mean stated", "observed"))
    bounds = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0001]
    for low, high in zip(bounds[:-1], bounds[1:]):
        inside = (scores >= low) & (scores < high)
        if inside.any():
            print(row(f"{low:.2f} - {min(high, 1.0):.2f}", int(inside.sum()), float(scores[inside].mean()), float(truth[inside].mean())))
    print()


def harmless_spans(scorer: Scorer, directory: Path) -> None:
    print("### Personal data found in harmless prompts, posts and headlines\n")
    print("Texts with at least one span of the label, per thousand, at confidences of at least 0.5 and 0.9.\n")
    print(header("texts", "records", *TOKEN_LABELS))
    for file, category in (("harmless_en_train", "prompt"), ("harmless_en_train", "tweet"), ("harmless_zh_train", "prompt"), ("harmless_zh_train", "headline")):
        readings = scorer.read([record.text for record in read_records(directory, file) if record.category == category])
        cells = []
        for label in TOKEN_LABELS:
            counts = [1000 * sum(any(span[2] == label and span[3] >= least for span in reading.spans) for reading in readings) / len(readings) for least in (0.5, 0.9)]
            cells.append(f"{counts[0]:.1f} / {counts[1]:.1f}")
        print(row(f"{file.split('_')[1]} {category}", len(readings), *cells))
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    arguments = parser.parse_args()
    model, calibration = export.read(arguments.model)
    scorer = Scorer(model, Tokenizer.from_file(str(arguments.tokenizer)), calibration)
    span_tables(scorer, arguments.data)
    passage_tables(scorer, arguments.data)
    harmless_spans(scorer, arguments.data)


if __name__ == "__main__":
    main()
