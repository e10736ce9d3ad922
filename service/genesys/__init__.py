"""One org's Genesys Cloud: it can be looked at, and one participant can be removed. Nothing else can be asked of it."""

from service.genesys.client import GenesysCloud
from service.genesys.options import GenesysOptions

__all__ = ["GenesysCloud", "GenesysOptions"]
