"""The sentences in German, under the keys of english.py; what is missing here is said in English.

Impersonal throughout: a note is read by whoever works on the ticket. People stand in the nominative only, so that one
form with the article is enough.
"""

from __future__ import annotations

from collections.abc import Mapping

_BY_HAND = "Bitte von Hand entfernen."
_SHOW = "Bitte von Hand entfernen und diese Notiz der Administration zeigen."
_SHOW_IF = (
    "Bitte selbst nachsehen; ist die Person noch im Gespräch, von Hand entfernen. Bitte diese Notiz der "
    "Administration zeigen."
)
_SETTING = (
    "Muss die Person trotzdem gehen, bitte von Hand entfernen. "
    "Die Administration kann es mit der Einstellung „{allowed_by}“ erlauben."
)
_ASK = "Bitte jemanden fragen, der es darf, oder die Administration; die Einstellung heißt „{allowed_by}“."
_CLICK = "Die Person ist vielleicht noch im Gespräch: bitte nachsehen und erneut klicken, falls es noch nötig ist."
_LOOK = "Bitte selbst in Genesys Cloud nachsehen; ist die Person noch im Gespräch, von Hand entfernen."
_THERE = "{Who} ist noch im Gespräch: "
_BARRED = _THERE + "Das Entfernen blieb ohne Wirkung und wird nicht wiederholt, denn {why}. "

