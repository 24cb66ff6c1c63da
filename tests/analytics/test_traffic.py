"""What visitors do, and how fast the pages are."""

from __future__ import annotations

import pytest

from analytics.models import Event, PageView, WebVital
from analytics.models.traffic import VitalName
from analytics.services import VITAL_THRESHOLDS, is_bot, rate_vital, record_event, record_page_view, record_web_vital
from config.db.errors import Refused
from tests.builders import NOON, make_car, make_part, make_seller, make_user

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    "agent",
    [
        GOOGLEBOT,
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
        "facebookexternalhit/1.1",
        "curl/8.5.0",
        "python-requests/2.32",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131.0.0.0",
        "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
    ],
)
def test_programs_are_told_by_their_agent(agent: str) -> None:
    assert is_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        "",
        "Mozilla/5.0 (Linux; Android 14; CUBOT X70) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1; javascript) Presto/2.12",
    ],
)
def test_people_are_not_taken_for_programs(agent: str) -> None:
    assert not is_bot(agent)


@pytest.mark.django_db
def test_an_event_belongs_to_the_seller_of_its_part_or_car() -> None:
    part, car, other = make_part(), make_car(seller=make_seller()), make_seller()
    assert record_event(event_type="PART_VIEW", part=part, now=NOON).seller == part.seller
    assert record_event(event_type="CAR_VIEW", car=car).seller == car.seller
    assert record_event(event_type="SELLER_CONTACT", part=part, seller=other).seller == other
    assert record_event(event_type="SEARCH", metadata={"query": "clutch"}).seller is None
    assert Event.objects.get(event_type="PART_VIEW").occurred_at == NOON


@pytest.mark.django_db
def test_an_event_keeps_who_and_from_where_and_marks_programs() -> None:
    user = make_user()
    event = record_event(
        event_type="SEARCH",
        user=user,
        session_id="s" * 200,
        ip_address="192.0.2.7",
        user_agent=GOOGLEBOT + "x" * 1000,
        referrer="https://example.org/",
    )
    event.refresh_from_db()
    assert (event.user, event.ip_address, event.referrer, event.is_bot) == (
        user,
        "192.0.2.7",
        "https://example.org/",
        True,
    )
    assert (len(event.session_id), len(event.user_agent)) == (128, 500)


@pytest.mark.django_db
def test_a_page_view_is_kept_with_its_load_time() -> None:
    view = record_page_view(path="/cars/" + "x" * 600, load_time_ms=0, user_agent=CHROME, now=NOON)
    view.refresh_from_db()
    assert (len(view.path), view.load_time_ms, view.is_bot, view.created_at) == (500, 0, False, NOON)
    with pytest.raises(Refused, match="cannot be negative"):
        record_page_view(path="/", load_time_ms=-1)
    assert PageView.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "good_up_to", "poor_above", "step"),
    [
        ("CLS", 0.1, 0.25, 0.001),
        ("FID", 100, 300, 1),
        ("FCP", 1800, 3000, 1),
        ("LCP", 2500, 4000, 1),
        ("TTFB", 800, 1800, 1),
        ("INP", 200, 500, 1),
    ],
)
def test_a_value_on_a_threshold_belongs_to_the_better_class(
    name: str, good_up_to: float, poor_above: float, step: float
) -> None:
    vital = VitalName(name)
    ratings = [rate_vital(vital, value) for value in (0, good_up_to, good_up_to + step, poor_above, poor_above + step)]
    assert ratings == ["good", "good", "needs-improvement", "needs-improvement", "poor"]


def test_every_measurement_has_thresholds() -> None:
    assert set(VITAL_THRESHOLDS) == set(VitalName)


@pytest.mark.django_db
def test_a_measurement_is_kept_with_its_rating() -> None:
    record_web_vital(name="LCP", value=2500.5, path="/cars/", now=NOON)
    vital = WebVital.objects.get()
    assert (vital.name, vital.value, vital.rating, vital.created_at) == ("LCP", 2500.5, "needs-improvement", NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"), [("XYZ", 1.0), ("lcp", 1.0), ("LCP", -1.0), ("LCP", float("nan")), ("LCP", float("inf"))]
)
def test_an_unknown_name_and_a_value_that_is_none_are_refused(name: str, value: float) -> None:
    with pytest.raises(Refused, match="is no measurement"):
        record_web_vital(name=name, value=value, path="/")
    assert not WebVital.objects.exists()
