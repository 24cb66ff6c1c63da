from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints


def test_the_sign_in_page_asks_nothing_of_other_servers(page: Page, screenshot: Callable[[str], Path]) -> None:
    page.goto("/admin/")
    expect(page.get_by_label("password")).to_be_visible()
    assert screenshot("sign-in").stat().st_size > 0


def test_a_request_beyond_our_server_and_an_error_in_the_console_are_heard(page: Page, complaints: Complaints) -> None:
    page.goto("/admin/")
    page.evaluate("console.error('the page is unhappy')")
    page.evaluate("fetch('http://elsewhere.invalid/font.woff').catch(() => null)")
    complaints.expect("the page is unhappy")
    complaints.expect("elsewhere.invalid")
    complaints.heard.clear()
