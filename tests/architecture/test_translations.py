"""Every string that people read is marked for translation, and the list of them is kept up to date."""

import re
from html import unescape

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.template.base import Lexer, TokenType

from tests.messages import ROOT, gathered, kept, sources

TEMPLATES = sources("templates/*.html", "templates/*.txt")
READ_ALOUD = re.compile(r"""\s(?:aria-label|alt|title|placeholder)=(?:"([^"]*)"|'([^']*)')""")
NOT_READ = re.compile(
    r"""<!--.*?-->|<!doctype[^>]*>|<(script|style)\b.*?</\1>|<span class="material-symbols-outlined"[^>]*>\w+</span>""",
    re.DOTALL,
)  # The last one: names of the admin's icons.
WORD = re.compile(r"[^\W\d_]{2,}")


def bare_texts(source):
    """Return the words of a template that stand outside every tag that translates them."""
    kept_text, inside = [], ""
    for token in Lexer(source).tokenize():
        name = token.contents.split(maxsplit=1)[0] if token.contents.strip() else ""
        if token.token_type == TokenType.BLOCK and name in ("blocktranslate", "blocktrans", "comment"):
            inside = name
        elif token.token_type == TokenType.BLOCK and token.contents == "block body_class":
            inside = "block"
        elif token.token_type == TokenType.BLOCK and name == f"end{inside}":
            inside = ""
        elif token.token_type == TokenType.TEXT and not inside:
            kept_text.append(token.contents)
        else:
            kept_text.append(" ")
    text = NOT_READ.sub(" ", "".join(kept_text))
    spoken = [match.group(1) or match.group(2) or "" for match in READ_ALOUD.finditer(text)]
    visible = unescape(re.sub(r"<[^>]*>", " ", text))
    return [word for part in [visible, *spoken] for word in WORD.findall(part)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_template_has_no_bare_text(path):
    assert bare_texts(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Hello {{ name }}</p>", ["Hello"]),
        ('<p aria-label="Close">{% translate "Hello" %}</p>', ["Close"]),
        ("{% blocktranslate %}Hello{% endblocktranslate %}<br>· {{ name }}&nbsp;", []),
        ('{% comment %}Why{% endcomment %}<a href="/there" title="{% translate "There" %}">1</a>', []),
    ],
)
def test_bare_texts_are_words_outside_the_tags(source, words):
    assert bare_texts(source) == words


def test_committed_list_has_every_string():
    assert set(gathered()) == kept(), "strings changed; `make messages` writes locale/django.pot anew"


def test_catalogues_compile(tmp_path):
    for path in sources("locale/*.po"):
        with path.open("rb") as file, (tmp_path / "django.mo").open("wb") as target:
            catalogue = read_po(file, locale=path.parent.parent.name)
            assert [message.id for message in catalogue if list(message.check())] == []
            write_mo(target, catalogue)
