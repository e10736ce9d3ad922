"""The mutants that the tests of their room let pass, and why: what each changes, and why nobody sees it or need not."""

from __future__ import annotations

from collections.abc import Mapping

_FURTHER_DOWN = "the row that is met further down the table means the same: it says by name what is rarely seen"
_NOT_ONCE = "a header that is missing is refused for that, whatever was compared in its place"
_TO_THE_TICK = "differs where two readings of a clock are apart by that to the last bit; no time of ours is so exact"
_AS_MANY = "there are as many of the one as of the other: answers to questions, values to the names of settings"
_NO_MOMENT = "x is as little a moment as nothing is, and is refused in the same words"

ARGUED: Mapping[str, Mapping[str, str]] = {
    "signing": {
        "sources/signing.py Keyring.verify: b'' -> b'x'": _NOT_ONCE,
        "sources/signing.py Keyring.verify: b'' -> b'x' (2)": _NOT_ONCE,
        "sources/signing.py Keyring.verify: b'' -> b'x' (3)": _NOT_ONCE,
        "sources/signing.py Keyring.verify: b'' -> b'x' (5)": _NO_MOMENT,
        "sources/signing.py _said: b'' -> b'x'": _NO_MOMENT,
    },
    "guard": {},
    "core": {
        "core/filling.py is_filled: True -> False": "the lengths were compared the line before",
        "core/rules.py _blind: 9 -> (10)": "it is thirty seconds from the sixth look on; nine keeps the power small",
    },
    "flow": {
        "flow/removal.py Attempt._give_back: self._place.clock.monotonic() < ends"
        " -> (self._place.clock.monotonic() <= (ends))": _TO_THE_TICK,
        "flow/removal.py Attempt._is_old: self._place.clock.monotonic() - self._looked > WAIT_HERE_SECONDS"
        " -> (self._place.clock.monotonic() - self._looked >= (WAIT_HERE_SECONDS))": _TO_THE_TICK,
        "flow/review.py : 100 -> (101)": "how much of the audit is read at once shows in nothing that is read",
        "flow/spans.py of_attempt: 0 -> (1)": "the number keeps parts of one name apart, and an attempt has one claim",
    },
    "store": {
        "store/client.py Link.ask: '' -> 'x'": "where no word names an org, any node of a Cluster may answer",
        "store/forgetting.py Forgetting._leading: True -> False": _AS_MANY,
        "store/forgetting.py Wanted.names: '0' -> '00'": "it strips each of these characters, once or twice named",
        "store/health.py _rehearsal: '' -> 'x' (2)": "the base of an org's keys: the probe's script makes no key of it",
        "store/health.py _settings: False -> True": _AS_MANY,
        "store/launcher.py _tie: 0 -> (1) (2)": "of this call the kernel reads the signal alone",
        "store/records.py action_in: '0' -> '00'": "00 is the same number",
        "store/sentinel.py Sentinels.together: 0 -> (1)": "any number will do that is always the same",
    },
    "genesys": {
        "genesys/answers.py : 413 -> (414)": _FURTHER_DOWN,
        "genesys/answers.py : 415 -> (416)": _FURTHER_DOWN,
        "genesys/answers.py : 502 -> (503)": _FURTHER_DOWN,
        "genesys/answers.py : 503 -> (504)": _FURTHER_DOWN,
        "genesys/limits.py Limits.__init__: 0.0 -> (1.0)": "differs in the first second after the machine's start only",
        "genesys/limits.py Limits.told: 0.0 -> (1.0)": "where nothing was told, nothing is returned, whatever is left",
    },
}
