"""Terms with one limit, said by the org or by the source: every test of a policy asks both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from service.core import model as m

SECTIONS = {"policy": "orgs.main", "narrowed_by": "sources.desk"}


def with_limits(section: str, **said: Any) -> m.Terms:  # noqa: ANN401 - any field of Limits
    """The terms of a live org, with these limits in one of its two sections."""
    terms = m.Terms()
    if section == "policy":
        return replace(terms, policy=replace(terms.policy, **said))
    return replace(terms, narrowed_by=replace(terms.narrowed_by, **said))
