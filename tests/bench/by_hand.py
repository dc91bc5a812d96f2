"""The figures of each page, asked by hand: what one would write who needed nothing else.

`since` and `until` are the period, `before` is where the compared one begins, and `age` is that of
the comparison. The product may take half as long again.
"""

_DAY = "width_bucket(created_at, %(days)s::timestamptz[])"
_WINDOW = "created_at >= %(before)s and created_at < %(until)s"
_COUNTS = """
  count(*) as leads,
  count(*) filter (where source like 'proftest%%') as tested,
  count(*) filter (where email_sent) as emailed,
  count(*) filter (where sms_clicked) as bought,
  count(*) filter (where email_sent
    and (email_sent_at is null or email_sent_at <= created_at + %(age)s)) as emailed_by_age,
  count(*) filter (where sms_clicked
    and (sms_clicked_at is null or sms_clicked_at <= created_at + %(age)s)) as bought_by_age
"""
_SUMS = ", ".join(
    f"sum({name})"
    for name in ("leads", "tested", "emailed", "bought", "emailed_by_age", "bought_by_age")
)
_MARK = "coalesce(metadata ->> '{0}', metadata -> 'utmParams' ->> '{0}') as {0}"
_MARKS = ", ".join(_MARK.format(f"utm_{mark}") for mark in ("campaign", "medium", "content"))

# How far those came who took the test; each step needs those before it.
_MESSAGED = "source like 'proftest%%' and (email_sent or sms_sent)"
_MESSAGED_BY_AGE = """source like 'proftest%%' and (
  email_sent and (email_sent_at is null or email_sent_at <= created_at + %(age)s)
  or sms_sent and (sms_sent_at is null or sms_sent_at <= created_at + %(age)s))"""
_BOUGHT_BY_AGE = "(sms_clicked_at is null or sms_clicked_at <= created_at + %(age)s)"
_CLICKED_BY_AGE = f"""(email_clicked
    and (email_clicked_at is null or email_clicked_at <= created_at + %(age)s)
  or sms_clicked and {_BOUGHT_BY_AGE})"""
_PATH = {
    "messaged": _MESSAGED,
    "clicked": f"{_MESSAGED} and (email_clicked or sms_clicked)",
    "paid": f"{_MESSAGED} and sms_clicked",
    "messaged_by_age": _MESSAGED_BY_AGE,
    "clicked_by_age": f"{_MESSAGED_BY_AGE} and {_CLICKED_BY_AGE}",
    "paid_by_age": f"{_MESSAGED_BY_AGE} and sms_clicked and {_BOUGHT_BY_AGE}",
}
_PATH_COUNTS = ", ".join(
    f"count(*) filter (where {condition}) as {name}" for name, condition in _PATH.items()
)
_PATH_SUMS = ", ".join(f"sum({name})" for name in _PATH)

# The report's stages and the path of the tested day by day, and all sources.
OVERVIEW = f"""
with fine as (
  select {_DAY} as day, source, {_COUNTS}, {_PATH_COUNTS}
  from landing_leads where {_WINDOW} group by 1, 2
)
select day, source, {_SUMS}, {_PATH_SUMS} from fine group by grouping sets ((day), (day, source))
"""
# Day by day: the headline, the steps, and how they spread.
BY_DAY = f"select {_DAY} as day, {_COUNTS} from landing_leads where {_WINDOW} group by 1"
BY_SOURCE = f"""
with fine as (
  select {_DAY} as day, source, {_COUNTS} from landing_leads where {_WINDOW} group by 1, 2
)
select day, source, {_SUMS} from fine group by grouping sets ((day), (day, source))
"""
BY_MARK = f"""
with fine as materialized (
  select created_at >= %(since)s as now, {_MARKS}, {_COUNTS}
  from landing_leads where {_WINDOW} group by 1, 2, 3, 4
), daily as (
  select {_DAY} as day, source, {_COUNTS} from landing_leads where {_WINDOW} group by 1, 2
)
select null, now, utm_campaign, utm_medium, utm_content, {_SUMS} from fine
group by grouping sets ((now, utm_campaign), (now, utm_medium), (now, utm_content))
union all
select day, null, source, null, null, {_SUMS} from daily group by day, source
"""
TIMES = f"""
with bought as materialized (
  select created_at >= %(since)s as now, source, {_DAY} as day,
    extract(epoch from sms_clicked_at - created_at) as seconds,
    width_bucket(extract(epoch from sms_clicked_at - created_at)::float8,
      array(select 60 * 1.25 ^ n from generate_series(0, 59) as n)) as class
  from landing_leads where {_WINDOW} and sms_clicked
), counted as (
  select {_DAY} as day, {_COUNTS} from landing_leads where {_WINDOW} group by 1
)
select now, source, day, null, count(*),
  percentile_cont(array[0.25, 0.5, 0.75]) within group (order by seconds)
from bought group by grouping sets ((now), (now, source), (now, day))
union all
select now, source, day, class, count(*), null
from bought group by grouping sets ((now, class), (now, source, class), (now, day, class))
union all
select null, null, day, null, leads, null from counted
"""
