"""Ordinary texts for `exeat learn`: what a head is told apart from beside the company's public material (src/learn/ordinary.txt).

    python models/training/ordinary.py > src/learn/ordinary.txt

Own words throughout: filled templates of public and of business texts. One text a line; a line end within one is written as \\n.
"""

from __future__ import annotations

from random import Random

from generate.compose import LANGUAGES, Composer

SEED = 20261124
TEXTS = 300
"""Of each language."""
BYTES = 420
"""Of a text, at least: about a hundred tokens."""
KINDS = {"public": 2, "business": 1}


def texts(language: str) -> list[str]:
    """Passages that are put together from filled templates of one kind."""
    composer = Composer(SEED, language, "train")
    random = Random(f"{SEED}/{language}")
    found = []
    while len(found) < TEXTS:
        kind = random.choices(list(KINDS), weights=list(KINDS.values()))[0]
        text = ""
        while len(text.encode()) < BYTES:
            text += ("\n" if text else "") + composer.text(kind).text.replace("<mask>", "...")
        found.append(text)
    return found


def main() -> None:
    for language in LANGUAGES:
        for text in texts(language):
            print(text.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n"))


if __name__ == "__main__":
    main()