TICKET: Mapping[str, str] = {
    "disconnected": "{Who} wurde aus dem Gespräch entfernt; ein Blick danach hat es bestätigt.",
    "already_gone": "Es war nichts zu tun: {Who} hatte das Gespräch bereits verlassen.",
    "not_found": (
        "Niemand wurde entfernt: Niemand im Gespräch ist die im Ticket genannte Person. "
        "Bitte Nummer oder ID im Ticket prüfen: Sind sie falsch, berichtigen und erneut klicken; stimmen sie, ist die "
        "Person gegangen oder war nie da, und es ist nichts zu tun."
    ),
    "not_found.conversation": (
        "Niemand wurde entfernt: Genesys Cloud kennt dieses Gespräch nicht. "
        "Bitte die Gesprächs-ID im Ticket prüfen, dann erneut klicken."
    ),
    "refused": f"Niemand wurde entfernt: Die Regeln dieses Dienstes erlauben es nicht. {_SHOW_IF}",
    "refused.ambiguous": (
        "Niemand wurde entfernt: Die Angaben im Ticket passen auf mehrere Personen im Gespräch, gemeint sein "
        "darf nur eine ({candidates}). Bitte die richtige mit ihrer Teilnehmer-ID angeben und erneut klicken, oder die "
        "Person von Hand entfernen."
    ),
    "refused.contradictory": (
        "Niemand wurde entfernt: Das Ticket nennt die Person auf zwei Arten, die nicht dieselbe meinen ({candidates}). "
        "Bitte nur eine Angabe machen, dann erneut klicken."
    ),
    "refused.purpose": (
        "Niemand wurde entfernt: Die im Ticket genannte Person ist {who}, und Personen mit dieser Rolle darf dieser "
        f"Dienst nicht entfernen. Bitte prüfen, ob das Ticket die richtige Person nennt. {_SETTING}"
    ),
    "refused.last_pair": (
        "Niemand wurde entfernt: Es ist höchstens noch eine andere Person im Gespräch; es wäre mit dem Entfernen "
        f"beendet. {_SETTING}"
    ),
    "refused.queue": (
        "Niemand wurde entfernt: Aus der Warteschlange dieses Gesprächs darf dieser Dienst niemanden entfernen. "
        + _SETTING
    ),
    "refused.division": (
        f"Niemand wurde entfernt: Im Bereich dieses Gesprächs darf dieser Dienst niemanden entfernen. {_SETTING}"
    ),
    "refused.supervisor": (
        "Niemand wurde entfernt: {Who} ist als Supervisor im Gespräch, und Supervisoren darf dieser Dienst nicht "
        f"entfernen. {_SETTING}"
    ),
    "refused.requester": (
        f"Niemand wurde entfernt: Wer geklickt hat, darf über diesen Dienst niemanden entfernen lassen. {_ASK}"
    ),
    "refused.requester_rate": (
        "Niemand wurde entfernt: Wer geklickt hat, wollte in kurzer Zeit zu viele Personen entfernen lassen. "
        "Bitte eine Minute warten und erneut klicken, falls es noch nötig ist."
    ),
    "refused.dropped": (
        "Niemand wurde entfernt: Wer diesen Dienst betreibt, hat das Entfernen abgesagt, bevor etwas getan wurde. "
        "Die Person ist vielleicht noch im Gespräch: dann bitte von Hand entfernen; "
        "vor einem neuen Klick bitte die Administration fragen."
    ),
    "expired": f"Niemand wurde entfernt: Der Klick war zu alt, bevor etwas getan werden konnte. {_CLICK}",
    "expired.paused": (
        "Niemand wurde entfernt: Dieser Dienst ist angehalten, und inzwischen ist der Klick zu alt. Die Person ist "
        "vielleicht noch im Gespräch: dann bitte von Hand entfernen; erneut zu klicken hilft erst nach der Pause."
    ),
    "expired.runaway": (
        "Niemand wurde entfernt: In einer Minute wurde öfter geklickt, als Menschen klicken; dieser Dienst ist darum "
        "angehalten, und inzwischen ist der Klick zu alt. Die Person ist vielleicht noch im Gespräch: dann bitte von "
        "Hand entfernen; erneut zu klicken hilft erst nach der Pause."
    ),
    "expired.genesys_unreachable": (
        "Niemand wurde entfernt: Genesys Cloud war nicht erreichbar, und inzwischen ist der Klick zu alt. Die Person "
        "ist vielleicht noch im Gespräch: dann bitte von Hand entfernen oder später erneut klicken."
    ),
    "expired.busy": f"Niemand wurde entfernt: Es war zu viel zu tun, und inzwischen ist der Klick zu alt. {_CLICK}",
    "failed": f"{{Who}} ist noch im Gespräch. {_BY_HAND}",
    "failed.forbidden": (
        f"Niemand wurde entfernt: Genesys Cloud lässt diesen Dienst nicht in das Gespräch sehen. {_SHOW_IF}"
    ),
    "failed.forbidden.permission": (
        "Niemand wurde entfernt: Diesem Dienst fehlt in Genesys Cloud eine Berechtigung, Gespräche zu sehen. "
        + _SHOW_IF
    ),
    "failed.forbidden.division": (
        "Niemand wurde entfernt: Diesem Dienst fehlt in Genesys Cloud eine Berechtigung, Gespräche des Bereichs zu "
        f"sehen, zu dem dieses gehört. {_SHOW_IF}"
    ),
    "failed.forbidden.closed": (
        "Niemand wurde entfernt: Genesys Cloud lässt diesen Dienst nicht in das Gespräch sehen; vielleicht ist "
        f"es schon beendet. {_SHOW_IF}"
    ),
    "failed.rejected": (
        "Niemand wurde entfernt: Genesys Cloud hat diesem Dienst nicht gesagt, wer in dem Gespräch ist. " + _SHOW_IF
    ),
    "failed.rejected.login": (
        f"Niemand wurde entfernt: Die Anmeldung dieses Dienstes bei Genesys Cloud schlug fehl. {_SHOW_IF}"
    ),
    "failed.genesys_refused": f"{_THERE}Genesys Cloud hat das Entfernen abgelehnt. {_SHOW}",
    "failed.genesys_refused.ended": (
        f"{_THERE}Genesys Cloud hat das Entfernen abgelehnt und meldet, das Gespräch sei beendet. {_BY_HAND}"
    ),
    "failed.genesys_refused.needs_user": (
        f"{_THERE}Genesys Cloud verlangt dafür einen angemeldeten Benutzer, und dieser Dienst ist keiner. {_SHOW}"
    ),
    "failed.genesys_refused.login": (
        f"{_THERE}Für das Entfernen schlug die Anmeldung dieses Dienstes bei Genesys Cloud fehl. {_SHOW}"
    ),
    "failed.genesys_refused.permission": (
        f"{_THERE}Diesem Dienst fehlt in Genesys Cloud eine Berechtigung, jemanden zu entfernen. {_SHOW}"
    ),
    "failed.genesys_refused.division": (
        f"{_THERE}Diesem Dienst fehlt in Genesys Cloud eine Berechtigung, in diesem Bereich jemanden zu "
        f"entfernen. {_SHOW}"
    ),
    "failed.genesys_refused.closed": (
        f"{_THERE}Genesys Cloud ließ diesen Dienst zum Entfernen nicht in das Gespräch. {_SHOW}"
    ),
    "failed.genesys_refused.no_route": (
        f"{_THERE}Für dieses Entfernen kann dieser Dienst bei Genesys Cloud nicht anfragen; gesendet wurde "
        f"nichts. {_SHOW}"
    ),
    "failed.genesys_refused.not_found": (
        f"{_THERE}Genesys Cloud fand die Person zum Entfernen nicht, obwohl ein Blick sie zeigt. {_BY_HAND}"
    ),
    "failed.genesys_refused.conflict": (
        f"{_THERE}Genesys Cloud hat das Entfernen abgelehnt, weil sich das Gespräch gerade änderte. "
        "Bitte erneut klicken oder von Hand entfernen."
    ),
    "failed.genesys_refused.our_fault": (
        f"{_THERE}Genesys Cloud hat die Art nicht angenommen, wie dieser Dienst um das Entfernen gebeten hat. {_SHOW}"
    ),
    "failed.no_effect": (f"{_THERE}Das Entfernen wurde an Genesys Cloud geschickt und blieb ohne Wirkung. {_BY_HAND}"),
    "failed.no_effect.silent": (
        f"{_THERE}Das Entfernen wurde abgeschickt, Genesys Cloud hat nicht geantwortet, und geschehen ist nichts. "
        f"{_BY_HAND}"
    ),
    "failed.no_effect.unclear": (
        f"{_THERE}Das Entfernen wurde abgeschickt, bei Genesys Cloud gab es einen Fehler, und geschehen ist "
        f"nichts. {_BY_HAND}"
    ),
    "failed.guarded": (
        "Niemand wurde entfernt: Eine Sicherheitsprüfung dieses Dienstes hat die Anfrage vor dem Absenden aufgehalten. "
        + _SHOW
    ),
    "failed.purpose": _BARRED.replace("{why}", "{who} hat eine Rolle, die dieser Dienst nicht entfernen darf")
    + _SETTING,
    "failed.last_pair": _BARRED.replace(
        "{why}", "inzwischen ist höchstens noch eine andere Person da, und das Gespräch wäre beendet"
    )
    + _SETTING,
    "failed.queue": _BARRED.replace("{why}", "aus dieser Warteschlange darf dieser Dienst niemanden entfernen")
    + _SETTING,
    "failed.division": _BARRED.replace("{why}", "in diesem Bereich darf dieser Dienst niemanden entfernen") + _SETTING,
    "failed.supervisor": _BARRED.replace("{why}", "Supervisoren darf dieser Dienst nicht entfernen") + _SETTING,
    "failed.requester": _BARRED.replace("{why}", "wer geklickt hat, darf über diesen Dienst niemanden entfernen lassen")
    + _ASK,
    "failed.poison": f"Niemand wurde entfernt: Dieser Dienst ist an dieser Anfrage dreimal gescheitert. {_SHOW_IF}",
    "unknown": (
        "Es ist nicht bekannt, ob {who} entfernt wurde: Das Entfernen wurde abgeschickt, und danach war das Gespräch "
        f"nicht mehr zu sehen. {_LOOK}"
    ),
    "unknown.conversation_not_found": (
        "Es ist nicht bekannt, ob {who} entfernt wurde: Das Entfernen wurde abgeschickt, und danach kannte Genesys "
        f"Cloud das Gespräch nicht mehr. {_LOOK}"
    ),
    "unknown.participant_lost": (
        "Es ist nicht bekannt, wo {who} ist: Die Person ist in diesem Gespräch nicht mehr aufgeführt; vielleicht "
        "wurde es mit einem anderen zusammengelegt. Bitte selbst in Genesys Cloud nachsehen, auch dort; ist die Person "
        "noch verbunden, von Hand entfernen."
    ),
    "unknown.poison": (
        "Es ist nicht bekannt, ob {who} entfernt wurde: Das Entfernen wurde abgeschickt, und danach ist dieser Dienst "
        f"an dieser Anfrage dreimal gescheitert. {_LOOK}"
    ),
    "previewed": (
        "Niemand wurde entfernt, wie gewünscht: Dies war nur eine Vorschau. Ein echter Klick würde entfernen: {who}."
    ),
    "previewed.shadow": (
        "Niemand wurde entfernt, weil dieser Dienst bisher nur zusieht (Schattenmodus). Entfernt worden wäre: {who}. "
        "Muss die Person gehen, bitte von Hand entfernen: Ein weiterer Klick würde nichts ändern."
    ),
}

