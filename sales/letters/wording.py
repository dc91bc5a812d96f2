"""The texts of letters and messages to a student, in the student's language.

Pages are in the language of their reader and are translated by gettext; a letter is not.
"""

from dataclasses import dataclass

from sales.models import Language, LetterKind


@dataclass(frozen=True, slots=True)
class KindWords:
    """What one kind of letter is about. `{name}` is the student's."""

    subject: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language. `{manager}` is the student's manager, `{email}` the new login."""

    kinds: dict[LetterKind, KindWords]
    former_address: KindWords
    preview: str
    login: str
    password: str
    sign_in: str
    button: str
    otherwise: str
    own_password: str
    forgotten: str
    keep: str
    manager: str
    no_manager: str
    invitation: str
    not_started: str
    gone_quiet: str


_RUSSIAN = Words(
    kinds={
        LetterKind.WELCOME: KindWords(
            "Ваш доступ к экспресс-курсу onAI Academy",
            "Доступ открыт",
            "Здравствуйте, {name}! Ваш доступ к экспресс-курсу onAI Academy открыт.",
        ),
        LetterKind.NEW_PASSWORD: KindWords(
            "Новый пароль к экспресс-курсу onAI Academy",
            "Новый пароль",
            "Здравствуйте, {name}! У вас новый пароль к экспресс-курсу onAI Academy, прежний больше"
            " не действует.",
        ),
        LetterKind.NEW_ADDRESS: KindWords(
            "Новый логин к экспресс-курсу onAI Academy",
            "Новый логин",
            "Здравствуйте, {name}! Этот адрес теперь ваш логин на экспресс-курсе onAI Academy."
            " Пароль остался прежним.",
        ),
    },
    former_address=KindWords(
        "Логин к экспресс-курсу onAI Academy изменён",
        "Логин изменён",
        "Здравствуйте! Логин к экспресс-курсу onAI Academy сменили на другой адрес, с этим войти"
        " больше нельзя. Если вы об этом не просили, ответьте на это письмо.",
    ),
    preview="Логин и ссылка для входа внутри.",
    login="Логин",
    password="Пароль",  # noqa: S106
    sign_in="Вход",
    button="Войти на платформу",
    otherwise="Кнопка не работает? Откройте эту ссылку:",
    own_password="Или задайте свой пароль:",  # noqa: S106
    forgotten="Если пароль забыт или вы его не получали, задайте свой:",
    keep="Сохраните это письмо, в нём ваш пароль, и никому его не пересылайте.",
    manager="Ваш менеджер — {manager}. Если что-то не получается, просто ответьте на это письмо.",
    no_manager=("Если что-то не получается, напишите менеджеру, который открыл вам доступ."),
    invitation="Здравствуйте, {name}! Экспресс-курс onAI Academy ждёт вас.",
    not_started="Здравствуйте, {name}! Доступ к экспресс-курсу onAI Academy уже открыт, а входа"
    " пока не было. Если что-то не получается, напишите, поможем.",
    gone_quiet="Здравствуйте, {name}! Давно не видели вас на экспресс-курсе onAI Academy. Уроки"
    " ждут там, где вы остановились. Если нужна помощь, напишите.",
)
_KAZAKH = Words(
    kinds={
        LetterKind.WELCOME: KindWords(
            "onAI Academy экспресс-курсына кіру деректеріңіз",
            "Қолжетімділік ашылды",
            "Сәлеметсіз бе, {name}! Сізге onAI Academy экспресс-курсына қолжетімділік ашылды.",
        ),
        LetterKind.NEW_PASSWORD: KindWords(
            "onAI Academy экспресс-курсына жаңа құпиясөз",
            "Жаңа құпиясөз",
            "Сәлеметсіз бе, {name}! onAI Academy экспресс-курсына кіретін құпиясөзіңіз жаңарды,"
            " бұрынғысы енді жарамайды.",
        ),
        LetterKind.NEW_ADDRESS: KindWords(
            "onAI Academy экспресс-курсына жаңа логин",
            "Жаңа логин",
            "Сәлеметсіз бе, {name}! Бұл пошта енді onAI Academy экспресс-курсындағы логиніңіз."
            " Құпиясөз өзгерген жоқ.",
        ),
    },
    former_address=KindWords(
        "onAI Academy экспресс-курсының логині өзгерді",
        "Логин өзгерді",
        "Сәлеметсіз бе! onAI Academy экспресс-курсының логині басқа поштаға ауыстырылды, бұл"
        " поштамен енді кіре алмайсыз. Егер мұны сұрамаған болсаңыз, осы хатқа жауап жазыңыз.",
    ),
    preview="Логин мен кіру сілтемесі осы хатта.",
    login="Логин",
    password="Құпиясөз",  # noqa: S106
    sign_in="Кіру",
    button="Платформаға кіру",
    otherwise="Батырма жұмыс істемей тұр ма? Мына сілтемені ашыңыз:",
    own_password="Немесе өз құпиясөзіңізді қойыңыз:",  # noqa: S106
    forgotten="Құпиясөзді ұмытсаңыз немесе алмаған болсаңыз, өз құпиясөзіңізді қойыңыз:",
    keep="Бұл хатты сақтап қойыңыз, ішінде құпиясөзіңіз бар. Оны ешкімге жібермеңіз.",
    manager="Менеджеріңіз — {manager}. Сұрағыңыз болса, осы хатқа жауап жазыңыз.",
    no_manager="Сұрағыңыз болса, сізге қолжетімділік ашқан менеджерге жазыңыз.",
    invitation="Сәлеметсіз бе, {name}! onAI Academy экспресс-курсы сізді күтіп тұр.",
    not_started="Сәлеметсіз бе, {name}! onAI Academy экспресс-курсына қолжетімділік ашылған,"
    " бірақ әлі кірмедіңіз. Қиындық болса, жазыңыз, көмектесеміз.",
    gone_quiet="Сәлеметсіз бе, {name}! onAI Academy экспресс-курсына көптен кірмедіңіз. Сабақтар"
    " тоқтаған жеріңізде күтіп тұр. Көмек керек болса, жазыңыз.",
)


