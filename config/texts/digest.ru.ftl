# Дайджест группы

digest-untitled = Без названия
digest-nobody = удалённый аккаунт
digest-moment = { $day }.{ $month }.{ $year } { $time }
digest-messages = { $count ->
    [one] { $count } сообщение
    [few] { $count } сообщения
   *[many] { $count } сообщений
}
digest-participants = { $count ->
    [one] { $count } участник
    [few] { $count } участника
   *[many] { $count } участников
}
digest-threads = { $count ->
    [one] { $count } ветка
    [few] { $count } ветки
   *[many] { $count } веток
}
digest-decided = Решили:
digest-decisions = Решения и договорённости
digest-questions = Вопросы без ответа
digest-people = Кто был активнее
digest-role-initiator = заводит разговоры
digest-role-expert = отвечает на вопросы
digest-role-participant = участвует
digest-role-observer = наблюдает
