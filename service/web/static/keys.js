// Keys for who keeps both hands on them: / search, j k move, Enter opens (the line's link has the focus), ? help.
// A page marks its search with data-search and each line with data-row; the first link in a line is what it opens.

const help = document.getElementById("keys");
const opener = document.querySelector("[data-opens=keys]");

const isTyping = (element) =>
  element instanceof HTMLElement && (element.isContentEditable || /^(input|select|textarea)$/i.test(element.tagName));

const links = () =>
  [...document.querySelectorAll("[data-row]")]
    .map((row) => (row.matches("a[href]") ? row : row.querySelector("a[href]")))
    .filter((link) => link && link.offsetParent !== null);

const move = (step) => {
  const all = links();
  if (!all.length) return;
  const row = document.activeElement?.closest("[data-row]");
  const now = all.findIndex((link) => row?.contains(link));
  const next = now < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + step, 0), all.length - 1);
  all[next].focus();
  all[next].closest("[data-row]").scrollIntoView({ block: "nearest" });
};

const acts = {
  "/": () => {
    const search = document.querySelector("[data-search]");
    search?.focus();
    search?.select?.();
  },
  j: () => move(1),
  k: () => move(-1),
  p: () => document.dispatchEvent(new CustomEvent("onhook:pause")),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && isTyping(event.target)) {
    event.target.blur();
    return;
  }
  if (isTyping(event.target) || !Object.hasOwn(acts, event.key)) return;
  event.preventDefault();
  acts[event.key]();
});

if (opener) {
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
}
