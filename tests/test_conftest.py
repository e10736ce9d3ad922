"""What conftest sets up for every test is set up."""

import os

import hypothesis


async def test_async_tests_run_on_asyncio(anyio_backend: str) -> None:
    """An async test runs without a mark, once, on asyncio."""
    assert anyio_backend == "asyncio"


def test_coverage_does_not_follow_processes() -> None:
    """A process that a test starts is not counted by the coverage: nothing saw what it did."""
    assert not {name for name in os.environ if name.startswith("COVERAGE_PROCESS")}


def test_generated_tests_have_no_deadline() -> None:
    """A generated test that the machine slows down does not fail for it."""
    assert hypothesis.settings().deadline is None