ALSO: Mapping[str, str] = {
    "title": "Anrufer entfernen",
    "also.back": (
        "Dieselbe Person ist wieder im Gespräch und wurde kein zweites Mal entfernt; muss sie erneut gehen, bitte "
        "erneut klicken."
    ),
    "also.shadow": "Dieser Dienst sieht bisher nur zu (Schattenmodus).",
    "also.preview": "Dies war nur eine Vorschau.",
    "also.preview.refused": "Dies war nur eine Vorschau: Ein Klick würde aus demselben Grund abgelehnt.",
    "also.vanished": "Zur selben Zeit gegangen: {people}; bitte zurückrufen, wer nicht gehen sollte.",
    "also.vanished.all": "Zur selben Zeit gegangen: {people}.",
    "also.meanwhile": "Inzwischen gegangen: {people}; bitte zurückrufen, wer nicht gehen sollte.",
    "also.still_there": "Noch da: {people}.",
    "also.besides": "Außerdem da: {people}.",
    "also.seen": "Beim letzten Blick im Gespräch: {people}.",
    "also.would_stay": "Weiter im Gespräch wären: {people}.",
    "also.would_end": "Sonst würde niemand bleiben: Das Gespräch wäre beendet.",
    "also.ended": "Sonst ist niemand mehr da: Das Gespräch ist beendet.",
    "also.alone": "Sonst ist niemand da.",
    "also.done": "Mehr ist nicht zu tun.",
    "nobody": "niemand aufgeführt",
}

