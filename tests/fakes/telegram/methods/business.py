"""getBusinessConnection."""

from aiogram.methods import GetBusinessConnection

from tests.fakes.telegram.call import Call
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.views import Json


def get_business_connection(call: Call, method: GetBusinessConnection) -> Json:
    """A disabled connection is still shown, as disabled."""
    connection = call.world.business.get(method.business_connection_id)
    if connection is None or connection.bot_id != call.bot.id:
        raise bad_request("BUSINESS_CONNECTION_INVALID")
    return call.view().connection(connection)
