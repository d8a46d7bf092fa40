import pytest

from accounts.colour import Oklch, contrast, mixed, palette, readable_brand, stylesheet, to_hex, to_oklch

BRANDS = ["#9b1b4b", "#1d6b43", "#f4b61f", "#2346c9"]
HARD = ["#000000", "#ffffff", "#808080", "#ffff00", "#00ff00", "#0000ff", "#0b6b64", "#777777"]

TEXT = [
    ("ink", "canvas", 4.5),
    ("ink", "surface", 4.5),
    ("ink-2", "canvas", 4.5),
    ("ink-2", "surface", 4.5),
    ("accent-ink", "surface", 4.5),
    ("accent-ink", "canvas", 4.5),
    ("accent-ink", "accent-soft", 4.5),
    ("on-brand", "brand", 4.5),
    ("on-brand", "brand-deep", 4.5),
    ("on-brand", "brand-pressed", 4.5),
    ("control", "canvas", 3),
    ("control", "surface", 3),
    ("fill", "surface", 3),
    ("fill", "track", 3),
    ("focus", "canvas", 3),
]


@pytest.mark.parametrize("brand", BRANDS + HARD)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("mark", "ground", "least"), TEXT)
def test_every_brand_keeps_the_contrast_of_every_pair(brand, scheme, mark, ground, least):
    roles = getattr(palette(brand), scheme)

    assert contrast(roles[mark], roles[ground]) >= least


@pytest.mark.parametrize(
    ("scheme", "role", "colour"),
    [
        ("light", "canvas", "#f8f3f4"),
        ("light", "control", "#877d7f"),
        ("light", "accent-soft", "#fce9ec"),
        ("dark", "canvas", "#100c0d"),
        ("dark", "surface", "#1d1718"),
        ("dark", "accent-ink", "#fc9eb4"),
    ],
)
def test_raspberry_gives_the_colours_of_the_pictures(scheme, role, colour):
    assert getattr(palette("#9b1b4b"), scheme)[role] == colour


def test_dark_brand_takes_white_text():
    assert readable_brand("#9b1b4b") == ("#9b1b4b", "#ffffff")


def test_light_brand_takes_dark_text_of_its_hue():
    brand, ink = readable_brand("#f4b61f")

    assert brand == "#f4b61f"
    assert to_oklch(ink).hue == pytest.approx(to_oklch(brand).hue, abs=0.2)


def test_brand_that_carries_no_text_is_darkened_until_white_does():
    brand, ink = readable_brand("#808080")

    assert ink == "#ffffff"
    assert contrast(brand, ink) == pytest.approx(4.6, abs=0.15)


@pytest.mark.parametrize("colour", BRANDS + HARD)
def test_oklch_and_back_is_the_same_colour(colour):
    assert to_hex(to_oklch(colour)) == colour


def test_colour_that_no_screen_shows_loses_chroma_alone():
    shown = to_oklch(to_hex(Oklch(0.5, 0.4, 2.5)))

    assert shown.lightness == pytest.approx(0.5, abs=0.01)
    assert shown.hue == pytest.approx(2.5, abs=0.05)
    assert shown.chroma < 0.4


def test_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_half_mix_lies_in_the_middle():
    assert mixed("#000000", "#ffffff", share=0.5) == "#808080"


def test_stylesheet_sets_both_schemes_on_the_root():
    css = stylesheet("#9b1b4b")

    assert css.count(":root{") == 2
    assert "--brand:#9b1b4b;" in css
    assert "prefers-color-scheme:dark" in css


def test_stand_in_colours_are_those_of_the_default_brand():
    from django.conf import settings

    tokens = (settings.BASE_DIR / "static/css/tokens.css").read_text()

    assert tokens.endswith(stylesheet("#0b6b64"))
