"""How a form's field is drawn: `{{ form.email.as_field_group }}` in any template."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Draws label, widget and errors by the project's template, unless a field names its own."""

    field_template_name = "field.html"
