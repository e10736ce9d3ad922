// Keeps parts of a page as they are now: <div data-live="/console/…" data-every="2"> is asked for again and replaced by
// what comes. An answer "as it was" (304) costs nothing. A button stops all of it and lets it go on; when the service
// does not answer it is asked less and less often, and the page says how old it is.

const SLOWEST = 60;
const LEAVING = 10_000;
const parts = [...document.querySelectorAll("[data-live]")].map((element) => ({ element, etag: "", every: 0, wait: 0, at: 0 }));
const status = document.querySelector("[data-live-status]");
const button = document.querySelector("[data-live-pause]");
let isPaused = false;
let leavingAt = 0;
let lastAt = Date.now();
let isFailing = false;

const clock = (at) => new Date(at).toLocaleTimeString([], { hour12: false });

const tell = () => {
  document.body.classList.toggle("stale", isFailing);
  if (!status) return;
  const said = isPaused
    ? `Updates paused, as of ${clock(lastAt)}`
    : isFailing
      ? `No answer since ${clock(lastAt)}; trying again`
      : `Updated ${clock(lastAt)}`;
  // a screen reader tells what is the matter, and not each few seconds that nothing is
  status.setAttribute("aria-live", isPaused || isFailing ? "polite" : "off");
  if (status.textContent !== said) status.textContent = said;
};

// what a reader has in hand is not taken away: a focused line keeps its focus, an open detail stays open, and while
// somebody writes into a form, has marked a text or holds a button down, the part waits; paused, it stays as it was, also
// when an answer was under way
const isBusy = (element) => {
  const active = document.activeElement;
  const chosen = getSelection();
  return (
    isPaused ||
    element.matches(":active") ||
    (element.contains(active) && active.matches("input, textarea, select")) ||
    (!chosen.isCollapsed && element.contains(chosen.anchorNode)) ||
    document.querySelector("dialog[open]") !== null
  );
};

const replace = (element, html) => {
  const key = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const open = new Set([...element.querySelectorAll("details[open][id]")].map((one) => one.id));
  // parsed apart from the page: what comes is our own escaped page, and no script in it would run here either
  const made = new DOMParser().parseFromString(html, "text/html");
  element.replaceChildren(...made.body.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (key) [...element.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === key)?.focus();
  element.dispatchEvent(new CustomEvent("onhook:replaced", { bubbles: true }));
};

const ask = async (part) => {
  const headers = { "X-Onhook-Live": "1", ...(part.etag ? { "If-None-Match": part.etag } : {}) };
  const answer = await fetch(part.element.dataset.live, { headers, cache: "no-store", signal: AbortSignal.timeout(10_000) });
  if (answer.status === 401) {
    // the session is over: the page that is loaded anew leads to the login; but who logs out is on his way there
    if (Date.now() - leavingAt > LEAVING) location.reload();
    return;
  }
  if (answer.status !== 304) {
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const html = await answer.text();
    if (isBusy(part.element)) return;
    part.etag = answer.headers.get("ETag") ?? "";
    replace(part.element, html);
  }
  lastAt = Date.now();
};

const turn = async (part) => {
  const every = Number(part.element.dataset.every) || 2;
  if (!isPaused && !document.hidden) {
    try {
      await ask(part);
      part.wait = every;
      isFailing = false;
    } catch {
      part.wait = Math.min((part.wait || every) * 2, SLOWEST);
      isFailing = true;
    }
    tell();
  }
  setTimeout(turn, (part.wait || every) * 1000, part);
};

const pause = (wanted) => {
  isPaused = wanted;
  if (button) {
    // not a bare “Pause”: beside a button that pauses an org, that is the wrong one to press at night
    button.textContent = isPaused ? "Resume updates" : "Pause updates";
  }
  tell();
};

addEventListener("beforeunload", () => {
  leavingAt = Date.now();
});

if (parts.length) {
  for (const part of parts) setTimeout(turn, (Number(part.element.dataset.every) || 2) * 1000, part);
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => pause(!isPaused));
  }
  document.addEventListener("onhook:pause", () => pause(!isPaused));
  tell();
}
