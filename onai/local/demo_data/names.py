"""The made-up names and contacts of the demo, proper and as people type them."""

_WOMEN = (
    *("Айгерим", "Алия", "Анара", "Асель", "Ботагоз", "Гульнар", "Дина", "Жанар", "Зарина"),
    *("Камила", "Карина", "Лаура", "Мадина", "Сания", "Шолпан", "Әйгерім"),
)
_MEN = (
    *("Алмас", "Арман", "Аскар", "Бауыржан", "Дамир", "Данияр", "Ербол", "Жанибек", "Ильяс"),
    *("Қайрат", "Марат", "Нұрлан", "Олжас", "Руслан", "Тимур", "Өмірбек"),
)
# A man's; a woman's ends in «а» where the man's ends in «в».
_SURNAMES = (
    *("Абаев", "Ахметов", "Байжанов", "Дарханов", "Есенов", "Жумабаев", "Исабеков", "Калиев"),
    *("Касымов", "Мухтаров", "Нурпеисов", "Оспанов", "Рахимов", "Садыков", "Тлеуов", "Умаров"),
    *("Шарипов", "Әбдірахман"),
)
_LATIN = ("Aigerim", "Alia", "Arman", "Dana", "Madina", "Nurlan", "Timur", "Zhanar")


def full_name(given: int, surname: int) -> str:
    """The name of these numbers, which go round: women and men in turn."""
    pair, is_man = divmod(given, 2)
    names = _MEN if is_man else _WOMEN
    mans = _SURNAMES[surname % len(_SURNAMES)]
    fits = mans if is_man or not mans.endswith("в") else f"{mans}а"
    return f"{names[pair % len(names)]} {fits}"


def name_of(person: int) -> str:
    """A person's name, properly written."""
    return full_name(person, person * 5 // 2)


def typed_name(person: int) -> str:
    """A person's name as they typed it on a landing page; most people type it properly."""
    name = name_of(person)
    given, surname = name.split()
    spellings = {
        3: given,
        5: name.lower(),
        8: name.upper(),
        11: f" {given}  {surname} ",
        13: given.lower(),
        16: _LATIN[person % len(_LATIN)],
        18: f"{surname} {given}",
    }
    return spellings.get(person % 20, name)


def typed_email(person: int) -> str:
    """Their e-mail address; some phones begin it with a capital letter."""
    return f"{'Lead' if person % 9 == 4 else 'lead'}{person}@onai.test"


def typed_phone(person: int, style: int) -> str:
    """Their phone in one of the ways people write it."""
    number = str(7_000_000_000 + person)
    code, rest = number[:3], number[3:]
    start, middle, end = rest[:3], rest[3:5], rest[5:]
    return (
        f"+7{number}",
        f"8{number}",
        number,
        f"+7 {code} {start}-{middle}-{end}",
        f"8 ({code}) {start} {middle} {end}",
        f"8-{code}-{start}-{middle}-{end}",
        f" +7({code}){rest} ",
        f"7{number}",
    )[style % 8]
