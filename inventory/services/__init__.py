"""What people do with the stock; one function each. Refusals raise `config.db.errors.Refused` with words for staff."""

from __future__ import annotations

from inventory.services.cars import (
    delete_car,
    feature_car,
    publish_car,
    release_car,
    remove_car_for_good,
    reserve_car,
    restore_car,
    return_car,
    sell_car,
    unfeature_car,
    unpublish_car,
)
from inventory.services.categories import delete_category, restore_category
from inventory.services.parts import (
    delete_part,
    end_reservations,
    list_part,
    overdue_reservations,
    release_part,
    remove_part_for_good,
    reserve_part,
    restore_part,
    return_part,
    sell_part,
    unlist_part,
)
from inventory.services.pictures import attach_image, keep_one_primary, remove_image, set_primary_image
from inventory.services.retention import (
    count_returned_sales,
    old_sold_parts,
    old_vehicles,
    remove_old_parts,
    remove_old_vehicles,
)
from inventory.services.vehicles import delete_vehicle, dismantle_car, remove_vehicle_for_good, restore_vehicle

__all__ = [
    "attach_image",
    "count_returned_sales",
    "delete_car",
    "delete_category",
    "delete_part",
    "delete_vehicle",
    "dismantle_car",
    "end_reservations",
    "feature_car",
    "keep_one_primary",
    "list_part",
    "old_sold_parts",
    "old_vehicles",
    "overdue_reservations",
    "publish_car",
    "release_car",
    "release_part",
    "remove_car_for_good",
    "remove_image",
    "remove_old_parts",
    "remove_old_vehicles",
    "remove_part_for_good",
    "remove_vehicle_for_good",
    "reserve_car",
    "reserve_part",
    "restore_car",
    "restore_category",
    "restore_part",
    "restore_vehicle",
    "return_car",
    "return_part",
    "sell_car",
    "sell_part",
    "set_primary_image",
    "unfeature_car",
    "unlist_part",
    "unpublish_car",
]
