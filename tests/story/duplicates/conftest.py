"""The stage and the clock of the flow's tests: the real intake, rules and scripts, and nobody has to wait."""

from tests.flow.conftest import anyio_backend, stage

__all__ = ["anyio_backend", "stage"]
