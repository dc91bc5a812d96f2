"""The project's rules for passwords, which Supabase Auth looks at when one is changed, and only
then: an account that an administrator creates may have any password."""

from onai.local.auth.project import project
from onai.local.auth.wire import Refusal

MAX_PASSWORD_BYTES = 72  # more than that bcrypt does not read


def require(password: str) -> None:
    """Refuse a password that the project's rules do not allow."""
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise Refusal(
            400,
            "validation_failed",
            f"Password cannot be longer than {MAX_PASSWORD_BYTES} characters",
        )
    weak = faults(password)
    if weak:
        raise Refusal(
            422, "weak_password", " ".join(weak.values()), weak_password={"reasons": list(weak)}
        )


def faults(password: str) -> dict[str, str]:
    """What is wrong with a password: Supabase's words for it, and its sentence to each."""
    found = {}
    if len(password.encode()) < project.password_min_length:
        shortest = project.password_min_length
        found["length"] = f"Password should be at least {shortest} characters."
    required = project.password_required_characters
    if not all(set(characters) & set(password) for characters in required):
        found["characters"] = (
            f"Password should contain at least one character of each: {', '.join(required)}."
        )
    # Nobody has an empty password, and so it is in the lists of those that were found in leaks.
    if project.pwned_passwords and (not password or password in project.pwned_passwords):
        found["pwned"] = (
            "Password is known to be weak and easy to guess, please choose a different one."
        )
    return found
