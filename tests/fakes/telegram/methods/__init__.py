"""The methods that the fake implements. Any other is refused: a lenient answer would be a lie."""

from collections.abc import Callable, Mapping
from typing import Any

from aiogram import methods as api

from tests.fakes.telegram.call import Call
from tests.fakes.telegram.methods import account, business, chats, editing, files, queries, reactions, sending, webhooks
from tests.fakes.telegram.parameters import AnyMethod

# Each takes the call and its own aiogram model, and returns the JSON of the result.
Handler = Callable[[Call, Any], Any]

HANDLERS: Mapping[type[AnyMethod], Handler] = {
    api.GetMe: account.get_me,
    api.SetMyCommands: account.set_my_commands,
    api.GetMyCommands: account.get_my_commands,
    api.DeleteMyCommands: account.delete_my_commands,
    api.SetMyName: account.set_my_name,
    api.GetMyName: account.get_my_name,
    api.SetMyDescription: account.set_my_description,
    api.GetMyDescription: account.get_my_description,
    api.SetMyShortDescription: account.set_my_short_description,
    api.GetMyShortDescription: account.get_my_short_description,
    api.SetChatMenuButton: account.set_chat_menu_button,
    api.SetWebhook: webhooks.set_webhook,
    api.DeleteWebhook: webhooks.delete_webhook,
    api.GetWebhookInfo: webhooks.get_webhook_info,
    api.SendMessage: sending.send_message,
    api.SendPhoto: sending.send_photo,
    api.SendDocument: sending.send_document,
    api.SendMediaGroup: sending.send_media_group,
    api.SendChatAction: sending.send_chat_action,
    api.EditMessageText: editing.edit_message_text,
    api.EditMessageCaption: editing.edit_message_caption,
    api.EditMessageReplyMarkup: editing.edit_message_reply_markup,
    api.DeleteMessage: editing.delete_message,
    api.DeleteMessages: editing.delete_messages,
    api.AnswerCallbackQuery: queries.answer_callback_query,
    api.GetChat: chats.get_chat,
    api.GetChatMember: chats.get_chat_member,
    api.GetChatAdministrators: chats.get_chat_administrators,
    api.GetChatMemberCount: chats.get_chat_member_count,
    api.CreateForumTopic: chats.create_forum_topic,
    api.PinChatMessage: chats.pin_chat_message,
    api.UnpinChatMessage: chats.unpin_chat_message,
    api.LeaveChat: chats.leave_chat,
    api.SetMessageReaction: reactions.set_message_reaction,
    api.GetFile: files.get_file,
    api.GetBusinessConnection: business.get_business_connection,
}
