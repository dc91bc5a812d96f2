"""The made-up names of the demo: a given name and a surname of the same gender."""

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


def full_name(given: int, surname: int) -> str:
    """The name of these numbers, which go round: women and men in turn."""
    pair, is_man = divmod(given, 2)
    names = _MEN if is_man else _WOMEN
    mans = _SURNAMES[surname % len(_SURNAMES)]
    fits = mans if is_man or not mans.endswith("в") else f"{mans}а"
    return f"{names[pair % len(names)]} {fits}"
