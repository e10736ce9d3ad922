"""What a test needs that not every machine has: without it the test skips and says why; in CI that is a failure."""

import importlib.util
import os
import shutil

import pytest


def needs(*tools: str) -> str:
    """Return where the first of some tools is: programs on the PATH, or importable modules; any one of them will do.

    Skips the test that asks (or the module, where it asks at the top) when there is none. With CI=true it fails: there
    everything is installed, and a test that is quietly skipped is a promise that nobody holds.
    """
    for tool in tools:
        spec = importlib.util.find_spec(tool) if tool.isidentifier() else None
        # a module that several packages make up together is in no file, but in folders
        places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
        if found := shutil.which(tool) or next(filter(None, places), None):
            return found
    reason = f"needs {' or '.join(tools)}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI installs everything", pytrace=False)
    pytest.skip(reason, allow_module_level=True)
