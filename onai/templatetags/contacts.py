"""A phone in a template: its one spelling, and where a tap on it leads."""

from django import template

from onai.contacts import phones

register = template.Library()
register.filter("phone", phones.spelled)
register.filter("phone_link", phones.link)
register.filter("whatsapp_link", phones.whatsapp)