_ENGLISH = Words(
    kinds={
        LetterKind.WELCOME: KindWords(
            "Your access to the onAI Academy express course",
            "Your access is open",
            "Hello, {name}! Your access to the onAI Academy express course is open.",
        ),
        LetterKind.NEW_PASSWORD: KindWords(
            "A new password for the onAI Academy express course",
            "New password",
            "Hello, {name}! You have a new password for the onAI Academy express course. The old"
            " one no longer works.",
        ),
        LetterKind.NEW_ADDRESS: KindWords(
            "A new login for the onAI Academy express course",
            "New login",
            "Hello, {name}! This address is now your login for the onAI Academy express course."
            " Your password stays the same.",
        ),
    },
    former_address=KindWords(
        "The login for the onAI Academy express course has changed",
        "The login has changed",
        "Hello! The login for the onAI Academy express course was changed to another address, and"
        " you can no longer sign in with this one. If you did not ask for this, reply to this"
        " letter.",
    ),
    preview="Your login and the link to sign in are inside.",
    login="Login",
    password="Password",  # noqa: S106
    sign_in="Sign in",
    button="Sign in to the platform",
    otherwise="Does the button not work? Open this link:",
    own_password="Or set a password of your own:",  # noqa: S106
    forgotten="If you have forgotten the password or never got one, set your own:",
    keep="Keep this letter: it holds your password. Do not forward it to anyone.",
    manager="Your manager is {manager}. If something does not work, just reply to this letter.",
    no_manager="If something does not work, write to the manager who opened your access.",
    invitation="Hello, {name}! The onAI Academy express course is waiting for you.",
    not_started="Hello, {name}! Your access to the onAI Academy express course is open, but you"
    " have not signed in yet. If something does not work, write to us and we will help.",
    gone_quiet="Hello, {name}! We have not seen you on the onAI Academy express course for a while."
    " The lessons wait where you stopped. If you need help, write to us.",
)
_WORDS = {Language.RUSSIAN: _RUSSIAN, Language.KAZAKH: _KAZAKH, Language.ENGLISH: _ENGLISH}


def words_in(language: str) -> Words:
    """The words of a language; Russian for one that is not known."""
    return _WORDS[Language(language)] if language in Language.values else _RUSSIAN
