"""What the operator said, from onhook.toml and the environment, as one frozen value."""

from service.settings.console import CONSOLE_NAME, ConsoleSettings
from service.settings.files import LARGEST_FILE
from service.settings.reading import (
    CONFIG,
    FROM_FILE,
    PREFIX,
    STATE_DIR,
    inherited_environment,
    read,
    state_dir,
)
from service.settings.sections import (
    DoorSettings,
    LogSettings,
    OrgSettings,
    OutboundSettings,
    RedisSettings,
    RetentionSettings,
    Settings,
    address_in,
    split_address,
    url_of,
)

__all__ = [
    "CONFIG",
    "CONSOLE_NAME",
    "FROM_FILE",
    "LARGEST_FILE",
    "PREFIX",
    "STATE_DIR",
    "ConsoleSettings",
    "DoorSettings",
    "LogSettings",
    "OrgSettings",
    "OutboundSettings",
    "RedisSettings",
    "RetentionSettings",
    "Settings",
    "address_in",
    "inherited_environment",
    "read",
    "split_address",
    "state_dir",
    "url_of",
]
