"""The mutants that the tests of their room let pass, and why: what each changes, and why nobody sees it or need not."""

from __future__ import annotations

from collections.abc import Mapping

ARGUED: Mapping[str, Mapping[str, str]] = {
    "signing": {},
    "guard": {},
    "core": {},
    "flow": {},
    "store": {},
    "genesys": {},
}
