"""What the overview says: the sentences on top, four tiles, the path of those who took the test,
and the report's stages.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _now

from funnel.report.accesses import Accesses
from funnel.report.answers import FunnelAnswers
from funnel.report.stage_report import StageStatus
from funnel.report.steps import Funnel, Step
from funnel.report.what_changed import SourceChange, StepChange, what_changed
from funnel.signals.marks import LEADS, PURCHASE, MarkId, rests_on
from funnel.signals.wording import Incomplete
from funnel.stages import STAGES, Counting, StageId
from funnel.stats.comparison import Counted, Verdict
from funnel.web.difference import Difference, compared_days, in_tile
from funnel.web.picture import Metric, columns_of, measured
from onai.templatetags.russian import percent, plural, tenge
from onai.web.look.bar_chart import Sparkline, sparkline

# Where so few bars would stand, they show no course.
_FEWEST_BARS = 4
_MOST_CHANGES = 3


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence; `link` are the words in it that lead to what it is about."""

    before: str
    link: str = ""
    after: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with its one difference and its course over time; pressed, it shows the chart.

    `incomplete` says since when a mark that it rests on has been silent, here as in all of these.
    """

    title: str
    text: str
    difference: Difference
    course: Sparkline | None
    href: str
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class PathBar:
    """A step of the path: those who reached it, and those of the step before who did not.

    `reached` and `lost` are widths in per cent of the first step, as SVG writes them.
    """

    title: str
    count: str
    share: str
    reached: str
    lost: str
    people: str
    lost_text: str
    lost_people: str
    incomplete: str


@dataclass(frozen=True, slots=True)
class ReportedStage:
    """A stage of the report. `rate` is empty for the first."""

    title: str
    description: str
    count: str
    counted: str
    rate: str
    status: StageStatus
    note: str
    people: str
    incomplete: str


@dataclass(frozen=True, slots=True)
class AccessStage:
    """The accesses opened, which are no stage of the report. `count` is empty where the database of
    students does not answer.
    """

    count: str = ""
    counted: str = ""
    people: str = ""
    incomplete: str = ""


# --- Sentences ---------------------------------------------------------------------------------


def changes(
    found: FunnelAnswers,
    of_source: Callable[[str], str],
    lost_people: Callable[[StageId], str],
) -> list[Phrase]:
    """What changed, at most three sentences, and where most people are lost.

    `of_source` is the address of this page for one source, `lost_people` that of the list of those
    lost at a step.
    """
    path = found.path
    if path is None or not found.leads:
        return []
    told = [
        _of_source(one, of_source) if isinstance(one, SourceChange) else _of_step(one, lost_people)
        for one in what_changed(path, found.sources.rows)[:_MOST_CHANGES]
    ]
    if not told and _is_usual(found, path):
        told = [Phrase(_now("Всё как обычно."))]
    return [*told, *_most_lost(path, lost_people)]


def _is_usual(found: FunnelAnswers, path: Funnel) -> bool:
    verdicts = {found.funnel.purchases.verdict, found.funnel.leads.verdict, path.leads.verdict}
    return verdicts == {Verdict.WITHIN_CHANCE}


def _of_source(one: SourceChange, of_source: Callable[[str], str]) -> Phrase:
    name, href, came = one.source.name, of_source(one.source.source), one.came
    if came is not None and not came.now:
        was = _now(": заявок нет, было %(was)s.") % {"was": _number(came.before or 0)}
        return Phrase("", name, was, href)
    if one.source.funnel.purchases.marked:
        count = round(one.purchases)
        sign = "+" if count > 0 else "\N{MINUS SIGN}"
        noun = plural(abs(count), "покупка,покупки,покупок")
        return Phrase("", name, f": {sign}{_number(abs(count))}\N{NO-BREAK SPACE}{noun}.", href)
    more = came is not None and came.sign > 0
    return Phrase("", name, _now(": заявок больше.") if more else _now(": заявок меньше."), href)


def _of_step(one: StepChange, lost_people: Callable[[StageId], str]) -> Phrase:
    if one.rate is None:
        return Phrase(_of_tests(one.count))
    rates = {
        "step": STAGES[one.step].title,
        "now": percent(one.rate.tested),
        "was": percent(one.rate.tested_before),
    }
    if one.rate.sign > 0:
        return Phrase(_now("До шага «%(step)s» доходит больше: %(now)s вместо %(was)s.") % rates)
    told = _now("До шага «%(step)s» доходит меньше: %(now)s вместо %(was)s,") % rates
    return Phrase(told, _now("кто не дошёл"), ".", lost_people(one.step))


def _of_tests(count: Counted) -> str:
    more = count.sign > 0
    if count.percent is None or not count.now:
        return _now("Тест проходит больше людей.") if more else _now("Тест никто не проходит.")
    told = {"change": percent(abs(count.percent))}
    if more:
        return _now("Тест проходит на %(change)s больше людей.") % told
    return _now("Тест проходит на %(change)s меньше людей.") % told


def _most_lost(path: Funnel, lost_people: Callable[[StageId], str]) -> Iterator[Phrase]:
    worst = max(path.steps, key=lambda step: step.lost)
    if worst.lost:
        told = _now("Больше всего людей теряем здесь:")
        yield Phrase(told, _lost(worst), ".", lost_people(worst.id))


# --- Tiles -------------------------------------------------------------------------------------


def tiles(found: FunnelAnswers, trend: Callable[[Metric], str], lacking: Incomplete) -> list[Tile]:
    """Revenue, purchases, leads, and the conversion from the test. `trend` is the address of a
    chart.
    """
    funnel, to = found.funnel, compared_days(found.question)
    of_cohort = found.question.counting is Counting.COHORT

    def course(metric: Metric) -> Sparkline | None:
        columns = columns_of(measured(found, metric), metric)
        return sparkline(columns) if len(columns) >= _FEWEST_BARS else None

    def tile(title: str, text: str, difference: Difference, metric: Metric) -> Tile:
        marks = LEADS if metric is Metric.LEADS else PURCHASE
        return Tile(title, text, difference, course(metric), trend(metric), lacking.of(marks))

    leads = _now("Прошли тест") if of_cohort else _now("Заявки")
    return [
        tile(
            _now("Выручка"),
            tenge(funnel.revenue.now),
            in_tile(funnel.revenue, to),
            Metric.REVENUE,
        ),
        tile(
            _now("Покупки"),
            _number(funnel.purchases.now),
            in_tile(funnel.purchases, to),
            Metric.PURCHASES,
        ),
        tile(leads, _number(funnel.leads.now), in_tile(funnel.leads, to), Metric.LEADS),
        tile(
            _now("Тест → покупка"),
            percent(funnel.overall.percent),
            in_tile(funnel.overall, to),
            Metric.CONVERSION,
        ),
    ]


# --- The path, and the report ------------------------------------------------------------------


def path_bars(
    path: Funnel, people: Callable[[StageId, bool], str], lacking: Incomplete
) -> list[PathBar]:
    """A bar for each step. `people` is the address of the list of those who reached a step, or who
    were lost at it.
    """
    everybody = max(1, path.steps[0].reached.now)

    def width(count: int) -> str:
        return f"{100 * count / everybody:.2f}%"

    return [
        PathBar(
            title=str(STAGES[step.id].title),
            count=_number(step.reached.now),
            share=percent(step.conversion.percent) if step.conversion else "",
            reached=width(step.reached.now),
            lost=width(step.lost),
            people=people(step.id, False) if step.reached.now else "",
            lost_text=_lost(step),
            lost_people=people(step.id, True) if step.lost else "",
            incomplete=lacking.of(rests_on(STAGES[step.id])),
        )
        for step in path.steps
    ]


def _lost(step: Step) -> str:
    words: dict[StageId, str] = {
        StageId.MESSAGED: _now("%(count)s без сообщения"),
        StageId.CLICKED: _now("%(count)s не перешли"),
        StageId.BOUGHT: _now("%(count)s не купили"),
    }
    return words[step.id] % {"count": _number(step.lost)} if step.lost else ""


def reported_stages(
    found: FunnelAnswers, people: Callable[[StageId, bool], str], lacking: Incomplete
) -> list[ReportedStage]:
    """The three stages as the business reports them."""
    more_than_tests = _now("Больше 100 %: письма получают и те, кто пришёл сразу на курс.")
    return [
        ReportedStage(
            title=str(STAGES[stage.id].title),
            description=str(STAGES[stage.id].description),
            count=_number(stage.reached),
            counted=plural(stage.reached, STAGES[stage.id].counted),
            rate=percent(stage.conversion_rate) if stage.id is not StageId.PROFTEST else "",
            status=stage.status,
            note=more_than_tests if stage.conversion_rate > 100 else "",
            people=people(stage.id, False) if stage.reached else "",
            incomplete=lacking.of(rests_on(STAGES[stage.id])),
        )
        for stage in found.report.stages
    ]


def access_stage(opened: Accesses | None, people: str, lacking: Incomplete) -> AccessStage:
    """The stage that follows the report's: whoever has been given access. `people` is the address
    of their list.
    """
    if opened is None:
        return AccessStage()
    noun = plural(opened.total, "доступ,доступа,доступов")
    people = people if opened.total else ""
    return AccessStage(_number(opened.total), noun, people, lacking.of([MarkId.ACCESS_OPENED]))


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)
