"""The accounts of the tests, and the stand-in's admin API to create more."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from onai.local.auth.keys import Keys
from tests.support import plain_http

PASSWORD = "Demo1234!"


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    full_name: str
    role: str


PEOPLE = (
    Person("admin@onai.test", "Админ Тест", "admin"),
    Person("ayaulym@onai.test", "Аяулым Тест", "sales"),
    Person("student@onai.test", "Студент Тест", "student"),
)


class Accounts:
    """Accounts at the stand-in, created and read over HTTP as an operator does."""

    def __init__(self, services: str, keys: Keys) -> None:
        self.base = f"{services}/auth/v1"
        self.apikey = keys.anon_key
        self.as_service = {"Authorization": f"Bearer {keys.service_role_key}"}

    def create(
        self,
        email: str = "",
        *,
        role: str | None = None,
        full_name: str = "Новый Тест",
        **more: Any,
    ) -> dict[str, Any]:
        """An account whose role is in both metadata, unless told otherwise."""
        named = {"role": role} if role else {}
        body = {
            "email": email or f"someone-{uuid4().hex[:12]}@onai.test",
            "password": PASSWORD,
            "email_confirm": True,
            "user_metadata": {"full_name": full_name, **named},
            "app_metadata": named,
            **more,
        }
        return self._good("POST", "/admin/users", json=body)

    def sign_in(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        body = {"email": email, "password": password}
        return self._good("POST", "/token?grant_type=password", json=body)

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else self.as_service
        headers = {"apikey": self.apikey, **headers, **options.pop("headers", {})}
        return plain_http.request(method, self.base + path, headers=headers, **options)

    def _good(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self.call(method, path, **options)
        answer.raise_for_status()
        return dict(answer.json())
