import pytest

from core.digests.decisions import decided_in, find_decisions
from core.digests.links import links_of
from core.digests.model import Claim, Message
from core.digests.threads import build_threads
from tests.digests.chats import GROUP, context_of, talk


def decisions(lines: list[Message]) -> tuple[Claim, ...]:
    context = context_of(lines)
    return find_decisions(context, build_threads(context), links_of(GROUP))


@pytest.mark.parametrize(
    "text",
    [
        "Решили: коробки из крафта",
        "Тогда договорились: съёмка в пятницу в 11:00",
        "Итого: выезжаем в девять от склада",
        "Ок, делаем через очередь",
        "Берём второй вариант упаковки",
        "Всё, переносим релиз на среду",
        "We decided to ship on Monday",
        "Ok, let's go with the blue one",
        "Agreed: no deploys on Friday",
    ],
)
def test_told_decisions_are_found(text: str) -> None:
    assert decided_in(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Мы ещё не решили по коробкам",
        "Что решили по коробкам?",
        "Надо, чтобы решили сегодня",
        "Если договорились, то пишите",
        "Договорились ли вы с Казанью, непонятно",
        "Кто решил выключить печь?",
        "We haven't decided on the colour",
        "I agree with the colour",
        "Она решила задачу сама",
        "Не берём второй вариант",
    ],
)
def test_talk_about_decisions_is_none(text: str) -> None:
    assert decided_in(text) is None


def test_bare_agreement_seals_the_proposal_it_answers() -> None:
    (claim,) = decisions(talk(("Анна", "Давайте встретимся в четверг в 19:00 у метро"), ("Борис", "Договорились!", 1)))
    assert (claim.text, claim.author, claim.message_ids) == (
        "Давайте встретимся в четверг в 19:00 у метро",
        "Анна",
        (1, 2),
    )


def test_bare_agreement_with_an_opinion_decides_nothing() -> None:
    assert decisions(talk(("Ann", "This phone is too heavy for me"), ("Bob", "agreed", 1))) == ()


def test_the_rest_of_the_message_goes_with_the_decision_cut_at_a_word() -> None:
    text = "Спасибо всем. Решили: переезд в субботу. " + "Сбор у ворот склада. " * 20
    (claim,) = decisions(talk(("Анна", text)))
    assert claim.text.startswith("Решили: переезд в субботу. Сбор")
    assert claim.text.endswith("…")
    assert claim.text.removesuffix("…") in text
    assert len(claim.text) <= 160
