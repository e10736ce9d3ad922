#!/usr/bin/env node
// Asks Onhook to remove one person from a Genesys Cloud conversation; needs Node 18 and nothing from npm.
//
//   REMOVE_CALLER_URL=https://onhook.example/webhooks/NAME REMOVE_CALLER_SECRET_FILE=secret \
//     node remove-caller.mjs CONVERSATION_ID caller_phone +14155550123
//
// The person is named by caller_phone, participant_id, user_id or external_contact_id. Prints the answer, and ends as
// README.md beside this file says. `remove` is what a program of one's own takes over.

import { createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

const EXIT_CODES = {
  disconnected: 0, already_gone: 0, previewed: 0, not_found: 10, refused: 11, expired: 12, failed: 13, unknown: 14,
}
const NOT_ACCEPTED = 3
const NO_OUTCOME = 4
const NAMES = ['caller_phone', 'participant_id', 'user_id', 'external_contact_id']
const TRIES = 6
const LATER = [429, 503]

/**
 * Signs and posts one click; resolves to the status and what was answered.
 * Whatever is repeated in here carries one id, and counts once: no answer, a 429 and a 503 are tried again.
 */
export async function remove(url, secret, conversationId, person) {
  const click = {
    type: 'caller.remove',
    timestamp: new Date().toISOString(),
    data: { conversation_id: conversationId, ...person },
  }
  const body = JSON.stringify(click)
  const id = `msg_${randomUUID()}`
  for (let triesLeft = TRIES - 1; ; triesLeft -= 1) {
    let pause = 1
    try {
      const signal = AbortSignal.timeout(30_000)
      const answer = await fetch(url, { method: 'POST', headers: signed(secret, id, body), body, signal })
      if (!LATER.includes(answer.status) || triesLeft === 0) {
        return { status: answer.status, said: JSON.parse((await answer.text()) || '{}') }
      }
      pause = Number(answer.headers.get('retry-after')) || pause
    } catch (fault) {
      if (triesLeft === 0 || fault instanceof SyntaxError) throw fault
    }
    await new Promise((resolve) => setTimeout(resolve, pause * 1000))
  }
}

/** The headers of a delivery, signed by Standard Webhooks at this moment. */
function signed(secret, id, body) {
  const stamp = Math.floor(Date.now() / 1000)
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const mac = createHmac('sha256', key).update(`${id}.${stamp}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    prefer: 'wait=20', // for the outcome; without it the answer is the receipt alone
    'webhook-id': id,
    'webhook-timestamp': String(stamp),
    'webhook-signature': `v1,${mac}`,
  }
}

async function main() {
  const [conversationId, namedBy, value, ...more] = process.argv.slice(2)
  if (!NAMES.includes(namedBy) || !value || more.length) {
    console.error(`usage: remove-caller.mjs CONVERSATION_ID ${NAMES.join('|')} VALUE`)
    return 2
  }
  const secret = readFileSync(process.env.REMOVE_CALLER_SECRET_FILE, 'utf8').trim()
  let answer
  try {
    answer = await remove(process.env.REMOVE_CALLER_URL, secret, conversationId, { [namedBy]: value })
  } catch (fault) {
    console.error(`no answer: ${fault.cause ?? fault}`)
    return NOT_ACCEPTED
  }
  console.log(JSON.stringify(answer.said))
  if (answer.status >= 300) return NOT_ACCEPTED
  const { outcome } = answer.said
  return outcome ? (EXIT_CODES[outcome.kind] ?? EXIT_CODES.unknown) : NO_OUTCOME
}

if (process.argv[1] === new URL(import.meta.url).pathname) process.exitCode = await main()
