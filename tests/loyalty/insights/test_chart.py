import pytest

from loyalty.insights.chart import Item, bars, nice_step


@pytest.mark.parametrize(("most", "step"), [(0, 1), (4, 1), (7, 2), (23, 5), (49, 10), (51, 20), (12_345, 5_000)])
def test_step_is_round_and_at_most_five_lines_reach_the_top(most, step):
    assert nice_step(most) == step


def test_step_is_no_finer_than_the_smallest_one():
    assert nice_step(30, step=100) == 100


def test_bars_begin_at_zero_and_keep_their_proportion():
    chart = bars([Item("a", 50, "50"), Item("b", 100, "100")], width=400, height=200, axis=str)

    assert [bar.y + bar.height for bar in chart.bars] == [chart.base, chart.base]
    assert chart.bars[1].height == pytest.approx(2 * chart.bars[0].height, abs=0.2)


def test_grid_begins_with_zero_and_covers_the_highest_bar():
    chart = bars([Item("a", 90, "90")], width=400, height=200, axis=str)

    assert [line.label for line in chart.grid] == ["0", "20", "40", "60", "80", "100"]
    assert min(line.y for line in chart.grid) <= chart.bars[0].y


@pytest.mark.parametrize("values", [[], [0], [-5]])
def test_nothing_to_show_is_a_chart_without_height(values):
    chart = bars([Item("a", value, "") for value in values], width=400, height=200, axis=str)

    assert [bar.height for bar in chart.bars] == [0.0 for _ in values]
