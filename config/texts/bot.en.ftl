bot-hello-stranger = Hello! This bot belongs to a team and answers its members only. If you are one of them, ask your team for an invitation link.
bot-hello-member = Hello, { $name }! You are { $role } here.
    Send /help to see what I can do.
bot-role-owner = the owner
bot-role-manager = a manager
bot-role-operator = an operator
bot-role-member = a member
bot-welcome = Welcome, { $name }! From now on you are { $role } here.
    Send /help to see what I can do.
bot-invite-bad = This link has been used, has expired or is wrong. Ask your team for a new one.
bot-help = What I understand:
bot-help-digest = /digest – what happened in a group during the last 24 hours
bot-help-status = /status – is everything well
bot-help-language = /language – русский or English
bot-help-id = /id – your id and this chat's
bot-help-help = /help – this list
bot-id = Your id: <code>{ $user }</code>
    This chat: <code>{ $chat }</code>
bot-language = Which language shall I speak?
bot-language-set = From now on I speak English.
bot-no-right = Your role does not allow this. Ask an owner of the team.
bot-unknown = I do not know this. Send /help to see what I can do.
bot-outdated = This button is out of date. Send the command again.
bot-slow-down = Too fast for me. Please wait a few seconds.
bot-failed = Something went wrong on our side. The team has been told; please try again later.
bot-digest-none = There are no groups yet. An admin can import one.
bot-digest-which = Which group? Send /digest and its name:
bot-digest-unknown = I do not know a group «{ $name }».
bot-digest-quiet = «{ $chat }»: nothing worth a digest in the last 24 hours.
bot-status = <b>Status</b>
    Postgres: { $postgres }, Redis: { $redis }
    Processes: { $processes }
    Conversations: { $conversations }, messages: { $interactions }
    Events waiting: { $events }, jobs due: { $jobs }
    Messages waiting for a person: { $waiting }
    Dead letters: { $letters }
