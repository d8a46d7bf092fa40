import re

import segno

from loyalty.engagement.qr import code


def test_code_is_the_card_number_in_21_modules():
    drawn = code("734022918056", label="Code of your card")

    paths = re.findall(r' d="([^"]+)"', segno.make_qr("734022918056", error="m").svg_inline(border=0))
    assert re.findall(r' d="([^"]+)"', drawn) == paths
    assert 'viewBox="0 0 21 21"' in drawn


def test_code_has_a_name_and_no_inline_style():
    drawn = code("734022918056", label='Code of "your" card')

    assert 'aria-label="Code of &quot;your&quot; card"' in drawn
    assert "style=" not in drawn
