"""The stories of the presets run where those of the flow do: the real flow and store, before a sandbox."""

from tests.flow.conftest import anyio_backend, stage

__all__ = ["anyio_backend", "stage"]
