"""The register: every kind of ticketing system there is.

Another one that settings can describe is one TOML file in `presets`; one that needs code is a file and a line here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from service.core.ports import Source
from service.sources import generic, presets, servicenow, slack, standard
from service.sources.desk import Outside
from service.sources.options import SourceOptions

Options = TypeVar("Options", bound=SourceOptions)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Options]):
    """One kind of source.

    Attributes:
        options: reads its settings; every fault is a ValidationError in words.
        build: makes a source of its configured name, its options, and what it needs from outside.
    """

    options: type[Options]
    build: Callable[[str, Options, Outside], Source]


KINDS: Final[Mapping[str, Kind[Any]]] = {
    "servicenow": Kind(servicenow.Options, servicenow.ServiceNow),
    "standard": Kind(standard.Options, standard.StandardWebhooks),
    "slack": Kind(slack.Options, slack.Slack),
    "generic": Kind(generic.Options, generic.Generic),
    **dict.fromkeys(sorted(presets.NAMES), Kind(generic.Options, generic.Generic)),
}

__all__ = ["KINDS", "Kind", "Outside", "SourceOptions"]
