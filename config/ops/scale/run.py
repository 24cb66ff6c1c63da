"""One run of `seed --scale`: reserve keys, make block after block, write them in one transaction."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from django.db import connection, models, transaction

from accounts.models import Language, Seller, User
from analytics.daily_metrics import reopen_days
from config.db import bulk
from config.db.errors import Refused
from config.ops.scale import demand, ground, people, stock, traffic
from config.ops.scale.rows import (
    NUMBERS_PER_BLOCK,
    NUMBERS_PER_SEED,
    SEEDS,
    Block,
    Table,
    part_of_time,
    unique_code,
)
from config.ops.search_words import refresh_words
from inventory.models import Car, Category, Part, Vehicle
from leads.models import Lead, SupportTicket, Voucher, VoucherClaim, VoucherCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    Keys = dict[type[models.Model], range]

ROWS_PER_BLOCK = 10_000
# Few and large COPYs keep the server at one table's indexes for longer; what is made ahead stays in memory.
BLOCKS_AT_A_TIME = 3
SWITCH_SECONDS = 0.0002
LARGEST_SCALE = NUMBERS_PER_SEED // NUMBERS_PER_BLOCK
LARGEST_SEED = SEEDS - 1
# Keys out of reserved ranges: these are the rows to which others refer. Claims may leave some unused.
KEYS_PER_BLOCK: dict[type[models.Model], int] = {
    User: people.USERS,
    Seller: people.SELLERS,
    Vehicle: stock.VEHICLES,
    Part: stock.PARTS,
    Car: stock.CARS,
    Lead: demand.LEADS,
    Voucher: demand.VOUCHERS,
    VoucherClaim: demand.MOST_CLAIMS,
    SupportTicket: demand.TICKETS,
}


def run_scale(
    *, scale: int, random_seed: int, now: datetime, progress: Callable[[int], None] | None = None
) -> dict[str, int]:
    """Add `scale` times ROWS_PER_BLOCK rows and return how many went into each model, by label.

    All rows come in one transaction: a run that is killed or fails leaves nothing. The same seed, `now` and database
    give the same rows, but for primary keys. Nobody who is made here has a password. `progress` is told every so often
    how many rows are written. Raises Refused if the rows of this seed are here already, and ValueError where scale or
    seed are out of range.
    """
    if not 1 <= scale <= LARGEST_SCALE:
        raise ValueError(f"The scale lies between 1 and {LARGEST_SCALE}.")
    if not 0 <= random_seed <= LARGEST_SEED:
        raise ValueError(f"The random seed lies between 0 and {LARGEST_SEED}.")
    with transaction.atomic():
        _settle_session()
        _refuse_second_run(random_seed)
        counts = _write(scale, random_seed, now, progress or (lambda rows: None))
        refresh_words(connection)
        reopen_days()
    for model in counts:
        bulk.analyze(model)
    return {model._meta.label: count for model, count in counts.items()}


def _settle_session() -> None:
    """Lift the limits that are meant for web requests, until the transaction ends."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        # Foreign keys are looked at after each table instead of all at the end.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _refuse_second_run(random_seed: int) -> None:
    code = unique_code(random_seed, 0)
    if SupportTicket.objects.filter(number=f"T-{code}").exists() or VoucherCode.objects.filter(code=code).exists():
        raise Refused(
            f"The rows of random seed {random_seed} are here already: give another --random-seed to add more."
        )


def _write(scale: int, random_seed: int, now: datetime, progress: Callable[[int], None]) -> Counter[type[models.Model]]:
    begin, _ = part_of_time(now, 0, scale)
    leaves, new_categories = ground.add_categories(Random(f"{random_seed}/categories"), begin)  # noqa: S311
    counts: Counter[type[models.Model]] = Counter({Language: ground.add_languages(begin), Category: new_categories})
    reserved = {model: (bulk.reserve_keys(model, size * scale), size) for model, size in KEYS_PER_BLOCK.items()}
    already_there = counts.total()

    def make(number: int) -> list[Table]:
        begin, end = part_of_time(now, number, scale)
        block = Block(
            seed=random_seed,
            number=number,
            begin=begin,
            end=end,
            now=now,
            keys={model: keys[number * size : (number + 1) * size] for model, (keys, size) in reserved.items()},
            categories=leaves,
        )
        # What was added above counts towards the first block.
        return fill(block, rows=ROWS_PER_BLOCK - (already_there if number == 0 else 0))

    for tables in _one_ahead(partial(_several, make), batches(scale)):
        for table in tables:
            counts[table.model] += bulk.load(table.model, table.columns, table.rows)
            progress(counts.total())
    return +counts


def fill(block: Block, *, rows: int) -> list[Table]:
    """Make a block of so many rows and return its tables in the order in which they can be written."""
    everybody = people.add_people(block)
    goods = stock.add_stock(block, everybody)
    demand.add_demand(block, everybody, goods)
    traffic.add_traffic(block, everybody, goods, rows=rows)
    return list(block.tables())


def batches(scale: int) -> list[range]:
    """Return the numbers of the blocks that are written together."""
    return [range(first, min(first + BLOCKS_AT_A_TIME, scale)) for first in range(0, scale, BLOCKS_AT_A_TIME)]


def _several(make: Callable[[int], list[Table]], numbers: range) -> list[Table]:
    """Make some blocks and join their rows by table."""
    joined: dict[type[models.Model], Table] = {}
    for number in numbers:
        for table in make(number):
            joined.setdefault(table.model, Table(table.model, table.columns, [])).rows.extend(table.rows)
    return list(joined.values())


def _one_ahead(make: Callable[[range], list[Table]], orders: list[range]) -> Iterator[list[Table]]:
    """Give what is made of the orders, making the next one while the server works on the present one."""
    with ThreadPoolExecutor(max_workers=1) as maker, _ready_to_switch():
        coming = maker.submit(make, orders[0])
        for following in orders[1:]:
            present, coming = coming.result(), maker.submit(make, following)
            yield present
        yield coming.result()


@contextmanager
def _ready_to_switch() -> Iterator[None]:
    """Let a thread that was waiting for the server go on at once.

    By default it would wait another 5 ms for the thread that makes rows, and that hundreds of times per block.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
