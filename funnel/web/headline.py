"""The first words of each of the funnel's pages, and the headline of the overview."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _now

from funnel.report.answers import FunnelAnswers
from funnel.report.sources import Sources
from funnel.report.steps import Funnel
from funnel.report.time_to_buy import Times, TimeToBuy
from funnel.report.utm import MarkTable
from funnel.stages import STAGES, Counting
from funnel.stats.comparison import Rate, Verdict
from funnel.templatetags.names import days
from funnel.web.difference import Figure, compared_days, in_full, in_tile, of_median, of_time
from funnel.web.links import Link, changed
from funnel.web.picture import Measured, Metric, figure_of, written
from funnel.web.wording import METRICS, shortened
from onai.templatetags.russian import (
    clock,
    day,
    duration,
    duration_in_words,
    hours,
    nouns,
    percent,
    plural,
    tenge,
)
from onai.web.period_form import ChosenPeriod, in_words


def figures(found: FunnelAnswers) -> list[Figure]:
    """The figures of the overview: revenue, purchases, leads, and this counting's conversions."""
    funnel, reported = found.funnel, found.question.counting is Counting.REPORTED
    told = [
        Figure(
            _now("Выручка"),
            tenge(funnel.revenue.now),
            in_full(funnel.revenue, tenge),
            _price(found),
        ),
        Figure(_now("Покупки"), _number(funnel.purchases.now), in_full(funnel.purchases, _number)),
    ]
    if reported:
        told.append(
            Figure(_now("Заявки"), _number(funnel.leads.now), in_full(funnel.leads, _number))
        )
    told += [
        Figure(name, percent(rate.percent), in_full(rate, percent), note)
        for name, rate, note in _conversions(found)
    ]
    return told


def _price(found: FunnelAnswers) -> str:
    price = {"price": tenge(found.report.price)}
    if found.report.several_prices:
        return _now("по цене дня заявки, сейчас %(price)s") % price
    return _now("покупки × %(price)s") % price


def _conversions(found: FunnelAnswers) -> list[tuple[str, Rate, str]]:
    """The conversions; where everybody took the test, only the one that is a proportion."""
    funnel, of_test, of_lead = found.funnel, _now("Тест → покупка"), _now("Заявка → покупка")
    if found.question.counting is Counting.COHORT:
        return [(of_test, funnel.overall, "")]
    if _is_one_conversion(funnel):
        return [(of_test, funnel.conversion, "")]
    made_of = _now("все покупки ÷ прошедшие тест")
    return [(of_test, funnel.overall, made_of), (of_lead, funnel.conversion, "")]


def _is_one_conversion(funnel: Funnel) -> bool:
    one, other = funnel.conversion, funnel.overall
    return (one.whole, one.percent, one.before) == (other.whole, other.percent, other.before)


def reliability(found: FunnelAnswers) -> list[str]:
    """The interval of each conversion of the headline and of the steps."""
    step = _now("Переход на шаг «%(step)s»")
    return all_likely(
        [
            *((name, rate) for name, rate, _ in _conversions(found)),
            *(
                (step % {"step": STAGES[one.id].title}, one.conversion)
                for one in found.funnel.steps
                if one.conversion
            ),
        ]
    )


def all_likely(rates: Iterable[tuple[str, Rate]]) -> list[str]:
    """The 95 % limits of each conversion that is a proportion."""
    return [_likely(name, low, rate.high) for name, rate in rates if (low := rate.low) is not None]


def _likely(name: str, low: Decimal, high: Decimal | None) -> str:
    limits = {"name": name, "low": number_format(low), "high": percent(high)}
    return _now("%(name)s: скорее всего, от %(low)s до %(high)s") % limits


def of_period(found: FunnelAnswers) -> str:
    """The days, the compared days, and what is still missing."""
    question = found.question
    spans, period, days_in = question.spans, question.period, question.period.days
    of_days = f"{in_words(period)} ({days_in} {plural(days_in, 'день,дня,дней')})"
    if is_to_come(found):
        return f"{of_days}."
    told = [_now("%(days)s, сравнение с %(compared)s.")]
    if spans.to_come:
        today = _now("Сегодняшний день ещё идёт, цифры вырастут.")
        told.append(
            _now("Период ещё не закончился, цифры вырастут.") if spans.to_come > 1 else today
        )
    if spans.before_data and spans.data_since:
        told.append(_now("Сравнивать не с чем: первая заявка пришла %(since)s."))
    elif spans.overlap:
        told.append(_now("Периоды пересекаются, поэтому сравнить их точно нельзя."))
    elif spans.too_young:
        young = _now("Заявкам ещё нет %(hours)s, поэтому покупки и конверсии сравнивать рано.")
        told.append(young)
    return " ".join(told) % {
        "days": of_days,
        "compared": in_words(question.compared),
        "since": day(spans.data_since),
        "hours": hours(spans.cuts.hours),
    }


