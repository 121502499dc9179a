"""answerCallbackQuery."""

from datetime import timedelta

from aiogram.methods import AnswerCallbackQuery

from tests.fakes.telegram.call import Call
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.links import checked_url
from tests.fakes.telegram.messages import CallbackAnswer, utf16

ANSWERABLE = timedelta(seconds=60)
MAX_ANSWER = 200


def answer_callback_query(call: Call, method: AnswerCallbackQuery) -> bool:
    """The first answer is the one shown; later ones are taken and change nothing."""
    query = call.world.queries.get(method.callback_query_id)
    now = call.world.clock()
    if query is None or query.bot_id != call.bot.id or now - query.asked_at > ANSWERABLE:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if utf16(method.text or "") > MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    if method.url and checked_url(method.url) is None:
        raise bad_request("URL_INVALID")
    if query.answer is None:
        call.world.answer(query, CallbackAnswer(method.text, bool(method.show_alert), method.url))
    return True
