"""The addresses of the sales desk."""

from django.urls import path

from sales.web import api, change_views, request_views, views, webhooks
from sales.web.cabinet import activity, results, students
from sales.web.letters import views as letter_views
from sales.web.money import learning as money_learning
from sales.web.money import lists as money_lists
from sales.web.money import times as money_times
from sales.web.money import views as money_views
from sales.web.queue import acts, no_payment_views
from sales.web.queue import views as queue_views

urlpatterns = [
    path("funnel/money", money_views.money, name="funnel-money"),
    path("funnel/money.csv", money_views.money_csv, name="funnel-money-csv"),
    path("funnel/money/times", money_times.times, name="funnel-money-times"),
    path("funnel/money/learning", money_learning.learning, name="funnel-money-learning"),
    path("funnel/money/people", money_lists.people, name="funnel-money-people"),
    path("funnel/money/people.csv", money_lists.people_csv, name="funnel-money-people-csv"),
    path("api/traffic-dashboard/money", money_views.money_api, name="api-funnel-money"),
    path("sales-manager", students.students, name="sales-manager"),
    path("sales-manager/students.csv", students.students_csv, name="students-csv"),
    path("sales-manager/results", results.results, name="results"),
    path("sales-manager/activity", activity.activity, name="activity"),
    path("sales-manager/queue", queue_views.queue_page, name="queue"),
    path("sales-manager/queue.csv", queue_views.queue_csv, name="queue-csv"),
    path("sales-manager/queue/report", acts.report, name="report-purchase"),
    path("sales-manager/queue/no-payment", no_payment_views.students, name="no-payment"),
    path("sales-manager/queue/<uuid:buyer_id>/claim", acts.claim, name="claim-line"),
    path("sales-manager/queue/<uuid:buyer_id>/release", acts.release, name="release-line"),
    path("sales-manager/queue/<uuid:buyer_id>/close", acts.close, name="close-line"),
    path("sales-manager/queue/<uuid:buyer_id>/reopen", acts.reopen, name="reopen-line"),
    path("sales-manager/students/new", views.new_student, name="new-student"),
    path(
        "sales-manager/students/new/<uuid:request_id>",
        request_views.progress,
        {"of_creation": True},
        name="creation",
    ),
    path(
        "sales-manager/students/new/<uuid:request_id>/end",
        request_views.end,
        {"of_creation": True},
        name="end-creation",
    ),
    path("sales-manager/students/<uuid:student_id>", views.student, name="student"),
    path(
        "sales-manager/students/<uuid:student_id>/letter",
        letter_views.letter,
        name="letter-of",
    ),
    path("sales-manager/students/<uuid:student_id>/status", change_views.status, name="status-of"),
    path(
        "sales-manager/students/<uuid:student_id>/password",
        change_views.password,
        name="new-password",
    ),
    path("sales-manager/students/<uuid:student_id>/data", change_views.correct, name="correct"),
    path(
        "sales-manager/students/<uuid:student_id>/manager",
        change_views.hand_over,
        name="hand-over",
    ),
    path(
        "sales-manager/students/<uuid:student_id>/delete",
        change_views.delete,
        name="delete-student",
    ),
    path(
        "sales-manager/changes/<uuid:request_id>",
        request_views.progress,
        {"of_creation": False},
        name="change",
    ),
    path(
        "sales-manager/changes/<uuid:request_id>/end",
        request_views.end,
        {"of_creation": False},
        name="end-change",
    ),
    path(
        "sales-manager/students/<uuid:student_id>/purchase",
        no_payment_views.purchase,
        name="purchase",
    ),
    path(
        "sales-manager/students/<uuid:student_id>/purchase/tie",
        no_payment_views.tie,
        name="tie-purchase",
    ),
    path(
        "sales-manager/students/<uuid:student_id>/purchase/undo",
        no_payment_views.undo,
        name="undo-purchase",
    ),
    path("api/tripwire-manager/queue", queue_views.queue_api, name="api-queue"),
    path("api/tripwire-manager/create-student", api.create, name="api-create-student"),
    path("webhooks/resend", webhooks.resend_event, name="resend-event"),
    path("welcome", views.welcome, name="welcome"),
]