def is_to_come(found: FunnelAnswers) -> bool:
    """Whether no day has begun, so that nothing is claimed."""
    return found.question.period.is_to_come and not found.funnel.leads.now


@dataclass(frozen=True, slots=True)
class Notice:
    """Why there is nothing to see, and what to ask instead."""

    text: str
    link: Link | None = None


def notice(found: FunnelAnswers, query: QueryDict) -> Notice | None:
    """The note above empty figures."""
    if is_to_come(found) or found.funnel.leads.now:
        return None
    if not found.leads and found.question.sources:
        text = _now(
            "От выбранных источников за эти дни не пришло ни одной заявки:"
            " такого источника нет, или он молчал."
        )
        return Notice(text, Link(changed(query, source=None), _now("Показать все источники")))
    if not found.leads:
        return Notice(_now("Проверьте, открываются ли лендинги и идёт ли реклама."))
    text = _now(
        "Теста за эти дни не прошёл никто, а считаем только прошедших тест."
        " Всего заявок — %(leads)s."
    )
    every_event = Link(changed(query, count=None), _now("Посчитать все события"))
    return Notice(text % {"leads": _number(found.leads)}, every_event)


def of_comparison(found: FunnelAnswers) -> str:
    """Up to which moment, and for leads of which age, figures are compared."""
    spans, told = found.question.spans, []
    if spans.to_the_same_moment:
        told.append(_now("Сравниваем с тем, что было к этому же времени, %(time)s."))
    if spans.some_too_young and not spans.too_young:
        by_then = (
            _now("Покупки и конверсии сравниваем по заявкам старше %(hours)s.")
            if found.come_by_age is None
            else _now(
                "Покупки и конверсии сравниваем по заявкам старше %(hours)s:"
                " за это время приходит %(share)s покупок."
            )
        )
        told.append(by_then)
    return " ".join(told) % {
        "time": clock(spans.cuts.moment),
        "hours": hours(spans.cuts.hours),
        "share": percent(round(100 * (found.come_by_age or 0))),
    }


# --- The sentence of each page -----------------------------------------------------------------


def of_nobody(found: FunnelAnswers) -> str:
    """The words of a page without anybody to count; empty where there is somebody."""
    if is_to_come(found):
        return _now("Эти дни ещё не наступили, считать пока нечего.")
    if not found.leads and not found.question.sources:
        return _now("За эти дни не пришло ни одной заявки.")
    return ""


def of_overview(found: FunnelAnswers, chosen: ChosenPeriod) -> str:
    """How much was sold; in a cohort, also where most are lost."""
    when, bought = chosen.opening, found.funnel.purchases.now
    if not bought:
        return _now("%(when)s покупок нет.") % {"when": when}
    told = {"when": when, "sold": _purchases(bought), "revenue": tenge(found.funnel.revenue.now)}
    sentence = _now("%(when)s %(sold)s на %(revenue)s.") % told
    return " ".join([sentence, *_most_lost(found)])


def _most_lost(found: FunnelAnswers) -> Iterator[str]:
    worst = max(found.funnel.steps, key=lambda step: step.lost)
    if found.question.counting is Counting.COHORT and worst.lost:
        told = {"step": STAGES[worst.id].title, "lost": _number(worst.lost)}
        yield _now("Больше всего людей теряем перед шагом «%(step)s»: %(lost)s.") % told


def of_sources(sources: Sources, purchases: int) -> str:
    """Who sold most."""
    best = sources.rows[0] if sources.rows else None
    if not best or not best.funnel.purchases.now:
        return _now("За эти дни ни один источник ничего не продал.")
    told = {
        "name": best.name,
        "sold": _number(best.funnel.purchases.now),
        "all": _purchases(purchases, genitive=True),
    }
    return _now("Больше всего продаёт «%(name)s»: %(sold)s из %(all)s.") % told


