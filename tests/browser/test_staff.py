"""The staff site as people use it: with a browser, a mouse, a keyboard and a telephone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Subscription, User
from accounts.models.users import Role
from inventory.models import Car, Part
from leads.models import Lead, SupportTicket, Voucher
from tests.admin.forms import address, picture
from tests.admin.rows import fill
from tests.browser.conftest import Complaints
from tests.builders import NOON, PASSWORD, make_car, make_lead, make_part, make_seller, make_user
from tests.schema.rows import MODELS

pytestmark = pytest.mark.django_db(transaction=True)

Screenshot = Callable[[str], Path]


@pytest.fixture
def boss(live_server: LiveServer) -> User:
    return make_user(Role.SUPER_ADMIN, name="Aino Virtanen", email="aino@example.org", password=PASSWORD)


@pytest.fixture
def signed_in(boss: User, page: Page, context: BrowserContext, live_server: LiveServer) -> Page:
    """A page of the super administrator, who signed in before."""
    client = Client()
    client.force_login(boss)
    cookie = client.cookies["sessionid"]
    context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])
    return page


def test_one_signs_in_with_address_and_password_and_meets_the_dashboard(
    boss: User, page: Page, screenshot: Screenshot
) -> None:
    make_lead(name="Pekka", car=make_car())
    page.goto("/admin/")
    page.locator("#id_username").fill("aino@example.org")
    page.locator("#id_password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Please enter the correct")).to_be_visible()
    page.locator("#id_username").fill("Aino@Example.org")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("New leads")).to_be_visible()
    expect(page.get_by_role("link", name="Pekka")).to_be_visible()
    screenshot("dashboard")


def test_every_list_opens(signed_in: Page, screenshot: Screenshot) -> None:
    fill(3)
    for model in MODELS:
        if admin.site.is_registered(model):
            response = signed_in.goto(address(model, "changelist"))
            assert response is not None
            assert response.status == 200, model._meta.label
            expect(signed_in.locator("#result_list")).to_be_visible()
            screenshot(f"list-{model._meta.model_name}")


def test_a_car_is_edited_with_its_pictures(
    signed_in: Page, screenshot: Screenshot, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    car = make_car()
    file = tmp_path / "front.png"
    file.write_bytes(picture().read())
    signed_in.goto(address(Car, "change", car.pk))
    signed_in.locator("#id_price").fill("13500")
    signed_in.locator("#tabs-items a, #tabs-items button, nav a").filter(has_text="Pictures").first.click()
    signed_in.get_by_text("Add another Picture").click()
    signed_in.locator("input[type=file][name=images-0-upload]").set_input_files(file)
    signed_in.locator("input[name=images-0-alt_text]").fill("From the front")
    screenshot("car-pictures")
    signed_in.get_by_role("button", name="Save and continue editing").click()
    expect(signed_in.get_by_text("was changed successfully")).to_be_visible()
    small = signed_in.locator(".staff-thumbnail").first
    signed_in.locator("#tabs-items a, #tabs-items button, nav a").filter(has_text="Pictures").first.click()
    expect(small).to_be_visible()
    assert small.evaluate("image => image.complete && image.naturalWidth > 0")
    screenshot("car-with-picture")
    car.refresh_from_db()
    assert (car.price, car.images.get().alt_text, car.images.get().is_primary) == (13500, "From the front", True)


def test_the_menu_beside_a_relation_shows_its_entries_whole_and_closes_behind_its_popup(signed_in: Page) -> None:
    signed_in.goto(address(Part, "change", make_part().pk))
    menu = signed_in.locator("#related-widget-wrapper-vehicle")
    signed_in.locator("[data-id=related-widget-wrapper-vehicle]").get_by_text("more_vert").click()
    expect(menu).to_be_visible()
    entries = menu.locator("a > span.grow")
    expect(entries.nth(1)).to_have_text("Add another donor vehicle")
    assert entries.evaluate_all("all => all.filter(each => each.scrollWidth > each.clientWidth).length") == 0
    with signed_in.expect_popup() as opened:
        entries.nth(1).click()
    opened.value.close()
    expect(menu).to_be_hidden()


def tick(page: Page, *rows: Any) -> None:
    for row in rows:
        page.locator(f"input[name=_selected_action][value='{row.pk}']").check()


def run(page: Page, action: str) -> None:
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Run").click()


def test_an_action_on_a_list_says_what_was_done_and_what_was_refused_and_why(
    signed_in: Page, screenshot: Screenshot
) -> None:
    free = make_part(name="Door")
    gone = make_part(name="Engine", status="SOLD", sold_at=NOON)
    signed_in.goto(address(Part, "changelist"))
    tick(signed_in, free, gone)
    run(signed_in, "List")
    expect(signed_in.get_by_text("1 part listed.")).to_be_visible()
    expect(signed_in.get_by_text("1 part not listed:")).to_be_visible()
    screenshot("action-refused")
    free.refresh_from_db()
    assert free.is_listed


def test_a_row_is_deleted_after_a_question_and_restored(signed_in: Page, screenshot: Screenshot) -> None:
    part = make_part(name="Door")
    signed_in.goto(address(Part, "changelist"))
    tick(signed_in, part)
    run(signed_in, "Delete")
    expect(signed_in.get_by_text("They can be restored.")).to_be_visible()
    screenshot("action-question")
    signed_in.get_by_role("button", name="Delete").click()
    expect(signed_in.get_by_text("1 part deleted.")).to_be_visible()
    signed_in.goto(f"{address(Part, 'changelist')}?deleted=only")
    signed_in.get_by_role("link", name="Door").click()
    signed_in.get_by_role("link", name="Restore").click()
    expect(signed_in.get_by_text("1 part restored.")).to_be_visible()
    assert Part.objects.get() == part


def test_a_button_of_a_rows_page_acts_at_once(signed_in: Page) -> None:
    seller = make_seller(is_verified=False)
    signed_in.goto(address(type(seller), "change", seller.pk))
    signed_in.get_by_role("link", name="Verify").click()
    expect(signed_in.get_by_text("1 seller verified.")).to_be_visible()


def test_the_rarer_buttons_are_in_a_menu(signed_in: Page, screenshot: Screenshot) -> None:
    car = make_car()
    signed_in.goto(address(Car, "change", car.pk))
    more = signed_in.get_by_role("button", name="More")
    more.focus()
    signed_in.keyboard.press("Enter")
    expect(signed_in.get_by_role("link", name="Dismantle")).to_be_visible()
    screenshot("car-actions")
    signed_in.locator("nav a[href$='/feature/']").click()
    expect(signed_in.get_by_text("1 car featured.")).to_be_visible()


def test_a_list_is_searched(signed_in: Page) -> None:
    make_car(make="Volvo", model="V60")
    make_car(make="Fiat", model="Uno")
    signed_in.goto(address(Car, "changelist"))
    signed_in.locator("#searchbar").fill("volvo")
    signed_in.locator("#searchbar").press("Enter")
    expect(signed_in.get_by_role("link", name="Volvo V60")).to_be_visible()
    expect(signed_in.get_by_role("link", name="Fiat Uno")).to_have_count(0)


def test_a_filter_is_built_in_the_drawer_and_its_address_kept_as_a_bookmark(
    signed_in: Page, screenshot: Screenshot
) -> None:
    make_car(make="Volvo", model="V60", price=9000)
    make_car(make="Fiat", model="Uno", price=900)
    signed_in.goto(address(Car, "changelist"))
    signed_in.locator("button[aria-controls=changelist-filter]").click()
    signed_in.get_by_role("button", name="Add a condition").click()
    signed_in.get_by_label("Field").select_option("price")
    signed_in.get_by_label("Condition", exact=True).select_option("between")
    signed_in.get_by_label("From").last.fill("5000")
    screenshot("filter-drawer")
    signed_in.locator("#changelist-filter").get_by_role("button", name="Apply").click()
    expect(signed_in.get_by_label("Filters of this list").get_by_text("Price")).to_be_visible()
    expect(signed_in.get_by_role("link", name="Fiat Uno")).to_have_count(0)
    bookmark = signed_in.url
    assert "f=price%3Abetween%3A5000" in bookmark
    signed_in.goto("/admin/")
    signed_in.goto(bookmark)
    expect(signed_in.get_by_role("link", name="Volvo V60")).to_be_visible()
    expect(signed_in.get_by_role("link", name="Fiat Uno")).to_have_count(0)
    screenshot("filtered-list")


def test_anything_is_found_and_opened_with_the_keyboard_alone(signed_in: Page) -> None:
    make_part(name="Karoo gearbox")
    part = make_part(name="Alternator", part_number="06F 903-023C")
    signed_in.goto("/admin/")
    signed_in.keyboard.press("Control+k")
    expect(signed_in.locator("#search-input-command")).to_be_focused()
    signed_in.keyboard.type("06f903023c")
    expect(signed_in.locator("#command-results a")).to_have_count(1)
    expect(signed_in.locator("#command-results")).to_contain_text("Alternator")
    signed_in.keyboard.press("ArrowDown")
    signed_in.keyboard.press("Enter")
    expect(signed_in).to_have_url(re.compile(f"/admin/inventory/part/{part.pk}/change/$"))


def test_both_inputs_of_a_moment_and_of_a_range_have_names_of_their_own(signed_in: Page) -> None:
    signed_in.goto(address(Car, "change", make_car().pk))
    for name in ("Published: date", "Published: time"):
        expect(signed_in.get_by_role("textbox", name=name, exact=True)).to_have_count(1)
    signed_in.goto(f"{address(Part, 'changelist')}{make_part().pk}/reserve/")
    expect(signed_in.get_by_role("textbox", name="Until: date", exact=True)).to_be_visible()
    signed_in.goto(address(Car, "changelist"))
    signed_in.locator("button[aria-controls=changelist-filter]").click()
    for name in ("Price from", "Price to", "Year from", "Mileage (km) to"):
        expect(signed_in.get_by_role("spinbutton", name=name, exact=True)).to_be_visible()
    for name in ("Created from", "Created to"):
        expect(signed_in.get_by_role("textbox", name=name, exact=True)).to_be_visible()


def test_a_related_row_is_searched_for_in_the_drawer(signed_in: Page) -> None:
    make_car(make="Volvo", model="V60", seller=make_seller(name="Karoo Motors"))
    make_car(make="Fiat", model="Uno")
    signed_in.goto(address(Car, "changelist"))
    signed_in.locator("button[aria-controls=changelist-filter]").click()
    signed_in.get_by_role("button", name="Add a condition").click()
    signed_in.get_by_label("Field").select_option("seller")
    signed_in.locator(".staff-condition .select2-selection").click()
    signed_in.locator(".select2-search__field").last.fill("karoo")
    signed_in.get_by_role("option", name="Karoo Motors").click()
    signed_in.locator("#changelist-filter").get_by_role("button", name="Apply").click()
    expect(signed_in.get_by_role("link", name="Volvo V60")).to_be_visible()
    expect(signed_in.get_by_role("link", name="Fiat Uno")).to_have_count(0)


def test_a_list_is_exported_with_the_columns_one_picks(signed_in: Page, screenshot: Screenshot) -> None:
    make_lead(name="Pekka", email="pekka@example.org")
    signed_in.goto(address(Lead, "changelist"))
    signed_in.get_by_role("link", name="Export").click()
    signed_in.get_by_role("button", name="none").first.click()
    signed_in.get_by_label("Name", exact=True).first.check()
    signed_in.get_by_label("E-mail", exact=True).first.check()
    screenshot("export")
    with signed_in.expect_download() as download:
        signed_in.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_text().split() == ["Name,E-mail", "Pekka,pekka@example.org"]


def test_the_drawer_opens_and_closes_by_the_keyboard(signed_in: Page) -> None:
    make_car()
    signed_in.goto(address(Car, "changelist"))
    opener = signed_in.locator("button[aria-controls=changelist-filter]")
    for _ in range(60):
        signed_in.keyboard.press("Tab")
        if opener.evaluate("button => button === document.activeElement"):
            break
    expect(opener).to_be_focused()
    signed_in.keyboard.press("Enter")
    inside = "document.querySelector('#changelist-filter').contains(document.activeElement)"
    signed_in.wait_for_function(inside)
    assert opener.get_attribute("aria-expanded") == "true"
    signed_in.keyboard.press("Escape")
    expect(opener).to_have_attribute("aria-expanded", "false")


PHONE = {"width": 390, "height": 844}
# How much wider than the window the page is.
BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_a_telephone_shows_pages_without_scrolling_sideways(signed_in: Page, screenshot: Screenshot) -> None:
    rows = fill(3)
    signed_in.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a mapping of the two is what it takes
    pages = [reverse("admin:index"), reverse("admin:status"), address(Car, "export"), address(Part, "import")]
    for model in (Car, Part, Lead, User):
        pages += [address(model, "changelist"), address(model, "change", rows[model][0].pk), address(model, "add")]
    wide = {}
    for number, page in enumerate(pages):
        signed_in.goto(page)
        beyond = signed_in.evaluate(BEYOND)
        screenshot(f"phone-{number}")
        if beyond > 0:
            wide[page] = beyond
    assert wide == {}


# The parts of a table within a form that reach beyond its frame.
CUT = """table => {
    const right = table.closest(".formset-wrapper").getBoundingClientRect().right
    const parts = [...table.querySelectorAll("input, img, a, label, .delete *")].filter(each => each.offsetParent)
    return parts.filter(each => each.getBoundingClientRect().right > right + 1).map(each => each.outerHTML)
}"""


def test_a_telephone_shows_rows_within_a_form_whole(signed_in: Page, screenshot: Screenshot) -> None:
    rows = fill(2)
    signed_in.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a mapping of the two is what it takes
    for model in (Car, Part):
        signed_in.goto(address(model, "change", rows[model][0].pk))
        signed_in.locator("a[href='#images']").first.click()
        table = signed_in.locator("#images-data")
        expect(table).to_be_visible()
        screenshot(f"phone-pictures-{model._meta.model_name}")
        assert table.evaluate(CUT) == []


def test_a_name_that_has_no_room_in_the_heading_ends_in_dots(signed_in: Page) -> None:
    seller = make_seller(name="Spares and dismantlers of the Western Cape and beyond")
    signed_in.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a mapping of the two is what it takes
    signed_in.goto(address(type(seller), "change", seller.pk))
    name = signed_in.locator("h1 > a").last
    ends = "e => e.getBoundingClientRect().right <= e.parentElement.getBoundingClientRect().right + 1"
    assert name.evaluate(ends)
    assert name.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).textOverflow") == "ellipsis"


def test_forms_fit_screens_without_scrolling_sideways(signed_in: Page) -> None:
    rows = fill(1)
    wide = {}
    for model in (Car, Voucher, Subscription, SupportTicket):
        page = address(model, "change", rows[model][0].pk)
        signed_in.goto(page)
        for width in (1024, 1280, 1440):
            signed_in.set_viewport_size({"width": width, "height": 900})
            beyond = signed_in.evaluate(BEYOND)
            if beyond > 0:
                wide[page, width] = beyond
    assert wide == {}


@pytest.mark.parametrize(("status", "name"), [(404, "no such page"), (403, "not open to you")])
def test_errors_have_the_sites_own_look(
    status: int, name: str, page: Page, context: BrowserContext, live_server: LiveServer, settings: Settings,
    screenshot: Screenshot, complaints: Complaints,
) -> None:  # fmt: skip
    client = Client()
    client.force_login(make_user(Role.VIEWER))
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    response = page.goto("/nowhere" if status == 404 else address(Car, "add"))
    assert response is not None
    assert response.status == status
    expect(page.get_by_role("heading")).to_contain_text(name)
    screenshot(f"error-{status}")
    complaints.expect(str(status))
    page.get_by_role("link", name="To the dashboard").click()
    expect(page).to_have_url(f"{live_server.url}{reverse('admin:index')}")
