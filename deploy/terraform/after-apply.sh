#!/usr/bin/env bash
# The step after `terraform apply`, run where that was run: writes the secret into a file that only its owner can read,
# begins an onhook.toml where there is none, and asks Genesys Cloud and Redis whether all is well. Says what to export,
# and ends, as `onhook check` does: 0 all is well, 1 something is to be mended, 2 the settings cannot be used.
#   ONHOOK_REDIS__URL=… bash after-apply.sh FOLDER
set -euo pipefail
folder=$(mkdir -p "${1:?the folder for onhook.toml and the secret}" && cd "$1" && pwd)
umask 077

settings=$(terraform output -raw onhook_toml)
if ! client_secret=$(terraform output -raw client_secret); then
  echo "there is no output client_secret (secret_in_state = false?): put the secret that you made into a file yourself" >&2
  exit 2
fi
org=$(sed -n 's/^\[orgs\.\(.*\)\]$/\1/p' <<<"$settings")
client=$(grep '^client_id = ' <<<"$settings")
# what somebody wrote is not written over: it may have sources in it
if [ ! -e "$folder/onhook.toml" ]; then
  printf '%s\n' "$settings" >"$folder/onhook.toml"
elif ! grep -qxF "$client" "$folder/onhook.toml"; then
  printf '%s is there, and does not say:\n%s\n' "$folder/onhook.toml" "$settings" >&2
  exit 2
fi

secret=$folder/$org-client-secret
rm -f "$secret" # an older one keeps the rights it was made with
printf %s "$client_secret" >"$secret"

export ONHOOK_CONFIG="$folder/onhook.toml"
name=ONHOOK_ORGS__$(tr 'a-z-' 'A-Z_' <<<"$org")__CLIENT_SECRET_FILE
printf 'export ONHOOK_CONFIG=%q %s=%q\n' "$ONHOOK_CONFIG" "$name" "$secret" >&2
export "$name=$secret"
exec onhook check --json
