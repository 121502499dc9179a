bot-hello-stranger = Здравствуйте! Этот бот принадлежит команде и отвечает только её участникам. Если вы из команды, попросите у неё ссылку-приглашение.
bot-hello-member = Здравствуйте, { $name }! Вы здесь { $role }.
    Что я умею, покажет /help.
bot-role-owner = владелец
bot-role-manager = менеджер
bot-role-operator = оператор
bot-role-member = участник
bot-welcome = Добро пожаловать, { $name }! Теперь вы здесь { $role }.
    Что я умею, покажет /help.
bot-invite-bad = Эта ссылка уже использована, устарела или неверна. Попросите у команды новую.
bot-help = Что я понимаю:
bot-help-digest = /digest – что было в группе за последние 24 часа
bot-help-status = /status – всё ли в порядке
bot-help-language = /language – русский или English
bot-help-id = /id – ваш номер и номер этого чата
bot-help-help = /help – этот список
bot-id = Ваш номер: <code>{ $user }</code>
    Этот чат: <code>{ $chat }</code>
bot-language = На каком языке мне говорить?
bot-language-set = Теперь я говорю по-русски.
bot-no-right = Ваша роль этого не позволяет. Обратитесь к владельцу команды.
bot-unknown = Этого я не знаю. Что я умею, покажет /help.
bot-outdated = Эта кнопка устарела. Отправьте команду ещё раз.
bot-slow-down = Слишком быстро для меня. Подождите несколько секунд.
bot-failed = У нас что-то сломалось. Команда уже знает; попробуйте, пожалуйста, позже.
bot-digest-none = Групп пока нет. Администратор может загрузить первую.
bot-digest-which = Какая группа? Отправьте /digest и её название:
bot-digest-unknown = Я не знаю группы «{ $name }».
bot-digest-quiet = «{ $chat }»: за последние 24 часа не было ничего для дайджеста.
bot-status = <b>Состояние</b>
    Postgres: { $postgres }, Redis: { $redis }
    Процессы: { $processes }
    Разговоров: { $conversations }, сообщений: { $interactions }
    Событий ждёт: { $events }, заданий: { $jobs }
    Отправок ждёт человека: { $waiting }
    Неразобранных ошибок: { $letters }
