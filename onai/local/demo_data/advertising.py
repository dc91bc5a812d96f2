"""What the demo's advertising cost: a row a day and campaign, and the exchange rate of each day."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from onai.periods import business_day

_NAMESPACE = UUID("2a7c2f52-3a35-4b8e-9c0e-9b6d6cb3c1a0")
_SEED = 475
_DAYS = 75
# Team, campaign, and what it spends a day in dollars.
_CAMPAIGNS = (
    ("kenesary", "winter_start", 31.0),
    ("arystan", "career_change", 22.0),
    ("muha", "students", 18.0),
    ("TF4", "retarget_7d", 12.0),
)
_TENGE_FOR_A_DOLLAR = 520.0
_DOLLARS_FOR_A_THOUSAND_VIEWS, _VIEWS_FOR_A_CLICK = 1.6, 70


def advertising_tables(now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The rows of `traffic_stats` and `exchange_rates`, until yesterday: today's come tomorrow."""
    dice = random.Random(_SEED)
    stats, rates = [], []
    for days_ago in range(_DAYS, 0, -1):
        day = business_day(now) - timedelta(days=days_ago)
        rate = Decimal(f"{_TENGE_FOR_A_DOLLAR + dice.uniform(-6, 6):.4f}")
        rates.append({"date": day, "usd_to_kzt": rate})
        for number, (team, campaign, dollars) in enumerate(_CAMPAIGNS):
            spent = dollars * dice.uniform(0.7, 1.3)
            views = int(spent / _DOLLARS_FOR_A_THOUSAND_VIEWS * 1_000)
            usd = Decimal(f"{spent:.4f}")
            stats.append(
                {
                    "id": uuid5(_NAMESPACE, f"{team} {days_ago}"),
                    "stat_date": day,
                    "user_id": uuid5(_NAMESPACE, team),
                    "team": team,
                    "ad_account_id": f"act_{7_000 + number}",
                    "campaign_id": str(120_000_000 + number),
                    "campaign_name": campaign,
                    "spend_usd": usd,
                    "spend_kzt": round(usd * rate, 2),
                    "impressions": views,
                    "clicks": views // _VIEWS_FOR_A_CLICK,
                    "reach": views * 3 // 4,
                    "usd_to_kzt_rate": rate,
                }
            )
    return {"traffic_stats": stats, "exchange_rates": rates}
