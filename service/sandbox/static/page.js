"use strict";
// Draws the state of the sandbox, twice a second. Whatever comes from there is set as text, never as markup.

const byId = (id) => document.getElementById(id);
const rows = new Map(); // participant id → its element, kept so that a drop is seen as a change
let token = "";
let sentences = new Map();

function made(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const clock = (at) => new Date(at * 1000).toLocaleTimeString();
// ids cut short, and a place to break the line before each slash
const shortened = (path) => path.replace(/([0-9a-f]{8})(?:-[0-9a-f-]{27}|[0-9a-f]{24})/gi, "$1…").replaceAll("/", "\u200b/");
const ago = (seconds) => (seconds < 100 ? `${Math.max(0, Math.round(seconds))} s ago` : `${Math.round(seconds / 60)} min ago`);

async function ask(path, method = "GET", body = undefined, headers = {}) {
  const answer = await fetch(path, { method, body, headers });
  const text = await answer.text();
  if (!answer.ok) {
    let said = text.slice(0, 200);
    try { said = JSON.parse(text).error ?? JSON.parse(text).message ?? said; } catch { /* not JSON: as it came */ }
    throw Object.assign(new Error(`${answer.status} ${said}`), { status: answer.status });
  }
  return text ? JSON.parse(text) : null;
}

async function logIn() {
  const keys = await ask("/sandbox/credentials");
  const basic = "Basic " + btoa(`${keys.client_id}:${keys.client_secret}`);
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  token = (await ask("/oauth/token", "POST", form, { Authorization: basic })).access_token;
}

// the very call that is right: one participant, by the generic route
async function remove(conversation, person) {
  const path = `/api/v2/conversations/${conversation}/participants/${person}`;
  const send = () => ask(path, "PATCH", '{"state":"disconnected"}',
    { Authorization: `Bearer ${token}`, "Content-Type": "application/json" });
  if (!token) await logIn();
  try { await send(); } catch (error) {
    if (error.status !== 401) throw error;
    await logIn();
    await send();
  }
}

function happen(conversation, event, person) {
  const body = JSON.stringify({ event, participant_id: person });
  return ask(`/sandbox/conversations/${conversation}/events`, "POST", body);
}

async function act(promise) {
  byId("trouble").textContent = "";
  try { await promise; } catch (error) { byId("trouble").textContent = error.message; }
  await draw();
}

function button(text, title, onClick) {
  const it = made("button", "", text);
  it.type = "button";
  it.title = title;
  it.addEventListener("click", onClick);
  return it;
}

function row(conversation, person) {
  const item = made("li", "person");
  item.append(made("span", "who"), made("span", "state"), made("span", "what"), made("span", "acts"));
  item.querySelector(".acts").append(
    button("Remove", "PATCH this participant, as a client would", () => act(remove(conversation, person.id))),
    button("Hangs up", "Let this person hang up", () => act(happen(conversation, "hangup", person.id))),
  );
  return item;
}

function fillRow(item, person, at) {
  const legs = person.media.map((medium, index) => `${medium} ${person.seen_states[index]}`).join(", ") || "no leg yet";
  const wasHere = item.dataset.present;
  const flags = [...new Set(person.flags.flatMap((one) => Object.keys(one).filter((name) => one[name])))];
  item.querySelector(".who").textContent = person.name ?? "Nameless";
  item.querySelector(".what").textContent = [person.purpose, person.address, `readers see: ${legs}`, ...flags]
    .filter(Boolean).join(" · ");
  item.querySelector(".state").textContent = person.present ? "present"
    : person.ended_at === null ? "not here yet" : `gone: ${person.disconnect_type}, ${ago(at - person.ended_at)}`;
  item.querySelector(".acts").hidden = !person.present;
  item.classList.toggle("gone", !person.present);
  if (wasHere === "true" && !person.present) item.classList.add("dropped");
  item.dataset.present = String(person.present);
}

function card(conversation, at) {
  const key = `c${conversation.conversation_id}`;
  const element = rows.get(key) ?? made("article", "card");
  if (!rows.has(key)) {
    const title = made("h3");
    const link = made("a", "", conversation.conversation_id);
    link.href = `/sandbox/conversations/${conversation.conversation_id}`;
    title.append(link, made("span", "", conversation.scenario ?? ""));
    element.append(title, made("p", "small", "Nobody is listed."), made("ul"));
    rows.set(key, element);
  }
  const items = conversation.participants.map((person) => {
    const id = key + person.id;
    if (!rows.has(id)) rows.set(id, row(conversation.conversation_id, person));
    fillRow(rows.get(id), person, at);
    return rows.get(id);
  });
  element.querySelector("p").hidden = items.length > 0;
  settle(element.querySelector("ul"), items);
  return element;
}

// replaces children only where they changed, so that focus and animations survive
function settle(parent, children) {
  if (parent.children.length !== children.length || children.some((it, index) => parent.children[index] !== it)) {
    parent.replaceChildren(...children);
  }
}

function callRow(call) {
  const line = made("tr");
  const what = made("td", "", `${call.method} ${shortened(call.path)}`);
  if (call.explanation) what.append(made("div", "said", call.explanation));
  what.title = [`${call.method} ${call.path}`, call.body, call.correlation_id].filter(Boolean).join("\n");
  const effect = call.effect === true ? "changed" : call.effect === false ? "no effect" : "–";
  const status = made("td", call.status === null || call.status >= 400 ? "bad" : "", call.status ?? "cut");
  line.append(made("td", "", clock(call.at)), what, status, made("td", call.effect === true ? "changed" : "", effect));
  if (call.then) line.lastChild.textContent += `, then ${call.then}`;
  return line;
}

function ticketCard(ticket) {
  const element = made("article", "card");
  element.append(made("h3", "", `${ticket.number} (${ticket.table})`));
  if (!ticket.work_notes.length) element.append(made("p", "small", "No note yet."));
  for (const note of ticket.work_notes) {
    element.append(made("p", "small", `${clock(note.at)}, ${note.by}`), made("div", "note", note.text));
  }
  return element;
}

let last = "";
async function draw() {
  const state = await ask("/sandbox/state");
  byId("world").textContent = `world: ${state.world}`;
  settle(byId("conversations"), state.conversations.map((one) => card(one, state.at)));
  byId("no-conversation").hidden = state.conversations.length > 0;
  const rest = JSON.stringify([state.calls, state.tickets]);
  if (rest === last) return;
  last = rest;
  byId("calls").replaceChildren(...state.calls.map(callRow));
  byId("call-table").hidden = !(byId("no-call").hidden = state.calls.length > 0);
  byId("tickets").replaceChildren(...state.tickets.map(ticketCard));
  byId("no-ticket").hidden = state.tickets.length > 0;
}

async function watch() {
  try {
    await draw();
    if (byId("trouble").dataset.away) { byId("trouble").textContent = ""; delete byId("trouble").dataset.away; }
  } catch (error) {
    byId("trouble").textContent = `The sandbox does not answer: ${error.message}`;
    byId("trouble").dataset.away = "yes";
  }
  setTimeout(watch, 500);
}

async function begin() {
  const { scenarios } = await ask("/sandbox/scenarios");
  sentences = new Map(scenarios.map((one) => [one.name, one.sentence]));
  byId("scenario").replaceChildren(...scenarios.map((one) => new Option(one.name, one.name)));
  const tell = () => { byId("sentence").textContent = sentences.get(byId("scenario").value) ?? ""; };
  byId("scenario").addEventListener("change", tell);
  byId("start").addEventListener("submit", (event) => {
    event.preventDefault();
    act(ask("/sandbox/conversations", "POST", JSON.stringify({ scenario: byId("scenario").value })));
  });
  tell();
}

begin().catch((error) => { byId("trouble").textContent = error.message; });
watch();
