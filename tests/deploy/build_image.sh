#!/usr/bin/env bash
# Builds deploy/Dockerfile where no Docker engine is, and runs what was built: as root on Debian, with buildah and
# debootstrap installed (apt-get install buildah debootstrap). The base is made here: a Debian of this machine's release
# with its Python. Says what it found as lines `fact NAME VALUE` on standard output, everything else on standard error.
#   bash tests/deploy/build_image.sh [FOLDER to work in, kept]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$(mktemp -d)}
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mkdir -p "$folder"
[ -n "${1:-}" ] || trap 'rm -rf "$folder"' EXIT
exec 3>&1 1>&2
fact() { printf 'fact %s %s\n' "$1" "$2" >&3; }
# files in a folder of its own, and no kernel features that a machine inside a machine lacks
images() { buildah --storage-driver vfs --root "$folder/images" --runroot "$folder/run" "$@"; }
# certificates that this machine trusts and a fresh Debian does not: seen while it is built, left in no layer
trusted=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
seen=(--isolation chroot --network host --volume "$trusted:/etc/ssl/certs/ca-certificates.crt:ro")

echo "== a base with Python"
base=onhook-base:$release
if ! images inspect --type image "$base" >/dev/null; then
  [ -e "$folder/base" ] || debootstrap --variant=minbase \
    --include=python3,python3-venv,python-is-python3,ca-certificates "$release" "$folder/base.new" >"$folder/debootstrap.log"
  [ -e "$folder/base" ] || mv "$folder/base.new" "$folder/base"
  empty=$(images from scratch)
  images add --quiet "$empty" "$folder/base" /
  images config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd bash "$empty"
  images commit --quiet --rm "$empty" "$base"
fi

echo "== the image, of what is committed"
rm -rf "$folder/source" && mkdir "$folder/source"
git -C "$top" archive HEAD | tar --extract --directory "$folder/source"
revision=$(git -C "$top" rev-parse HEAD)
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$folder/pip.conf"
# in Docker's own format: the other one has no place for a health check
images bud --format docker "${seen[@]}" --secret "id=pip.conf,src=$folder/pip.conf" --build-arg "PYTHON=$base" \
  --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/pyproject.toml")" --build-arg "REVISION=$revision" \
  --build-arg "CREATED=$(git -C "$top" show --no-patch --format=%cI HEAD)" \
  --file "$folder/source/deploy/Dockerfile" --tag onhook "$folder/source"
images inspect --type image onhook >"$folder/image.json"
said() { python3 -c "import json, sys; said = json.load(open(sys.argv[1])); print($1)" "$folder/image.json"; }
fact commit "$revision"
fact revision "$(said 'said["OCIv1"]["config"]["Labels"]["org.opencontainers.image.revision"]')"
fact user "$(said 'said["OCIv1"]["config"]["User"]')"
fact entrypoint "$(said '" ".join(said["OCIv1"]["config"]["Entrypoint"])')"
fact healthcheck "$(said '" ".join(said["Docker"]["config"]["Healthcheck"]["Test"])')"
fact architecture "$(said 'said["OCIv1"]["architecture"]')"

echo "== what it is made of"
running=$(images from onhook)
root=$(images mount "$running")
fact base_mebibytes "$(du -sm "$folder/base" | cut -f1)"
fact added_mebibytes "$(du -sm "$root/opt/onhook" | cut -f1)"
fact packages "$(ls -d "$root"/opt/onhook/lib/python3*/site-packages/*.dist-info | wc -l)"
fact installers "$(find "$root/opt/onhook" -path '*/bin/pip*' -o -path '*/site-packages/pip' | wc -l)"
fact pip_conf "$([ -s "$root/etc/pip.conf" ] && echo left || echo none)"
fact not_compiled "$(cd "$root"/opt/onhook/lib/python3*/site-packages && find service -name '*.py' | while read -r one; do
  ls "${one%/*}/__pycache__/$(basename "$one" .py)".*.pyc >/dev/null 2>&1 || echo "$one"
done | wc -l)"

echo "== the same dependencies for the other kind of machine"
python3 -m venv "$folder/pip"
for machine in x86_64 aarch64; do
  PIP_CONFIG_FILE=$folder/pip.conf "$folder/pip/bin/pip" download --quiet --no-deps --require-hashes --only-binary :all: \
    --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" --python-version 3.13 \
    --dest "$folder/$machine" --requirement "$top/deploy/requirements.txt"
  fact "wheels_$machine" "$(ls "$folder/$machine" | wc -l)"
done

echo "== run by buildah, as the image says"
fact version "$(images run "${seen[@]:0:2}" --cap-drop all "$running" -- onhook --version)"
fact uid "$(images run "${seen[@]:0:2}" --cap-drop all "$running" -- id -u)"

echo "== a Redis beside it, in a container that is made of it"
played=$(images from onhook)
stage=$(images mount "$played")
printf '#!/bin/sh\nexit 101\n' >"$stage/usr/sbin/policy-rc.d" && chmod 755 "$stage/usr/sbin/policy-rc.d" # starts nothing
# from where this machine has its own
cp -r /etc/apt/apt.conf.d "$stage/etc/apt/"
for it in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
  [ ! -e "$it" ] || cp "$it" "$stage$it"
done
images run "${seen[@]}" --user root "$played" -- sh -c 'apt-get update -qq && apt-get install -qq --no-install-recommends redis-server >/dev/null'

echo "== run with a root that cannot be written, no capability and no way to one"
# what \`docker run --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp\` does, by hand
cat >"$folder/locked" <<'LOCKED'
set -eu
root=$1; shift
mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp" && mount -t tmpfs -o mode=750,uid=10001,gid=10001 tmpfs "$root/var/lib/onhook"
exec chroot "$root" setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  env -i PATH=/opt/onhook/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
  ONHOOK_STATE_DIR=/var/lib/onhook "$@"
LOCKED
locked() { unshare --mount --pid --fork --kill-child sh "$folder/locked" "$stage" "$@"; }
fact capabilities "$(locked grep -E '^Cap(Eff|Bnd)' /proc/self/status | awk '{print $2}' | sort -u | paste -sd ' ')"
fact new_privileges "$(locked grep NoNewPrivs /proc/self/status | awk '{print $2 ? "never" : "possible"}')"
fact writable "$(locked find / -xdev -writable ! -type l 2>/dev/null | paste -sd ' ' || true)"
fact demo "$(locked onhook demo --once --json | tail -n 1)"
# and as a service: it says that it lives, and ends when it is told to
fact healthy "$(locked sh -c '
  cd "$(mktemp -d)"; onhook up --sandbox >said 2>log & pid=$!
  tries=0; until onhook healthy; do tries=$((tries + 1)); [ $tries -lt 60 ] || { cat said log >&2; exit 1; }; sleep 0.5; done
  kill $pid; wait $pid && echo "ended with 0"' 2>"$folder/health.log" | paste -sd ' ')"
images rm "$running" "$played" >/dev/null
