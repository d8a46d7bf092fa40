"""The API's own pages under the strict policy: its description, and what each problem means."""

from __future__ import annotations


def test_developer_reads_the_description_of_the_api(open_page):
    page = open_page("/api/docs/")

    page.get_by_text("/api/v1/purchases/batch/").click()

    page.get_by_text("Record up to 1000 purchases; each stands alone").first.wait_for()


def test_developer_follows_the_type_of_a_problem_to_its_meaning(open_page, assert_accessible):
    page = open_page("/api/problems/offset-missing/")

    assert page.get_by_role("heading", level=1).inner_text() == "The time has no offset"
    assert_accessible(page)
    page.get_by_role("link", name="All problems of the API").click()
    assert_accessible(page)
    page.get_by_role("link", name="external-id-reuse").click()
    assert page.get_by_role("heading", level=1).inner_text() == "This external_id was used for another body"
