"""The sentences of the pages of persons: how many, which part of them, and why nobody."""

from collections.abc import Iterator

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from funnel.people.duplicates import DuplicateCheck, DuplicatesPage
from funnel.people.listing import PeopleFilter, Person
from funnel.stages import STAGES, Counting, way_of
from onai.periods import Period
from onai.templatetags.russian import plural
from onai.web.paging import ListPage


def of_list(wanted: PeopleFilter, page: ListPage[Person], *, is_first: bool) -> str:
    """How many came to a step, or did not; why there is nobody to show."""
    if page.rows:
        count = _more_than(page.count) if page.there_are_more else _leads(page.count)
        told = {"step": STAGES[wanted.step].title, "count": count}
        if wanted.lost:
            return _("Не дошли до шага «%(step)s»: %(count)s.") % told
        return _("Дошли до шага «%(step)s»: %(count)s.") % told
    return _nobody(wanted, is_first=is_first)


def _nobody(wanted: PeopleFilter, *, is_first: bool) -> str:
    if wanted.period.is_to_come:
        return _("Эти дни ещё не наступили.")
    if wanted.text or wanted.sources:
        return _("Никого не нашлось.")
    if not is_first:
        return _("Дальше никого нет.")
    if wanted.lost:
        return _("За эти дни здесь никого не потеряли.")
    return _("За эти дни сюда никто не дошёл.")


def about_list(wanted: PeopleFilter, days: str, *, anybody: bool) -> list[str]:
    """Who is in the list, and of which days."""
    step = STAGES[wanted.step]
    told = [
        f"{step.lost if wanted.lost else step.description}.",
        _("Оставили контакты: %(days)s.") % {"days": days},
    ]
    if wanted.lost and anybody and wanted.period.is_under_way:
        told.append(_("Период ещё идёт: недавние заявки ещё могут дойти до этого шага."))
    return told


def reliability(wanted: PeopleFilter) -> list[str]:
    """What the number of the list counts, and who is not in it."""
    told = [_("Одна строка — одна заявка. У человека их может быть несколько.")]
    if wanted.lost and way_of(wanted.step) is Counting.REPORTED:
        told.append(
            _(
                "Показаны все, кто был на прошлом шаге и не дошёл до этого."
                " Кто пришёл на этот шаг сразу, мимо прошлого, сюда не входит."
            )
        )
    return told


def printed_list(page: ListPage[Person], *, is_first: bool) -> str:
    """Which part of a list is on paper; empty where it is the whole list."""
    if not page.rows or (is_first and not page.following):
        return ""
    all_of_it = _number(page.count)
    if page.there_are_more:
        all_of_it = _("более чем %(count)s") % {"count": all_of_it}
    told = {"shown": len(page.rows), "all": all_of_it}
    if is_first:
        return _("Напечатаны первые %(shown)s из %(all)s. Все — в файле CSV.") % told
    return (
        _("Напечатана часть списка, не с начала: %(shown)s из %(all)s. Все — в файле CSV.") % told
    )


def of_duplicates(period: Period, check: DuplicateCheck) -> str:
    """Whether the same person was counted as several purchases, and among how many."""
    if period.is_to_come:
        return _("Эти дни ещё не наступили.")
    if not check.purchases:
        return _("Покупок за эти дни нет, проверять нечего.")
    found = _("Похоже, есть дубли") if check.found else _("Дублей нет")
    return f"{found}: {', '.join(_counts(check))}."


def _counts(check: DuplicateCheck) -> Iterator[str]:
    yield f"{_number(check.purchases)} {plural(check.purchases, 'покупка,покупки,покупок')}"
    phones = plural(check.distinct_phones, "разный телефон,разных телефона,разных телефонов")
    yield f"{_number(check.distinct_phones)} {phones}"
    addresses = plural(
        check.distinct_emails, "разный адрес почты,разных адреса почты,разных адресов почты"
    )
    yield f"{_number(check.distinct_emails)} {addresses}"
    if check.without_phone:
        yield _("без телефона — %(count)s") % {"count": _number(check.without_phone)}
    if check.without_email:
        yield _("без почты — %(count)s") % {"count": _number(check.without_email)}


def who_bought_twice(page: DuplicatesPage) -> str:
    """How many persons of all pages bought more than once, and how many purchases are theirs."""
    persons = plural(page.persons, "человек,человека,человек")
    purchases = plural(page.purchases, "покупка,покупки,покупок")
    return f"{_number(page.persons)} {persons}, {_number(page.purchases)} {purchases}"


def nobody_bought_twice(page: DuplicatesPage, *, chosen_sources: bool) -> str:
    """Why a page of duplicates is empty."""
    if page.number > 1:
        return _("Дальше никого нет.")
    if chosen_sources:
        return _("За эти дни у выбранных источников никто не купил дважды.")
    return _("За эти дни никто не купил дважды.")


def printed_duplicates(page: DuplicatesPage) -> str:
    """Which persons are on paper; empty where all are."""
    if not page.buyers or not (page.following or page.number > 1):
        return ""
    told = {
        "first": page.buyers[0].place,
        "last": page.buyers[-1].place,
        "all": _number(page.persons),
    }
    return _("Напечатаны %(first)s–%(last)s из %(all)s. Все — в файле CSV.") % told


def _more_than(count: int) -> str:
    return _("больше %(count)s заявок") % {"count": _number(count)}


def _leads(count: int) -> str:
    return f"{_number(count)} {plural(count, 'заявка,заявки,заявок')}"


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)
