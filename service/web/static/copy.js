// Copies an id or a command: <button data-copy="text">, or <button data-copy-of="the id of what holds it">. The buttons are
// hidden until this script runs; where the browser lets nobody write to the clipboard, the text is marked instead.

const show = () => {
  for (const button of document.querySelectorAll("button.copy[hidden]")) button.hidden = false;
};

const mark = (element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const chosen = getSelection();
  chosen.removeAllRanges();
  chosen.addRange(range);
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button.copy");
  if (!button) return;
  const holder = button.dataset.copyOf ? document.getElementById(button.dataset.copyOf) : button.previousElementSibling;
  const text = button.dataset.copy ?? holder?.textContent ?? "";
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text.trim());
    button.textContent = "Copied";
  } catch {
    if (holder) mark(holder);
    button.textContent = "Marked";
  }
  setTimeout(() => (button.textContent = said), 1500);
});

document.addEventListener("onhook:replaced", show);
show();
