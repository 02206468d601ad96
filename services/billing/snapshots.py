"""What billing tells of its facts as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.billing.bills.actions.changing import payload_of as charge_payload
from services.billing.bills.models import Charge
from services.billing.contract.bills import CHARGE_CHANGED, PERIOD_BILLED
from services.billing.contract.holds import HOLD_CHANGED
from services.billing.holds.actions import payload_of
from services.billing.holds.models import Hold
from services.billing.selection.models import Closing
from services.shared.bus.snapshots import UNCHANGING, Facts, Key, Snapshot, Told


def tell_holds(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    found = db.scalars(sa.select(Hold).where(Hold.hold_id.in_([hold_id for (hold_id,) in keys])))
    return [Told((hold.hold_id,), payload_of(hold)) for hold in found]


def tell_charges(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    found = db.scalars(sa.select(Charge).where(Charge.choice_id.in_([choice_id for (choice_id,) in keys])))
    return [Told((charge.choice_id,), charge_payload(charge)) for charge in found]


def tell_billed(_service: Any, _db: Session, keys: list[Key]) -> list[Told]:
    return [Told((period_id,), {"period_id": str(period_id)}) for (period_id,) in keys]


SNAPSHOTS = {
    HOLD_CHANGED: Snapshot(Facts((Hold.hold_id,), Hold.version), tell_holds),
    CHARGE_CHANGED: Snapshot(Facts((Charge.choice_id,), Charge.version), tell_charges),
    PERIOD_BILLED: Snapshot(Facts((Closing.period_id,), UNCHANGING, (Closing.billed_at.is_not(None),)), tell_billed),
}
