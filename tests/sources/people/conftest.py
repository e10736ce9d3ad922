"""The stories of people who read our answer run where those of the flow do: real flow and store, before a sandbox."""

from tests.flow.conftest import anyio_backend, stage

__all__ = ["anyio_backend", "stage"]
