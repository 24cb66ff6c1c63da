"""The same answers by SQL written by hand, one statement each: the floor under every read.

Run by psycopg as it comes, which lets the server keep the plans of statements that are asked again and again. Columns
stand in the order of the answers' data classes, so that `leaves` of both are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import psycopg

Rows = list[dict[str, Any]]

CAR = """
    c.public_id, c.slug, c.name, c.make, c.model, c.trim, c.year, c.price, c.currency, c.mileage_km, c.color,
    c.fuel_type, c.transmission, c.drivetrain, c.engine_size, c.power_hp, c.condition, c.segment, c.status,
    c.is_featured, c.published_at, c.created_at, s.public_id AS seller_id, s.name AS seller_name, i.url, i.alt_text,
    (SELECT count(*) FROM inventory_carimage n WHERE n.car_id = c.id) AS pictures
"""
CAR_PICTURE = """
    LEFT JOIN LATERAL (SELECT url, alt_text FROM inventory_carimage x WHERE x.car_id = c.id
                        ORDER BY is_primary DESC, position, id LIMIT 1) i ON true
"""
CARS = "inventory_car c LEFT JOIN accounts_seller s ON s.id = c.seller_id"
PUBLIC_CAR = """
    c.deleted_at IS NULL AND c.status = 'AVAILABLE' AND c.published_at <= %(now)s
    AND (c.seller_id IS NULL OR (s.is_verified AND s.is_active AND s.deleted_at IS NULL))
"""

PART = """
    p.public_id, p.name, p.part_number, p.condition, p.price, p.currency, p.status, p.created_at,
    s.public_id AS seller_id, s.name AS seller_name, s.city, s.province, v.public_id AS vehicle_id, v.make, v.model,
    v.trim, v.year, g.public_id AS category_id, g.slug, g.name AS category_name, i.url, i.alt_text,
    (SELECT count(*) FROM inventory_partimage n WHERE n.part_id = p.id) AS pictures
"""
PART_PICTURE = """
    LEFT JOIN LATERAL (SELECT url, alt_text FROM inventory_partimage x WHERE x.part_id = p.id
                        ORDER BY position, id LIMIT 1) i ON true
"""
PARTS = "inventory_part p JOIN accounts_seller s ON s.id = p.seller_id JOIN inventory_vehicle v ON v.id = p.vehicle_id"
PUBLIC_PART = """
    p.deleted_at IS NULL AND p.status = 'AVAILABLE' AND p.is_listed
    AND s.is_verified AND s.is_active AND s.deleted_at IS NULL
"""

# Who moves is where it was seen last.
MOVING = "business_type = 'MOBILE_VENDOR' AND last_latitude IS NOT NULL"
LATITUDE = f"CASE WHEN {MOVING} THEN last_latitude ELSE latitude END"
LONGITUDE = f"CASE WHEN {MOVING} THEN last_longitude ELSE longitude END"
OF_MAKE_AND_YEAR = "v.make = %(make)s AND v.year = %(year)s"

SELLER = f"""
    public_id, name, business_type, is_verified, rating, total_sales, city, province, country,
    {LATITUDE} AS at_latitude, {LONGITUDE} AS at_longitude, is_open, primary_image_url
