"""Tests of the data code: labels stay on their characters, parts do not overlap, decoding follows the transitions."""

import unittest
from random import Random

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from data import OUTSIDE, Record, allowed_tags, outside_bits, part_of, split_key, tag_bits, without_structured
from generate.compose import KINDS, LANGUAGES, Composer, templates
from generate.fill import LABELS, Filler
from network import TAGS, TOKEN_LABELS
from score import Tally, auroc, decode, viterbi, windows


class Templates(unittest.TestCase):
    def test_every_template_can_be_filled_and_its_spans_are_not_empty(self) -> None:
        for language in LANGUAGES:
            filler = Filler(Random(1), language)
            for kind in KINDS:
                for part in ("train", "dev", "test"):
                    for template in templates(language, kind, part):
                        text = filler.fill(template.text)
                        for start, end, label in text.spans:
                            self.assertLess(start, end, template.text)
                            self.assertIn(label.removesuffix("?"), TOKEN_LABELS)
                        self.assertNotRegex(text.text, r"\[\[|\]\]\s*$|\[condition:", template.text)

    def test_parts_share_no_template(self) -> None:
        for language in LANGUAGES:
            for kind in KINDS:
                train, test = ({template.text for template in templates(language, kind, part)} for part in ("train", "test"))
                self.assertTrue(train and test)
                self.assertFalse(train & test)

    def test_a_slot_with_a_digit_keeps_its_value(self) -> None:
        text = Filler(Random(3), "en").fill("{full1} / {full1} / {full2}").text.split(" / ")
        self.assertEqual(text[0], text[1])
        self.assertNotEqual(text[0], text[2])

    def test_the_same_seed_gives_the_same_texts(self) -> None:
        first, second = (Composer(5, "zh", "train") for _ in range(2))
        self.assertEqual([first.text("personal").text for _ in range(20)], [second.text("personal").text for _ in range(20)])

    def test_spans_survive_joining_and_wrapping(self) -> None:
        composer = Composer(7, "en", "train")
        for _ in range(300):
            text = composer.text("personal")
            for start, end, label in text.spans:
                value = text.text[start:end]
                self.assertEqual(value.strip(), value)
                self.assertTrue(value, (text.text, label))

    def test_labels_are_labels_of_the_network(self) -> None:
        self.assertLessEqual({label.removesuffix("?") for label in LABELS.values()}, set(TOKEN_LABELS))


class Tokens(unittest.TestCase):
    def setUp(self) -> None:
        self.tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(["Ann", "Lee", "met", "Bo", "?"])}, unk_token="?"))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()

    def test_a_span_gets_one_beginning_and_then_insides(self) -> None:
        text = "Ann Lee met Bo"
        spans = [(0, 7, frozenset({"name"}), False), (12, 14, frozenset({"name"}), False)]
        allowed = allowed_tags(text, self.tokenizer.encode(text), spans, OUTSIDE)
        begin, inside = tag_bits("name", True), tag_bits("name", False)
        self.assertEqual(allowed.tolist(), [begin, inside, OUTSIDE, begin])

    def test_an_optional_span_may_also_be_nothing(self) -> None:
        allowed = allowed_tags("Ann", self.tokenizer.encode("Ann"), [(0, 3, frozenset({"organisation"}), True)], OUTSIDE)
        self.assertEqual(allowed.tolist(), [tag_bits("organisation", True) | OUTSIDE])

    def test_labels_a_source_does_not_annotate_stay_open(self) -> None:
        bits = outside_bits({"name"})
        self.assertFalse(bits & tag_bits("name", True))
        self.assertTrue(bits & tag_bits("medical", True))
        self.assertTrue(bits & OUTSIDE)

    def test_structured_values_become_masks_and_spans_move(self) -> None:
        text = "Ann 5551234 Lee"
        record = Record("1", "en", text, ((0, 3, "PERSON"), (4, 11, "PHONE"), (12, 15, "PERSON")))
        masked = next(found for seed in range(50) if (found := without_structured(record, Random(seed))).text != text)
        self.assertEqual(masked.text, "Ann <mask> Lee")
        self.assertEqual([masked.text[start:end] for start, end, label in masked.spans if label == "PERSON"], ["Ann", "Lee"])


class Split(unittest.TestCase):
    def test_fillings_of_one_template_share_a_part(self) -> None:
        first = Record("1", "en", "Call Ann at 12", ((5, 8, "PERSON"),))
        second = Record("2", "en", "Call Robert at 99", ((5, 11, "PERSON"),))
        self.assertEqual(split_key(first, True), split_key(second, True))
        self.assertEqual(split_key(first, False), "1")

    def test_parts_have_their_shares(self) -> None:
        parts = [part_of(str(number)) for number in range(4000)]
        self.assertAlmostEqual(parts.count("train") / 4000, 0.85, delta=0.03)
        self.assertAlmostEqual(parts.count("test") / 4000, 0.10, delta=0.03)


class Reading(unittest.TestCase):
    def test_inside_never_follows_outside(self) -> None:
        scores = np.full((2, TAGS), -10.0)
        scores[0, 0], scores[0, 1] = -0.1, -0.2
        scores[1, 2] = 0.0
        self.assertEqual(viterbi(scores).tolist(), [1, 2])

    def test_spans_of_characters(self) -> None:
        scores = np.full((3, TAGS), -10.0)
        scores[0, 1] = scores[1, 2] = scores[2, 0] = 0.0
        ranges = [(0, 3), (4, 7), (8, 9)]
        self.assertEqual([span[:3] for span in decode(scores, 1.0, ranges, "Ann Lee, x")], [(0, 7, "name")])
        self.assertEqual([span[:3] for span in decode(scores, 1.0, ranges, "Ann\nLee, x")], [(0, 3, "name")])

    def test_windows_cover_the_text_in_order(self) -> None:
        for text in ("", "short", "One. Two. " * 200, "无标点" * 200, "第一句。第二句！\n" * 60):
            for language in LANGUAGES:
                self.assertEqual("".join(windows(text, language)), text)
                self.assertTrue(all(len(part) <= 400 for part in windows(text, language)))

    def test_tally_counts_covered_characters(self) -> None:
        tally = Tally()
        tally.add([(0, 10, "name"), (20, 30, "name")], [(0, 8, "name"), (20, 25, "name"), (40, 45, "name")])
        self.assertEqual((tally.known, tally.covered, tally.found, tally.right), (2, 1, 3, 2))

    def test_auroc_of_a_perfect_and_of_a_blind_score(self) -> None:
        self.assertEqual(auroc([0.9, 0.8], [0.1, 0.2]), 1.0)
        self.assertEqual(auroc([0.5], [0.5]), 0.5)


if __name__ == "__main__":
    unittest.main()
