#!/bin/sh
# One step of a pipeline: removes one person from a Genesys Cloud conversation, and says by how it ends whether to go on.
#
#   ./pipeline-step.sh CONVERSATION_ID +14155550123
#
# `onhook send` needs no settings: only where the door is, and the secret of the source in a file.
set -u
status=0
onhook send --url "${DOOR:?where the public door is: https://onhook.example}" --source "${SOURCE:?the name of the source}" \
  --secret-file "${SECRET_FILE:?the file with its secret}" --conversation "$1" --phone "$2" --wait "${WAIT_SECONDS:-60}" ||
  status=$?
case $status in
  0) echo "go on: the person is not in the conversation any more (in shadow mode: nobody was removed)" ;;
  10) echo "go on: the person was not in the conversation" ;;
  11) echo "stop: the rules refuse it, or several people fit; the sentence above says which" ;;
  12) echo "stop: it was too late; run the step again if it is still wanted" ;;
  4 | 14) echo "stop: nobody knows yet; look at the conversation before anything else" ;;
  *) echo "stop: not done" ;;
esac
[ "$status" -eq 10 ] || exit "$status"
