"""Temperatures, the operating point of the token head and the thresholds of the categories, all on the dev part."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer

from data import ANY, CLASS_SOURCES, SPAN_SOURCES, Example, Examples, known_spans, records_of, without_structured
from export import Calibration
from generate.compose import LANGUAGES
from network import SEQUENCE_LABELS, TAGS, TOKEN_LABELS, Reader
from score import Scorer, Tally, decode, own_texts, passage_logits, take

# The default policy logs names, organisations and titles and may act on the rest.
LEAST_CASES = 10
LEAST_PRECISION = {"name": 0.90, "organisation": 0.85, "title": 0.85}
LEAST_PRECISION_ELSEWHERE = 0.95
BIASES = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, -0.5, -1.0)
FALSE_POSITIVE_RATE = 0.001
SAFETY_LOGITS = 0.4
# Blocking public text is the dearer error: nothing acts below this probability, however clean the dev part is.
LEAST_THRESHOLD = 0.9
TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(4.0), 60))


def calibrate(model: Reader, tokenizer: Tokenizer, directory: Path) -> Calibration:
    """Fits everything after training, without touching the weights."""
    scorer = Scorer(model, tokenizer, Calibration())
    calibration = Calibration(token_temperature=token_temperature(scorer, directory))
    calibration = replace(calibration, token_bias=token_bias(scorer, directory, calibration.token_temperature))
    return sequence_calibration(scorer, directory, calibration)


def dev_tokens(scorer: Scorer, directory: Path) -> list[Example]:
    """Examples of the dev part that say something about tokens."""
    examples, random = Examples(scorer.tokenizer, directory), Random("calibrate")
    found = []
    for source in SPAN_SOURCES:
        found += [examples.spans(record, source, random) for record in take(records_of(directory, source, "dev"), 150)]
    return found


def token_temperature(scorer: Scorer, directory: Path) -> float:
    """The temperature under which the allowed tags of the dev tokens are most likely."""
    logits, allowed = [], []
    for example in dev_tokens(scorer, directory):
        with torch.no_grad():
            tags, _ = scorer.model(torch.from_numpy(example.ids)[None, :])
        bits = (example.allowed[:, None] >> np.arange(TAGS)) & 1 == 1
        informative = ~bits.all(1)
        logits.append(tags[0].numpy()[informative])
        allowed.append(bits[informative])
    values, bits = np.concatenate(logits), np.concatenate(allowed)

    def loss(temperature: float) -> float:
        scaled = values / temperature
        inside = np.where(bits, scaled, -np.inf)
        return float((np.logaddexp.reduce(scaled, 1) - np.logaddexp.reduce(inside, 1)).mean())

    return float(min(TEMPERATURES, key=loss))


def token_bias(scorer: Scorer, directory: Path, temperature: float) -> list[float]:
    """Per label what is added to its tags: the most recall at its least precision, or else the best F1."""
    cases = []
    for source in SPAN_SOURCES:
        records = [without_structured(record, Random(record.id)) for record in take(records_of(directory, source, "dev"), 250)]
        for record, logits in zip(records, scorer.logits([record.text for record in records])):
            cases.append((source.file, [(set(labels), start, end, optional) for start, end, labels, optional in known_spans(record, source)], source.annotates, record.text, logits))
    for language in LANGUAGES:
        for kind, count in (("personal", 400), ("business", 200), ("public", 200)):
            texts = own_texts(language, kind, "dev", count)
            for text, logits in zip(texts, scorer.logits([text.text for text in texts])):
                cases.append(("own " + language, [({label.removesuffix("?")}, start, end, label.endswith("?")) for start, end, label in text.spans], TOKEN_LABELS, text.text, logits))
    choices: dict[str, list[tuple[float, list[Tally]]]] = {label: [] for label in TOKEN_LABELS}
    for bias in BIASES:
        tallies: dict[str, defaultdict[str, Tally]] = {label: defaultdict(Tally) for label in TOKEN_LABELS}
        for source, known, annotated, text, (tags, _, ranges) in cases:
            found = decode(tags + np.array([0.0] + [bias] * (TAGS - 1)), temperature, ranges, text)
            for label in annotated:
                sure = [(start, end, label) for labels, start, end, optional in known if labels == {label} and not optional]
                unsure = [(start, end, label) for labels, start, end, optional in known if label in labels and optional]
                tallies[label][source].add(sure, [span for span in found if span[2] == label], unsure)
        for label, each in tallies.items():
            choices[label].append((bias, list(each.values())))
    out = [0.0] * TAGS
    for index, label in enumerate(TOKEN_LABELS):
        out[1 + 2 * index] = out[2 + 2 * index] = operating_point(choices[label], LEAST_PRECISION.get(label, LEAST_PRECISION_ELSEWHERE))
    return out


def operating_point(choices: list[tuple[float, list[Tally]]], least: float) -> float:
    """The bias with the most recall at a precision of at least `least`, or else the best F1; the smallest of equals.

    Both are means over the sources, so that many easy templates do not outvote a few posts.
    """
    points = []
    for bias, tallies in choices:
        precision = np.mean([tally.precision for tally in tallies if tally.found >= LEAST_CASES] or [0.0])
        recall = np.mean([tally.recall for tally in tallies if tally.known >= LEAST_CASES] or [0.0])
        points.append((float(precision), float(recall), bias))
    precise = [(recall, -abs(bias), bias) for precision, recall, bias in points if precision >= least]
    if precise:
        return max(precise)[2]
    return max(points, key=lambda point: 2 * point[0] * point[1] / (point[0] + point[1] + 1e-9))[2]


def sequence_calibration(scorer: Scorer, directory: Path, calibration: Calibration) -> Calibration:
    """A temperature for each category, and the probability that one public text in a thousand exceeds."""
    logits, targets, public = [], [], []
    for source in CLASS_SOURCES:
        if source.categories == (ANY,):
            continue
        records = take(records_of(directory, source, "dev"), 250)
        rows = passage_logits(scorer, [record.text for record in records], source.file.split("_")[1])
        logits.append(rows)
        targets.append(np.tile([float(label in source.categories) for label in SEQUENCE_LABELS], (len(rows), 1)))
        if not source.categories:
            public.append(rows)
    for source in (source for source in SPAN_SOURCES if source.public):
        public.append(passage_logits(scorer, [record.text for record in records_of(directory, source, "dev")], source.file.split("_")[1]))
    for language in LANGUAGES:
        for kind in ("business", "public"):
            texts = own_texts(language, kind, "dev", 700)
            rows = passage_logits(scorer, [text.text for text in texts], language)
            logits.append(rows)
            targets.append(np.array([[float(label in text.categories) for label in SEQUENCE_LABELS] for text in texts]))
            if kind == "public":
                public.append(rows)
    values, wanted, harmless = np.concatenate(logits), np.concatenate(targets), np.concatenate(public)
    temperatures, thresholds = [], []
    for index in range(len(SEQUENCE_LABELS)):

        def loss(temperature: float) -> float:
            scaled = values[:, index] / temperature
            return float(np.mean(np.logaddexp(0, scaled) - wanted[:, index] * scaled))

        temperature = float(min(TEMPERATURES, key=loss))
        limit = float(np.quantile(harmless[:, index], 1 - FALSE_POSITIVE_RATE)) + SAFETY_LOGITS
        temperatures.append(temperature)
        thresholds.append(max(LEAST_THRESHOLD, min(0.999, 1 / (1 + float(np.exp(-limit / temperature))))))
    return replace(calibration, sequence_temperature=temperatures, sequence_threshold=thresholds)
