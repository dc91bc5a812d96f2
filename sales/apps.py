"""The sales desk as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class SalesConfig(AppConfig):
    name = "sales"

    def ready(self) -> None:
        """Register the probes of `/status`, the watched marks, what the funnel's pages ask of
        students, what follows a student's own new password, and the check before a migration.
        """
        from funnel.report.accesses import COUNTERS
        from onai.identity.recovery.own_password import own_password_set
        from onai.identity.recovery.requests import LANGUAGES
        from onai.ops.probes import BACKGROUND, DEPENDENCIES
        from onai.ops.status import LIMITS
        from onai.web import notices
        from onai.web.look.language import language_chosen
        from sales import letters, probes
        from sales.adoption import optional_tables
        from sales.adoption.migrating import adapt_before_migrating
        from sales.money.accesses import accesses_of
        from sales.student_marks import watch_student_marks
        from sales.web.queue import notice

        DEPENDENCIES.append(probes.ACCOUNTS)
        BACKGROUND.extend((*probes.PROBES, optional_tables.PROBE))
        LIMITS.extend(probes.LIMITS)
        watch_student_marks()
        own_password_set.connect(letters.forget_replaced_password)
        LANGUAGES.append(letters.language_of_account)
        language_chosen.connect(letters.keep_chosen_language)
        notices.OVERVIEW.append(notice.of_queue)
        COUNTERS.append(accesses_of)
        pre_migrate.connect(adapt_before_migrating, sender=self)