"""


def cars(where: str = "true", order: str = "c.created_at DESC, c.id DESC", page: str = "LIMIT 20") -> str:
    """Return the statement for one page of public cars."""
    found = f"SELECT c.id FROM {CARS} WHERE {PUBLIC_CAR} AND {where} ORDER BY {order} {page}"
    return (
        f"WITH found AS ({found}) SELECT {CAR} FROM {CARS} {CAR_PICTURE} JOIN found ON found.id = c.id ORDER BY {order}"
    )


def car(where: str) -> str:
    """Return the statement for one public car with everything on it."""
    return f"""
        SELECT {CAR}, c.updated_at, c.description, c.paragraphs, c.condition_note,
               coalesce(nullif(c.meta_title, ''), c.name) AS title,
               coalesce(nullif(c.meta_description, ''), left(c.description, 155)) AS summary,
               (SELECT json_agg(json_build_array(url, alt_text) ORDER BY is_primary DESC, position, id)
                  FROM inventory_carimage WHERE car_id = c.id) AS images,
               (SELECT json_agg(text ORDER BY position, id) FROM inventory_carfeature WHERE car_id = c.id) AS features,
               (SELECT json_agg(json_build_array(label, value) ORDER BY position, id)
                  FROM inventory_carspecification WHERE car_id = c.id) AS specifications
          FROM {CARS} {CAR_PICTURE} WHERE {where} AND {PUBLIC_CAR}
    """


def parts(where: str = "true", order: str = "p.created_at DESC, p.id DESC", page: str = "LIMIT 20") -> str:
    """Return the statement for one page of public parts."""
    found = f"SELECT p.id FROM {PARTS} WHERE {PUBLIC_PART} AND {where} ORDER BY {order} {page}"
    return f"""
        WITH found AS ({found}) SELECT {PART} FROM {PARTS} LEFT JOIN inventory_category g ON g.id = p.category_id
        {PART_PICTURE} JOIN found ON found.id = p.id ORDER BY {order}
    """


def part() -> str:
    """Return the statement for one public part with everything on it."""
    return f"""
        SELECT {PART}, p.updated_at, p.description,
               (SELECT json_agg(json_build_array(url, alt_text) ORDER BY position, id)
                  FROM inventory_partimage WHERE part_id = p.id) AS images
          FROM {PARTS} LEFT JOIN inventory_category g ON g.id = p.category_id {PART_PICTURE}
         WHERE p.public_id = %(id)s AND {PUBLIC_PART}
    """


def facets(where: str) -> str:
    """Return the statement that counts public parts by make, by condition, and by currency and band of prices."""
    band = "width_bucket(p.price, ARRAY[0, 1000, 5000, 10000, 25000]::numeric[])"
    return f"""
        SELECT v.make, p.condition, p.currency, {band} AS band, count(*) AS number,
               min(p.price) AS lowest, max(p.price) AS highest, sum(p.price) AS together
          FROM {PARTS} WHERE {PUBLIC_PART} AND {where}
         GROUP BY GROUPING SETS ((v.make), (p.condition), (p.currency, {band}))
         ORDER BY number DESC, v.make, p.condition
    """


def arranged_facets(rows: Rows) -> list[Any]:
    """Return rows of `facets` as total, the 20 most frequent makes, conditions, and prices of each currency."""
    makes, conditions = (
        [(row[name], row["number"]) for row in rows if row[name] is not None] for name in ("make", "condition")
    )
    prices: dict[str, Rows] = {}
    for row in rows:
        if row["currency"] is not None:
            prices.setdefault(row["currency"], []).append(row)
    return [
        sum(number for _, number in makes),
        makes[:20],
        conditions,
        [_prices(currency, bands) for currency, bands in sorted(prices.items())],
    ]


def _prices(currency: str, rows: Rows) -> list[Any]:
    edges = (0, 1000, 5000, 10_000, 25_000, None)
    numbers = {row["band"]: row["number"] for row in rows}
    total = sum(numbers.values())
    ends = [min(row["lowest"] for row in rows), max(row["highest"] for row in rows)]
    average = round(sum(row["together"] for row in rows) / total, 2)
    bands = [(*edges[place - 1 : place + 1], numbers.get(place, 0)) for place in range(1, 6)]
    return [currency, total, *ends, average, bands]


def suggestions(where: str) -> tuple[str, ...]:
    """Return the statements for ten names of the newest parts, makes and models, the most frequent first."""
    newest = f"""
        SELECT p.name, row_number() OVER (ORDER BY p.created_at DESC, p.id DESC) AS place FROM {PARTS}
         WHERE {PUBLIC_PART} AND {where} ORDER BY p.created_at DESC, p.id DESC LIMIT 40
    """
    names = f"SELECT name FROM ({newest}) AS newest GROUP BY name ORDER BY min(place) LIMIT 10"
    frequent = """
        SELECT {0} FROM (
            SELECT c.{0} FROM {1} WHERE {2} AND c.{0} ILIKE %(begin)s
             UNION ALL
            SELECT d.{0} FROM inventory_vehicle d WHERE d.deleted_at IS NULL AND d.{0} ILIKE %(begin)s
               AND EXISTS (SELECT 1 FROM {3} WHERE p.vehicle_id = d.id AND {4})
        ) AS found GROUP BY {0} ORDER BY count(*) DESC, {0} LIMIT 10
    """
    return names, *(frequent.format(name, CARS, PUBLIC_CAR, PARTS, PUBLIC_PART) for name in ("make", "model"))


# There are enough of the same make, so nobody has to look for those of the same segment.
RELATED = f"""
    WITH this AS (SELECT id, make FROM inventory_car WHERE slug = %(name)s OR public_id = %(name)s),
    found AS (
        SELECT c.id FROM {CARS}
         WHERE {PUBLIC_CAR} AND upper(c.make) = (SELECT upper(make) FROM this) AND c.id <> (SELECT id FROM this)
         ORDER BY c.created_at DESC, c.id DESC LIMIT 3
    )
    SELECT {CAR} FROM {CARS} {CAR_PICTURE} JOIN found ON found.id = c.id ORDER BY c.created_at DESC, c.id DESC
"""
CARS_COUNT = f"SELECT count(*) FROM {CARS} WHERE {PUBLIC_CAR}"
PARTS_COUNT = f"SELECT count(*) FROM {PARTS} WHERE {PUBLIC_PART}"
MAKES = f"SELECT DISTINCT c.make FROM {CARS} WHERE {PUBLIC_CAR} ORDER BY c.make"
SELLERS = f"""
    SELECT {SELLER} FROM accounts_seller WHERE is_active AND deleted_at IS NULL
     ORDER BY is_verified DESC, coalesce(rating, -1) DESC, total_sales DESC, id DESC LIMIT 20