def of_trend(found: FunnelAnswers, metric: Metric) -> str:
    """The metric of the whole period, and how it has changed."""
    write, name = written(metric), METRICS[metric]
    if metric is Metric.BOUGHT:
        bought = found.purchase_days
        told = {"metric": name, "now": write(bought.now), "before": write(bought.before or 0)}
        if bought.before is None:
            return _now("%(metric)s: %(now)s, сравнить не с чем.") % told
        return _now("%(metric)s: %(now)s, было %(before)s.") % told
    figure = figure_of(found, metric)
    value = figure.percent if isinstance(figure, Rate) else figure.now
    change = in_tile(figure, compared_days(found.question)).words
    told = {"metric": name, "value": write(value), "change": change}
    return _now("%(metric)s: %(value)s, %(change)s.") % told


def highest(values: Sequence[Measured], metric: Metric) -> str:
    """The best day, week or month; empty for a conversion, which is best where leads are few."""
    best = max(values, key=lambda one: one.now)
    if metric is Metric.CONVERSION or not best.now or len(values) == 1:
        return ""
    told = {"days": days(best.bucket.period), "value": written(metric)(best.now)}
    return _now("Больше всего — %(days)s: %(value)s.") % told


def of_ads(table: MarkTable) -> str:
    """The value of a mark that sold most."""
    best = table.marked[0] if table.marked else None
    if not best or not best.funnel.purchases.now:
        return _now("За эти дни ни одна метка не принесла покупок.")
    told = {"mark": shortened(best.value), "sold": _purchases(best.funnel.purchases.now)}
    return _now("Больше всего покупок у «%(mark)s»: %(sold)s.") % told


def of_speed(times: TimeToBuy) -> str:
    """How long people usually think."""
    now = times.all.now
    if now.median is not None:
        told = {"median": duration_in_words(now.median)}
        return _now("Обычно покупают через %(median)s после заявки.") % told
    if now.purchases:
        return _now("Сколько думали, не узнать: ни у одной покупки не записано время.")
    return _now("За эти дни покупок нет.")


def young_speed(times: TimeToBuy, *, too_young: bool) -> str:
    """That only the quick have bought so far; empty where that is not so."""
    if not (times.all.now.timed and too_young):
        return ""
    return _now("Это пока только те, кто решил быстро: недавние заявки ещё думают.")


def speeds(times: TimeToBuy) -> list[Figure]:
    """The quick quarter, the median and the slow quarter; nothing where no time is known."""
    now, before = times.all.now, times.all.before
    was = before if before and before.has_quarters else None
    told: list[Figure] = []
    if now.median is not None:
        told.append(Figure(_now("Обычно"), duration(now.median), of_median(times.all)))
    if now.has_quarters and now.lower is not None and now.upper is not None:
        quick = of_time(was.lower if was else None)
        slow = of_time(was.upper if was else None)
        told.insert(0, Figure(_now("Быстрые 25 %"), duration(now.lower), quick))
        told.append(Figure(_now("Медленные 25 %"), duration(now.upper), slow))
    return told


def details_of_speed(times: TimeToBuy) -> list[str]:
    """What the tiles rest on: the change, and the number of known times."""
    now = times.all.now
    told: list[str] = []
    if now.timed:
        told += _changed_speed(times.all)
    if now.purchases:
        known = {"timed": now.timed, "purchases": now.purchases}
        told.append(_now("Время известно у %(timed)s из %(purchases)s покупок.") % known)
    if now.without_moment:
        told.append(_now("Без времени: %(count)s.") % {"count": now.without_moment})
    if now.before_lead:
        early = _now("Время раньше самой заявки, поэтому не в счёт: %(count)s.")
        told.append(early % {"count": now.before_lead})
    if now.has_quarters:
        told.append(
            _now(
                "«Быстрые 25 %» — за сколько купила самая быстрая четверть,"
                " «медленные 25 %» — дольше какого срока думала самая медленная."
            )
        )
    return told


def _changed_speed(times: Times) -> Iterator[str]:
    before = times.before
    if before is None or before.median is None:
        return
    was = {"before": duration(before.median), "timed": before.timed}
    yield _now("Раньше обычно покупали через %(before)s (время известно у %(timed)s).") % was
    match times.verdict:
        case Verdict.WITHIN_CHANCE:
            yield _now("Это обычное колебание.")
        case Verdict.BEYOND_CHANCE:
            yield _now("Думать стали дольше.") if times.is_longer else _now("Думать стали меньше.")
        case Verdict.TOO_FEW:
            yield _now("Покупок слишком мало, чтобы сравнить.")


def _purchases(count: int, *, genitive: bool = False) -> str:
    of_them, they = nouns("покупки,покупок,покупок"), nouns("покупка,покупки,покупок")
    forms = of_them if genitive else they
    return f"{_number(count)}\N{NO-BREAK SPACE}{plural(count, forms)}"


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)
