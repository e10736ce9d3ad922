"""The senders play where the flow's stories do: time passes when everybody waits, and the store is a real one."""

from tests.flow.conftest import anyio_backend, stage

__all__ = ["anyio_backend", "stage"]
