"""`landing_leads` with what was seen beside the described columns, and without one of them."""

from collections.abc import Iterator

import psycopg
import pytest
from django.test import Client

from funnel.landing.visibility import PROBE
from onai.ops.examination import Down
from tests.conftest import LandingPages
from tests.settings import LANDING_URL

API = "/api/traffic-dashboard"
MORE = """
alter table landing_leads
  add phone_normalized text, add utm_source text, add utm_medium text, add utm_campaign text,
  add utm_content text, add utm_term text,
  add constraint one_deal unique (amocrm_lead_id),
  add constraint reachable check (phone is not null or email is not null),
  alter source set default 'twland';
create view landing_leads_today as select * from landing_leads where created_at > current_date;
"""
AS_BEFORE = """
drop view landing_leads_today;
alter table landing_leads
  drop phone_normalized, drop utm_source, drop utm_medium, drop utm_campaign, drop utm_content,
  drop utm_term, drop constraint one_deal, drop constraint reachable, alter source drop default
"""


@pytest.fixture
def furnished(landing: LandingPages) -> Iterator[None]:
    with psycopg.connect(LANDING_URL, autocommit=True) as owner:
        owner.execute(MORE)
        yield
        owner.execute(AS_BEFORE)


@pytest.mark.usefixtures("furnished")
def test_columns_rules_and_views_beside_ours_change_nothing(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(
        {"sms_clicked": True, "phone_normalized": "77000000001", "utm_source": "instagram"},
        {"source": "proftest_muha", "email": "aru@onai.test"},
    )

    report = admin.get(f"{API}/funnel").json()
    people = admin.get(f"{API}/people?step=payment").json()

    assert report["totalConversions"] == 1
    assert {one["source"] for one in report["sources"]} == {"twland", "proftest_muha"}
    assert len(people["people"]) == 1
    assert PROBE.check() == "видны"
    for page in ("/funnel", "/funnel/people", "/funnel/duplicates"):
        assert admin.get(page).status_code == 200


def test_a_column_that_is_missing_is_named(landing: LandingPages) -> None:
    with psycopg.connect(LANDING_URL, autocommit=True) as owner:
        owner.execute("alter table landing_leads rename sms_clicked_at to sms_clicked_when")
        try:
            with pytest.raises(Down, match="в landing_leads нет столбцов: sms_clicked_at"):
                PROBE.check()
        finally:
            owner.execute("alter table landing_leads rename sms_clicked_when to sms_clicked_at")
