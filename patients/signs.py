"""Which tier the ticked signs are of: a fixed table, no scoring, no diagnosis. Pure.

The highest ticked tier wins; "not sure" counts one tier up; with diabetes or weak immunity "call
the clinic" becomes "page the nurse".
"""

from __future__ import annotations

from collections.abc import Iterable

from patients.protocol import Protocol, TierAction

OTHER, UNSURE, WEAK = "other:", "unsure:", "weak"
HIGHEST_FIRST = tuple(TierAction)


def one_up(tier: TierAction) -> TierAction:
    return HIGHEST_FIRST[max(HIGHEST_FIRST.index(tier) - 1, 0)]


def boxes(protocol: Protocol) -> dict[str, TierAction]:
    """Every box of the form and the tier that it counts as."""
    counts = {sign: tier.action for tier in protocol.tiers for sign in tier.signs}
    for tier in HIGHEST_FIRST:
        counts[OTHER + tier] = tier
        counts[UNSURE + tier] = one_up(tier)
    return counts


def tier_of(protocol: Protocol, ticked: Iterable[str], *, weak: bool) -> TierAction | None:
    """The tier of what was ticked; None if none of it is a box of the form."""
    counts = boxes(protocol)
    tiers = [counts[box] for box in ticked if box in counts]
    if not tiers:
        return None
    highest = min(tiers, key=HIGHEST_FIRST.index)
    if weak and highest is TierAction.CALL_CLINIC:
        return TierAction.PAGE_NURSE
    return highest
