#!/bin/sh
# Asks Onhook to remove one person from a Genesys Cloud conversation; needs curl and openssl, nothing else.
#
#   REMOVE_CALLER_URL=https://onhook.example/webhooks/NAME REMOVE_CALLER_SECRET_FILE=secret \
#     ./remove-caller.sh CONVERSATION_ID caller_phone +14155550123
#
# The person is named by caller_phone, participant_id, user_id or external_contact_id. Prints the answer, and ends as
# README.md beside this file says. openssl takes the key as an argument, which other users of the machine can see while
# it runs: use remove_caller.py or remove-caller.mjs where that matters.
set -eu
url=${REMOVE_CALLER_URL:?where the webhook goes: https://onhook.example/webhooks/NAME}
secret=$(cat "${REMOVE_CALLER_SECRET_FILE:?the file with the secret of the source, whsec_…}")
[ $# -eq 3 ] || { echo "usage: $0 CONVERSATION_ID caller_phone|participant_id|user_id|external_contact_id VALUE" >&2; exit 2; }

# the id of this click: whatever is repeated below carries it, and counts once
id=msg_$(openssl rand -hex 16)
stamp=$(date +%s)
clicked=$(date -u +%Y-%m-%dT%H:%M:%SZ)
body='{"type":"caller.remove","timestamp":"'$clicked'","data":{"conversation_id":"'$1'","'$2'":"'$3'"}}'
key=$(printf %s "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
signature=$(printf %s "$id.$stamp.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)

# repeated with the same id and bytes: no answer, 408, 429 (which says when) and 5xx; the outcome is waited for, up to 20 seconds
answer=$(curl -sS --retry 5 --retry-all-errors --max-time 30 --retry-max-time 60 -w '\n%{http_code}' "$url" \
  -H 'content-type: application/json' -H 'prefer: wait=20' \
  -H "webhook-id: $id" -H "webhook-timestamp: $stamp" -H "webhook-signature: v1,$signature" --data-binary "$body") || exit 3
printf '%s\n' "$answer" | sed '$d'
case $(printf %s "$answer" | tail -n 1) in 2??) ;; *) exit 3 ;; esac
case $(printf %s "$answer" | sed -n 's/.*"outcome":{[^}]*"kind":"\([a-z_]*\)".*/\1/p') in
  disconnected | already_gone | previewed) exit 0 ;;
  '') exit 4 ;; # accepted, and still at it: the link in the answer tells
  not_found) exit 10 ;;
  refused) exit 11 ;;
  expired) exit 12 ;;
  failed) exit 13 ;;
  *) exit 14 ;;
esac
