"""From templates to texts: loads the template files, joins passages, wraps them in a request to an assistant, varies the writing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from generate.fill import Filler, Text, part_of

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("en", "zh")
KINDS = ("personal", "business", "public")

WRAPPERS_EN = r"""
Please proofread: @|Translate into Chinese:\n@|Summarise the following text.\n\n@|Make this shorter: "@"|Here is the text:\n@\nWhat is missing?|Can you turn this into bullet points?\n@|@\n\nPlease improve the wording.|Rewrite for a general reader: @|
Is there anything wrong with this? @|fix grammar pls: @|I wrote this, is it ok?\n\n@|Continue in the same style:\n@|Explain this to me: @|@ -- what do you think?|> @\n\nWhat does this mean?|Please make a table from this: @|Draft a reply to this: @|tl;dr of: @
""".replace("\n", "").replace("\\n", "\n").split("|")
WRAPPERS_ZH = r"""
帮我润色一下：@|翻译成英文：\n@|总结下面的内容：\n@|缩短一点："@"|下面是原文：\n@\n还缺什么？|整理成要点：\n@|@\n\n帮我改得更通顺。|这段话有没有问题？@|改一下语病：@|接着往下写：\n@|给我解释一下：@|@ 你怎么看？|做成表格：@|帮我回复这条：@|
以下内容请转成正式公文：@|把这段改成英文邮件：@|提炼三个要点：@|检查错别字：@
""".replace("\n", "").replace("\\n", "\n").split("|")


@dataclass(frozen=True)
class Template:
    text: str
    categories: tuple[str, ...]
    language: str
    kind: str


@cache
def templates(language: str, kind: str, part: str) -> tuple[Template, ...]:
    """The templates of one file that belong to one part (train, dev, test)."""
    found, categories = [], ()
    for path in sorted(TEMPLATES.glob(f"{language}_{kind}*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("== "):
                names = line.removeprefix("== ").strip()
                categories = () if names == "public" else tuple(names.split(","))
            elif line and not line.startswith("%% ") and part_of(line) == part:
                found.append(Template(line.replace("\\n", "\n").replace("\\t", "\t"), categories, language, kind))
    return tuple(found)


class Composer:
    """Composes texts of one language from the templates of one part."""

    def __init__(self, seed: int, language: str, part: str) -> None:
        self.random = Random(f"{seed}/{language}/{part}")
        self.filler = Filler(self.random, language)
        self.language = language
        self.part = part

    def text(self, kind: str) -> Text:
        """A new text of the kind `personal`, `business` or `public`."""
        chosen = self.random.choice(self.weighted(kind))
        text = self.filler.fill(chosen.text)
        text.categories = chosen.categories
        if self.random.random() < 0.35:
            same = [other for other in templates(self.language, kind, self.part) if other.categories == chosen.categories]
            for _ in range(self.random.choice([1, 1, 2, 3])):
                text.append(Text(self.random.choice([" ", "\n", "\n\n", " " if self.language == "en" else ""])))
                text.append(self.filler.fill(self.random.choice(same).text))
        if self.random.random() < 0.2:
            text = self.wrapped(text)
        if self.random.random() < 0.12:
            text = self.beside(text)
        return self.varied(text)

    @cache
    def weighted(self, kind: str) -> list[Template]:
        """The templates of a kind, such that each business category is equally likely."""
        found = templates(self.language, kind, self.part)
        counts: dict[tuple[str, ...], int] = {}
        for template in found:
            counts[template.categories] = counts.get(template.categories, 0) + 1
        largest = max(counts.values())
        return [template for template in found for _ in range(max(1, round(largest / counts[template.categories])))]

    def wrapped(self, text: Text) -> Text:
        """The text inside a request to an assistant."""
        before, after = self.random.choice(WRAPPERS_EN if self.language == "en" else WRAPPERS_ZH).split("@")
        out = Text(before)
        out.append(text)
        out.append(Text(after))
        out.categories = text.categories
        return out

    def beside(self, text: Text) -> Text:
        """The text with something harmless before or after it."""
        other = self.filler.fill(self.random.choice(templates(self.language, "public", self.part)).text)
        first, second = (text, other) if self.random.random() < 0.5 else (other, text)
        out = Text("")
        out.append(first)
        out.append(Text(self.random.choice(["\n", "\n\n", " "])))
        out.append(second)
        out.categories = text.categories
        return out

    def varied(self, text: Text) -> Text:
        """Now and then without the last stop, all lower case or all capitals."""
        chance = self.random.random()
        if chance < 0.06 and text.text.endswith((".", "。", "!", "！")) and all(end < len(text.text) for _, end, _ in text.spans):
            text.text = text.text[:-1]
        elif chance < 0.10 and len(text.text.lower()) == len(text.text):
            text.text = text.text.lower()
        elif chance < 0.12 and len(text.text.upper()) == len(text.text):
            text.text = text.text.replace("<mask>", "\0\0\0\0\0\0").upper().replace("\0\0\0\0\0\0", "<mask>")
        return text
