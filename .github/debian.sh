#!/usr/bin/env bash
# Runs a command as root on a bare Debian 12 with the one Python that $PYTHON names: what .ci/run asks for. Servers that
# were built lie packed in .servers/, each a tar with one program in it, and are tested too.
#   PYTHON=3.13 bash .github/debian.sh bash .ci/run
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

given=
for packed in "$top"/.servers/*.tar; do
  [ -e "$packed" ] || continue
  name=$(basename "$packed" .tar)
  mkdir -p "$top/.servers/$name"
  tar --extract --file "$packed" --directory "$top/.servers/$name"
  given+="${given:+:}/onhook/.servers/$name/$(tar --list --file "$packed")"
done

# --init: what a test left behind is reaped; --shm-size: the browser; GIT_CONFIG_…: the checkout is not root's
docker run --rm --init --shm-size 1g --volume "$top:/onhook" --workdir /onhook \
  --env CI=true --env UV_PYTHON="$PYTHON" --env SERVERS_UNDER_TEST="$given" --env BRAND \
  --env GIT_CONFIG_COUNT=1 --env GIT_CONFIG_KEY_0=safe.directory --env GIT_CONFIG_VALUE_0=/onhook \
  "python:$PYTHON-bookworm" "$@"
