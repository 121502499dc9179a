# Digest of a group

digest-untitled = Untitled
digest-nobody = deleted account
digest-moment = { $year }-{ $month }-{ $day } { $time }
digest-messages = { $count ->
    [one] { $count } message
   *[other] { $count } messages
}
digest-participants = { $count ->
    [one] { $count } person
   *[other] { $count } people
}
digest-threads = { $count ->
    [one] { $count } thread
   *[other] { $count } threads
}
digest-decided = Decided:
digest-decisions = Decisions and agreements
digest-questions = Open questions
digest-people = Most active
digest-role-initiator = starts talks
digest-role-expert = answers questions
digest-role-participant = takes part
digest-role-observer = looks on