"""
ONE_SELLER = f"""
    SELECT {SELLER}, description, phone, email, whatsapp, website, street, postal_code, timezone, business_hours,
           service_area, created_at
      FROM accounts_seller WHERE public_id = %(id)s AND is_active AND deleted_at IS NULL
"""
AWAY = f"""
    2 * 6371.0088 * asin(least(1, sqrt(power(sin(radians({LATITUDE} - %(latitude)s) / 2), 2)
    + cos(radians(%(latitude)s)) * cos(radians({LATITUDE}))
    * power(sin(radians({LONGITUDE} - %(longitude)s) / 2), 2))))
"""
NORTH_AND_SOUTH, EAST_AND_WEST = (
    "BETWEEN %(latitude)s - 1 AND %(latitude)s + 1",
    "BETWEEN %(longitude)s - 1.2 AND %(longitude)s + 1.2",
)
NEARBY = f"""
    SELECT {SELLER}, round(away::numeric, 3)::float FROM (
        SELECT *, {AWAY} AS away FROM accounts_seller
         WHERE (latitude {NORTH_AND_SOUTH} AND longitude {EAST_AND_WEST}
                OR last_latitude {NORTH_AND_SOUTH} AND last_longitude {EAST_AND_WEST})
           AND is_verified AND is_active AND deleted_at IS NULL
    ) near WHERE away <= %(radius)s ORDER BY away, id LIMIT 20
"""
PROVINCES = """
    SELECT DISTINCT province FROM accounts_seller
     WHERE is_verified AND is_active AND deleted_at IS NULL AND province <> '' ORDER BY province
"""


CATEGORIES = f"""
    WITH counted AS MATERIALIZED (
        SELECT g.path, count(*) AS parts
          FROM inventory_part p JOIN accounts_seller s ON s.id = p.seller_id
          JOIN inventory_category g ON g.id = p.category_id WHERE {PUBLIC_PART} GROUP BY g.path
    )
    SELECT c.public_id, c.slug, c.name, c.icon, above.public_id AS parent, c.level, c.path,
           (SELECT coalesce(sum(parts), 0)::bigint FROM counted WHERE starts_with(counted.path, c.path)) AS parts
      FROM inventory_category c LEFT JOIN inventory_category above ON above.id = c.parent_id
     WHERE c.is_active AND c.deleted_at IS NULL ORDER BY c.path
"""
TEXT = """
    coalesce((SELECT t.value FROM accounts_translation t JOIN accounts_language l ON l.code = t.language_id
               WHERE t.key = {0} AND (t.language_id = %(language)s AND l.is_active OR l.is_default)
               ORDER BY t.language_id = %(language)s DESC LIMIT 1), {0})
"""
# A voucher without a position of its own is where its seller is.
VOUCHERS = f"""
    SELECT v.public_id, {TEXT.format("v.title_key")} AS title, {TEXT.format("v.description_key")} AS description,
           {TEXT.format("v.terms_key")} AS terms, CASE v.discount_type WHEN 'percentage' THEN v.discount_value END,
           CASE v.discount_type WHEN 'percentage' THEN NULL ELSE v.discount_value END AS amount,
           CASE v.discount_type WHEN 'percentage' THEN NULL ELSE v.currency END AS currency,
           v.valid_from, v.expires_at, v.image_url, near.seller, near.seller_name, near.latitude, near.longitude,
           round(away::numeric, 3)::float
      FROM (SELECT *, {AWAY.replace(LATITUDE, "latitude").replace(LONGITUDE, "longitude")} AS away
              FROM (SELECT v.id, s.public_id AS seller, s.name AS seller_name,
                           coalesce(v.latitude, s.at_latitude) AS latitude,
                           coalesce(v.longitude, s.at_longitude) AS longitude
                      FROM leads_voucher v
                      JOIN (SELECT *, {LATITUDE} AS at_latitude, {LONGITUDE} AS at_longitude FROM accounts_seller
                             WHERE is_verified AND is_active AND deleted_at IS NULL) s ON s.id = v.seller_id
                     WHERE v.deleted_at IS NULL AND v.state = 'published'
                       AND (v.valid_from IS NULL OR v.valid_from <= %(now)s)
                       AND (v.expires_at IS NULL OR v.expires_at > %(now)s)) AS valid
             WHERE latitude {NORTH_AND_SOUTH} AND longitude {EAST_AND_WEST}) near
      JOIN leads_voucher v USING (id) WHERE away <= %(radius)s ORDER BY away, id LIMIT 20
"""


def ask(connection: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> Rows:
    """Return the rows of a statement as dictionaries of plain values."""
    cursor = connection.execute(statement, parameters)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def leaves(answer: Any) -> Iterator[Any]:
    """Yield the values in an answer, however they are packed, in their order; what is empty is left out."""
    if is_dataclass(answer):
        for field in fields(answer):
            yield from leaves(getattr(answer, field.name))
    elif isinstance(answer, Mapping):
        for value in answer.values():
            yield from leaves(value)
    elif isinstance(answer, (list, tuple)):
        for value in answer:
            yield from leaves(value)
    elif answer is not None:
        yield answer
