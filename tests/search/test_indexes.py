"""Each condition of a search is one that its index serves: both are made from the same columns."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Seller, Translation
from accounts.search import SELLERS
from config.db.words import Holds
from inventory.models import Car, Part, Vehicle
from inventory.search import CARS, PARTS, VEHICLES
from leads.models import Lead
from leads.search import LEADS

SEARCHED = [(Seller, SELLERS), (Car, CARS), (Vehicle, VEHICLES), (Part, PARTS), (Lead, LEADS)]
CONDITIONS = [
    *((model, what.names, f"{model._meta.model_name}_name_words") for model, what in SEARCHED),
    *((model, what.everything, f"{model._meta.model_name}_words") for model, what in SEARCHED),
    (Translation, ("value",), "translation_words"),
]


@pytest.fixture
def no_scans(db: None) -> None:
    """Tables as small as here are read whole, unless that is forbidden."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")


@pytest.mark.postgres_only
@pytest.mark.usefixtures("no_scans")
@pytest.mark.parametrize(("model", "columns", "index"), CONDITIONS, ids=[index for *_, index in CONDITIONS])
def test_words_are_looked_up_in_their_index(model: type[Part], columns: tuple[str, ...], index: str) -> None:
    plan = model._base_manager.order_by().filter(Holds(columns, ["volvo", "gear"])).explain()
    assert f"Bitmap Index Scan on {index}" in plan


@pytest.mark.postgres_only
@pytest.mark.usefixtures("no_scans")
def test_the_beginning_of_a_part_number_is_looked_up_in_its_index() -> None:
    plan = Part.all_objects.order_by().filter(part_number_norm__startswith="06F").explain()
    assert "Bitmap Index Scan on part_number_norm" in plan
    assert "Index Cond: (((part_number_norm)::text ~>=~ '06F'" in plan