RECEIPT: Mapping[str, str] = {
    "receipt.open": "Der Klick ist angekommen und wird bearbeitet; wie es ausging, wird gesagt, sobald es feststeht.",
}

PEOPLE: Mapping[str, str] = {
    "people.customer": "der Anrufer|Anrufer|Anrufer",
    "people.external": "der externe Teilnehmer|externer Teilnehmer|externe Teilnehmer",
    "people.agent": "der Agent|Agent|Agenten",
    "people.user": "der interne Teilnehmer|interner Teilnehmer|interne Teilnehmer",
    "people.ivr": "das Sprachmenü|Sprachmenü|Sprachmenüs",
    "people.acd": "die Warteschlange|Warteschlange|Warteschlangen",
    "people.botflow": "der Bot|Bot|Bots",
    "people.voicemail": "die Sprachbox|Sprachbox|Sprachboxen",
    "people.other": (
        "der Teilnehmer mit der Rolle „{purpose}“|Teilnehmer mit der Rolle „{purpose}“|Teilnehmer mit der Rolle "
        "„{purpose}“"
    ),
    "people.unnamed": "die Person|Person|Personen",
}

OPERATOR: Mapping[str, str] = {
    "operator.disconnected": "Gesendet: {sends}; ein Blick danach zeigt die Person nicht mehr als anwesend.",
    "operator.already_gone": "Ein Blick zeigte die Person als gegangen, bevor etwas von diesem Dienst gewirkt hatte.",
    "operator.not_found": (
        "Zwei Blicke im Abstand von Sekunden zeigen in diesem Gespräch niemanden, auf den die Angabe passt."
    ),
    "operator.not_found.conversation": (
        "Auf zwei Blicke im Abstand von Sekunden hieß es, dieses Gespräch gebe es nicht: eine falsche ID, oder ein "
        "Gespräch einer anderen Organisation als „{org}“."
    ),
    "operator.refused": "Von den Regeln dieses Dienstes abgelehnt; gesendet wurde nichts.",
    "operator.refused.ambiguous": "Die Angabe passt auf mehrere Anwesende; gesendet wurde nichts.",
    "operator.refused.contradictory": "Die beiden Angaben meinen verschiedene Personen; gesendet wurde nichts.",
    "operator.refused.purpose": "Die Rolle „{purpose}“ steht nicht in {allowed_by}; gesendet wurde nichts.",
    "operator.refused.last_pair": (
        "{allowed_by} steht auf „refuse“, und höchstens eine andere Person war da; gesendet wurde nichts."
    ),
    "operator.refused.queue": "Kein Teilnehmer kam über eine Warteschlange aus {allowed_by}; gesendet wurde nichts.",
    "operator.refused.division": (
        "Die Bereiche (divisions) des Gesprächs stehen nicht in {allowed_by}, oder Genesys zeigt sie nicht; gesendet "
        "wurde nichts."
    ),
    "operator.refused.supervisor": (
        "Die Person hört mit, coacht oder schaltet sich auf (monitor, coach, barge), und {allowed_by} steht auf "
        "„refuse“; gesendet wurde nichts."
    ),
    "operator.refused.requester": (
        "Wer geklickt hat, steht nicht in {allowed_by}; es wurde weder geblickt noch gesendet."
    ),
    "operator.refused.requester_rate": (
        "Wer geklickt hat, liegt über {allowed_by}; es wurde weder geblickt noch gesendet."
    ),
    "operator.refused.dropped": "Vor dem Senden von einem Operator verworfen; im Audit steht, von wem und warum.",
    "operator.expired": (
        "Die Frist (not-after) war vorbei, bevor gesendet werden konnte. Kommt das oft vor, mehr Worker starten oder "
        "max_age der Quelle erhöhen."
    ),
    "operator.expired.paused": (
        "Angehalten, bis die Frist (not-after) vorbei war; `onhook resume` beendet die Pause von Organisation, Quelle "
        "oder allem."
    ),
    "operator.expired.runaway": (
        "Jemand hat in einer Minute so viele Entfernungen verlangt, wie sources.*.runaway nennt; das hielt die Quelle "
        "an, bis die Frist (not-after) vorbei war. Erst nachsehen, wer; `onhook resume --source` beendet die Pause."
    ),
    "operator.expired.genesys_unreachable": (
        "Kein Blick in das Gespräch gelang, bis die Frist (not-after) vorbei war; die Timeline zeigt jeden Versuch. "
        "Netz, Proxy und Adresse der Organisation „{org}“ mit `onhook check` prüfen, dazu die Statusseite des "
        "Herstellers."
    ),
    "operator.expired.busy": (
        "Das Aufrufbudget der Organisation „{org}“ war verbraucht, oder eine andere Aktion hielt das Gespräch, bis die "
        "Frist (not-after) vorbei war; die Timeline zeigt, was davon."
    ),
    "operator.failed": "Gesendet: {sends}; die Person ist noch anwesend.",
    "operator.failed.forbidden": "Der Blick in das Gespräch wurde verweigert; gesendet wurde nichts.",
    "operator.failed.rejected": "Der Blick in das Gespräch wurde abgewiesen; gesendet wurde nichts.",
    "operator.failed.genesys_refused": (
        "Gesendet: {sends}; zuletzt abgelehnt, und Blicke zeigen die Person noch als anwesend."
    ),
    "operator.failed.genesys_refused.no_route": "Gesendet wurde nichts; ein Blick zeigt die Person noch als anwesend.",
    "operator.failed.no_effect": (
        "Gesendet: {sends}; Blicke zeigen die Person als anwesend, bis nichts mehr wirken konnte."
    ),
    "operator.failed.guarded": (
        "Die Ausgangssicherung hat die Anfrage verweigert, gesendet wurde nichts: IDs oder Route passen zu keiner "
        "Form, die sie kennt. Die Meldung: {message}."
    ),
    "operator.failed.purpose": (
        "Gesendet: {sends}, ohne Wirkung; nicht wiederholt: Die Rolle „{purpose}“ steht jetzt nicht in {allowed_by}."
    ),
    "operator.failed.last_pair": "Gesendet: {sends}, ohne Wirkung; nicht wiederholt: {allowed_by} steht auf „refuse“.",
    "operator.failed.queue": (
        "Gesendet: {sends}, ohne Wirkung; nicht wiederholt: Keine seiner Warteschlangen steht jetzt in {allowed_by}."
    ),
    "operator.failed.division": (
        "Gesendet: {sends}, ohne Wirkung; nicht wiederholt: Keiner seiner Bereiche steht jetzt in {allowed_by}."
    ),
    "operator.failed.supervisor": "Gesendet: {sends}, ohne Wirkung; nicht wiederholt: {allowed_by} steht auf „refuse“.",
    "operator.failed.requester": (
        "Gesendet: {sends}, ohne Wirkung; nicht wiederholt: Wer geklickt hat, steht jetzt nicht in {allowed_by}."
    ),
    "operator.failed.poison": (
        "Drei Leases in Folge sind über dieser Aktion abgelaufen, gesendet wurde nichts: Worker sterben daran "
        "oder stehen "
        "still. Im Log nach fault.raised und nach abgeschossenen Prozessen suchen."
    ),
    "operator.unknown": "Gesendet: {sends}; fünfzehn Minuten lang danach konnte kein Blick das Gespräch sehen.",
    "operator.unknown.conversation_not_found": (
        "Gesendet: {sends}; danach hieß es auf Blicke, dieses Gespräch gebe es nicht. Das beweist nichts: Beendete "
        "bleiben wochenlang lesbar."
    ),
    "operator.unknown.participant_lost": (
        "Gesendet: {sends}; der festgehaltene Teilnehmer ist nicht mehr aufgeführt, wie nach einem Zusammenlegen, und "
        "niemand sonst passt mit Sicherheit."
    ),
    "operator.unknown.poison": (
        "Gesendet: {sends}; danach sind drei Leases in Folge über dieser Aktion abgelaufen: Worker sterben daran oder "
        "stehen still. Im Log nach fault.raised und nach abgeschossenen Prozessen suchen."
    ),
    "operator.previewed": "Eine Vorschau: Alles außer dem Senden wurde getan.",
    "operator.previewed.shadow": (
        'Schattenmodus: Alles außer dem Senden wurde getan. Mit orgs.{org}.mode = "live" wird gesendet.'
    ),
    "answer.silent": "Genesys gab keine Antwort ({answer}): Netz, Proxy und die Statusseite des Herstellers prüfen.",
    "answer.no_route": "Für dieses Entfernen gibt es keinen Aufruf: {message}.",
    "answer.unreadable": "Genesys antwortete {answer}: ein Erfolg ohne das Gespräch, wie von einem Gateway oder Proxy.",
    "answer.accepted": "Genesys antwortete {answer}; das sagt nur, dass die Anfrage angenommen wurde.",
    "answer.ended": (
        "Genesys antwortete {answer}, während Blicke die Person weiter als anwesend zeigten: Anruf und Gespräch "
        "stimmen "
        "dort nicht überein. Warum, kann der Support des Herstellers sagen."
    ),
    "answer.needs_user": (
        "Genesys antwortete {answer}: Diese Route verlangt einen Benutzer, und keine andere ist übrig. "
        "orgs.{org}.route "
        "auf auto setzen oder in orgs.{org}.on_behalf_of einen Benutzer nennen."
    ),
    "answer.login": (
        "Genesys antwortete {answer}, auch mit einem neuen Token: orgs.{org}.client_id und .client_secret prüfen, die "
        "Region, ob der OAuth-Client aktiv ist und ob er von dieser Adresse aus benutzt werden darf."
    ),
    "answer.permission": "Genesys antwortete {answer}: Der Rolle des OAuth-Clients {permission} geben{where}.",
    "answer.division": "Genesys antwortete {answer}: Der Rolle des OAuth-Clients {permission} geben{where}.",
    "answer.closed": (
        "Genesys antwortete {answer}: Das Gespräch gilt dort als beendet, oder der Rolle des OAuth-Clients fehlt "
        "{permission}{where}."
    ),
    "answer.forbidden": "Genesys antwortete {answer}: prüfen, ob die Rolle des OAuth-Clients {permission} hat{where}.",
    "answer.not_found": "Genesys antwortete {answer}: Dort gibt es dieses Gespräch oder diesen Teilnehmer nicht.",
    "answer.conflict": (
        "Genesys antwortete {answer}: Das Gespräch war in einem anderen Zustand als verlangt und blieb es über alle "
        "Versuche."
    ),
    "answer.too_many": (
        "Genesys antwortete {answer}: zu viele Aufrufe; vielleicht benutzen auch andere Programme den OAuth-Client."
    ),
    "answer.our_fault": (
        "Genesys antwortete {answer}: Die Anfrage wird so nicht angenommen, Dienst und API passen also nicht mehr "
        "zusammen. Bitte mit der Timeline melden."
    ),
    "answer.unclear": (
        "Genesys antwortete {answer} und sagte nicht, was aus der Anfrage geworden ist: ein Fehler auf jener Seite."
    ),
    "sends.0": "nichts",
    "sends.1": "einmal",
    "sends": "{count}-mal",
    "where": " im Bereich (division) „{division}“",
    "where.unnamed": " im Bereich (division) des Gesprächs",
    "any_of": "eine von {permission}",
    "correlation": "Für den Support des Herstellers: Correlation-ID {correlation}.",
}

SENTENCES: Mapping[str, str] = {**TICKET, **ALSO, **RECEIPT, **PEOPLE, **OPERATOR}
