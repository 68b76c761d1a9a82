"""The template language: `{slot}` draws a value, `[[a|b|c]]` chooses, `[condition: diabetes]` labels words of the template.

A slot whose name ends in a digit keeps its value within one text: `{name1} ... {name1}`. The table `LABELS` says which slots are
personal data and of what kind; every other slot is plain text. `{phone}`, `{email}` and the like stand for what the rules find:
they become the `<mask>` piece, as in the product, in seven texts of ten, and raw values in the rest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from generate import words
from generate.people import TITLES_EN, TITLES_ZH, People
from generate.places import Places

MASK = "<mask>"
LABELS = {
    "name": "name",
    "full": "name",
    "first": "name",
    "called": "name",
    "romanised": "name",
    "stem": "name",
    "public": "name",
    "foreign": "name",
    "historic": "name?",
    "rank": "title?",
    "address": "address",
    "spoken": "address",
    "org": "organisation",
    "birth": "birth_date",
    "handle": "handle",
    "title": "title",
    "secret": "secret",
    "pin": "secret",
}
MARKED = {"condition": "medical", "nm": "name", "ad": "address", "or": "organisation", "bd": "birth_date", "ha": "handle", "ti": "title", "se": "secret"}
TOKEN = re.compile(r"\{([a-z_]+)(\d?)\}|\[\[|\]\]|\||\[(condition|nm|ad|or|bd|ha|ti|se): ([^\]]+)\]")


@dataclass
class Text:
    """A text with labelled character spans (start, end, label) and the business categories of the passage.

    A label that ends in `?` may also be nothing: people of the past are names in an encyclopaedia and nobody's secret anywhere.
    """

    text: str
    spans: list[tuple[int, int, str]] = field(default_factory=list)
    categories: tuple[str, ...] = ()

    def append(self, other: Text) -> None:
        shift = len(self.text)
        self.text += other.text
        self.spans += [(start + shift, end + shift, label) for start, end, label in other.spans]


def part_of(template: str) -> str:
    """The fixed part a template belongs to: train, dev or test."""
    value = int.from_bytes(hashlib.sha256(template.encode()).digest()[:4], "little") % 100
    return "train" if value < 84 else "dev" if value < 90 else "test"


def balanced(text: str) -> int:
    """The index of the `]]` that closes the `[[` at the start of `text`."""
    depth, at = 0, 0
    while at < len(text):
        if text.startswith("[[", at):
            depth += 1
            at += 2
        elif text.startswith("]]", at):
            depth -= 1
            if depth == 0:
                return at
            at += 2
        else:
            at += 1
    raise ValueError(f"unbalanced choice: {text}")


def choices(text: str) -> list[str]:
    """The alternatives of a choice, split at its own bars only."""
    parts, depth, last = [], 0, 0
    for match in re.finditer(r"\[\[|\]\]|\|", text):
        if match.group() == "[[":
            depth += 1
        elif match.group() == "]]":
            depth -= 1
        elif depth == 0:
            parts.append(text[last : match.start()])
            last = match.end()
    return [*parts, text[last:]]


class Filler:
    """Fills templates of one language with one stream of random numbers."""

    def __init__(self, random: Random, language: str) -> None:
        self.random = random
        self.language = language
        self.people = People(random)
        self.places = Places(random)
        self.slots = self.chinese_slots() if language == "zh" else self.english_slots()
        self.raw = False

    def fill(self, template: str) -> Text:
        self.raw = self.random.random() < 0.3
        return self.expand(self.choose(template))

    def choose(self, template: str) -> str:
        while "{rest}" in template:
            template = template.replace("{rest}", self.random.choice(words.RESTS_ZH), 1)
        while (start := template.find("[[")) >= 0:
            end = start + balanced(template[start:])
            template = template[:start] + self.random.choice(choices(template[start + 2 : end])) + template[end + 2 :]
        return template

    def expand(self, template: str) -> Text:
        out, last, kept = Text(""), 0, {}
        for match in TOKEN.finditer(template):
            slot, digit, mark, inner = match.groups()
            if slot is None and mark is None:
                continue
            out.text += template[last : match.start()]
            last = match.end()
            if mark is not None:
                label, value = MARKED[mark], self.expand(inner).text
            else:
                label = LABELS.get(slot)
                value = kept.get(slot + digit) if digit else None
                if value is None:
                    value = self.draw(slot)
                    if digit:
                        kept[slot + digit] = value
            if label is not None:
                out.spans.append((len(out.text), len(out.text) + len(value), label))
            out.text += value
        out.text += template[last:]
        return out

    def draw(self, slot: str) -> str:
        if slot not in self.slots:
            raise KeyError(f"unknown slot {{{slot}}} in a {self.language} template")
        return self.slots[slot]()

    def masked(self, raw: Callable[[], str]) -> Callable[[], str]:
        return lambda: raw() if self.raw else MASK

    def common_slots(self) -> dict[str, Callable[[], str]]:
        random, people = self.random, self.people
        pick = random.choice

        def digits(count: int) -> str:
            return "".join(random.choices("0123456789", k=count))

        def mail() -> str:
            return f"{people.file_stem().lower()}{pick(['', '', digits(2)])}@{pick(words.MAIL_DOMAINS)}"

        return {
            "stem": people.file_stem,
            "handle": people.handle,
            "romanised": people.romanised,
            "foreign": people.transliterated,
            "email": self.masked(mail),
            "url": self.masked(lambda: f"https://{pick(words.HOSTS)}/{digits(4)}"),
            "id": self.masked(lambda: digits(18)),
            "card": self.masked(lambda: f"6222 {digits(4)} {digits(4)} {digits(4)} {digits(3)}"),
            "ip": self.masked(lambda: f"10.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"),
            "token": self.masked(lambda: "sk-" + "".join(random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMN0123456789", k=32))),
            "n": lambda: str(random.randint(2, 9)),
            "nn": lambda: str(random.randint(10, 99)),
            "nnn": lambda: str(random.randint(100, 999)),
            "nnnn": lambda: str(random.randint(1000, 9999)),
            "pct": lambda: pick([f"{random.randint(1, 60)}%", f"{random.randint(1, 60)}.{random.randint(1, 9)}%"]),
            "ticket": lambda: f"{pick(['OPS', 'HR', 'CRM', 'FIN', 'APP', 'SUP', 'PLAT'])}-{random.randint(10, 9999)}",
            "code": lambda: pick(words.PROJECT_CODES),
            "secret": self.secret,
            "pin": lambda: digits(pick([4, 4, 6])),
            "library": lambda: pick(words.LIBRARIES),
        }

    def secret(self) -> str:
        random, pick = self.random, self.random.choice
        word = pick(words.SECRET_WORDS)
        return pick(
            [
                f"{word}{random.randint(1, 2026)}{pick('!@#$%&*')}",
                f"{word.capitalize()}@{random.randint(10, 9999)}",
                f"{pick(words.SECRET_WORDS)}-{word}-{pick(words.SECRET_WORDS)}",
                f"{word}{pick(words.SECRET_WORDS).capitalize()}{random.randint(1, 999)}",
                "".join(random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%+", k=random.randint(8, 16))),
                word.replace("o", "0").replace("e", "3").capitalize() + pick("!#?") + str(random.randint(10, 99)),
            ]
        )

    def english_slots(self) -> dict[str, Callable[[], str]]:
        random, people, places = self.random, self.people, self.places
        pick = random.choice
        months = "January February March April May June July August September October November December".split()

        def org() -> str:
            surname = people.english().split()[-1].title()
            return pick([f"{pick(words.ORG_EN)} {pick(words.ORG_KIND_EN)}", f"{surname} {pick(words.ORG_KIND_EN)}", f"{surname} & {people.english().split()[-1].title()}", pick(words.ORG_EN)])

        def money() -> str:
            amount = random.choice([random.randint(1, 99) * 100, random.randint(10_000, 999_999), random.randint(1_000_000, 90_000_000)])
            sign = pick(["$", "£", "€", "USD ", "EUR ", "SGD "])
            return pick([f"{sign}{amount:,}", f"{sign}{amount / 1e6:.1f}M" if amount > 400_000 else f"{sign}{amount / 1e3:.1f}k", f"{sign}{amount}"])

        return self.common_slots() | {
            "name": people.english_written,
            "full": people.english,
            "first": people.english_first,
            "called": lambda: pick([people.english_first(), f"{pick(['Mr', 'Ms', 'Mrs', 'Dr', 'Dr.', 'Mr.', 'Professor'])} {people.english().split()[-1]}"]),
            "public": lambda: pick(words.PUBLIC_EN),
            "address": places.english,
            "spoken": places.english_spoken,
            "org": org,
            "birth": people.birth_english,
            "title": lambda: pick(TITLES_EN),
            "role": lambda: pick(TITLES_EN),
            "condition": lambda: pick(words.CONDITIONS_EN),
            "drug": lambda: pick(words.DRUGS_EN),
            "phone": self.masked(lambda: pick([f"+1 {random.randint(200, 989)}-{random.randint(200, 999)}-{random.randint(1000, 9999)}", f"07{random.randint(100, 999)} {random.randint(100000, 999999)}"])),
            "date": lambda: pick([f"{pick(months)} {random.randint(1, 28)}", f"{random.randint(1, 28)} {pick(months)}", f"{pick(months)} {random.randint(2018, 2027)}", f"{random.randint(2018, 2027)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"]),
            "month": lambda: pick(months),
            "day": lambda: pick("Monday Tuesday Wednesday Thursday Friday".split()),
            "time": lambda: pick([f"{random.randint(1, 12)} pm", f"{random.randint(8, 18)}:{pick(['00', '15', '30', '45'])}", f"{random.randint(1, 12)}:30"]),
            "year": lambda: str(random.randint(2019, 2027)),
            "quarter": lambda: pick(["Q1", "Q2", "Q3", "Q4", "the first quarter", "H1", "H2", "FY25", "FY26"]),
            "money": money,
            "city": lambda: pick(words.CITIES_EN),
            "country": lambda: pick(words.COUNTRIES_EN),
            "brand": lambda: pick(words.BRANDS_EN),
            "fiction": lambda: pick(words.FICTION_EN),
            "historic": lambda: pick(words.HISTORIC_EN),
            "book": lambda: pick(words.BOOKS_EN),
            "food": lambda: pick(words.FOOD_EN),
            "product": lambda: pick(words.PRODUCTS_EN),
            "project": lambda: f"Project {pick(words.PROJECT_CODES)}",
            "dept": lambda: pick(words.DEPARTMENTS_EN),
            "company": lambda: pick(words.COMPANIES_EN),
            "topic": lambda: pick(words.TOPICS_EN),
        }

    def chinese_slots(self) -> dict[str, Callable[[], str]]:
        random, people, places = self.random, self.people, self.places
        pick = random.choice

        def org() -> str:
            return pick(["", "", pick(words.CITIES_ZH)]) + pick(words.ORG_ZH) + pick(words.ORG_TRADE_ZH) + pick(words.ORG_KIND_ZH)

        def written() -> str:
            kind = random.random()
            return people.chinese() if kind < 0.86 else people.chinese_called() if kind < 0.95 else people.romanised()

        return self.common_slots() | {
            "name": written,
            "full": people.chinese,
            "first": people.chinese_called,
            "called": people.chinese_called,
            "public": lambda: pick(words.PUBLIC_ZH),
            "address": places.chinese,
            "spoken": places.chinese_spoken,
            "org": org,
            "birth": people.birth_chinese,
            "title": lambda: pick(TITLES_ZH),
            "role": lambda: pick(TITLES_ZH),
            "condition": lambda: pick(words.CONDITIONS_ZH),
            "drug": lambda: pick(words.DRUGS_ZH),
            "phone": self.masked(lambda: f"1{pick('3578')}{random.randint(0, 9)}{random.randint(10_000_000, 99_999_999)}"),
            "date": lambda: pick([f"{random.randint(1, 12)}月{random.randint(1, 28)}日", f"{random.randint(2019, 2027)}年{random.randint(1, 12)}月", f"{random.randint(1, 12)}月{random.randint(1, 28)}号", f"{random.randint(2019, 2027)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"]),
            "month": lambda: f"{random.randint(1, 12)}月",
            "day": lambda: pick(["周一", "周二", "周三", "周四", "周五", "下周一", "下周三", "本周五", "星期二"]),
            "time": lambda: pick(["下午三点", "上午十点半", "14:00", "9:30", "晚上八点", "下午2点", "明天上午"]),
            "year": lambda: str(random.randint(2019, 2027)),
            "quarter": lambda: pick(["一季度", "二季度", "三季度", "四季度", "上半年", "下半年", "Q1", "Q2", "Q3", "全年"]),
            "money": lambda: pick([f"{random.randint(1, 9999)}万元", f"{random.randint(1000, 99999)}元", f"{random.randint(1, 900)}万", f"{random.randint(1, 90)}.{random.randint(1, 9)}亿元", f"¥{random.randint(1000, 9999999):,}", f"{random.randint(5, 80)}k"]),
            "city": lambda: pick(words.CITIES_ZH),
            "country": lambda: pick(words.COUNTRIES_ZH),
            "brand": lambda: pick(words.BRANDS_ZH),
            "fiction": lambda: pick(words.FICTION_ZH),
            "historic": lambda: pick(words.HISTORIC_ZH),
            "book": lambda: pick(words.BOOKS_ZH),
            "food": lambda: pick(words.FOOD_ZH),
            "product": lambda: pick(words.PRODUCTS_ZH),
            "project": lambda: pick(words.PROJECTS_ZH) + pick(["项目", "计划", "工程", "项目"]),
            "dept": lambda: pick(words.DEPARTMENTS_ZH),
            "company": lambda: pick(words.COMPANIES_ZH),
            "topic": lambda: pick(words.TOPICS_ZH),
            "rank": lambda: pick(words.RANKS_ZH),
            "verb": lambda: pick(words.VERBS_ZH),
        }
