// Asks before an act: <form data-confirm="What will happen">, or on one of its buttons. Without this script the form is
// sent at once, and the page that it leads to asks, where asking matters.

const dialog = document.getElementById("sure");
const text = document.getElementById("sure-text");
let waiting = null;

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.sure === "yes") {
    delete form.dataset.sure;
    return;
  }
  event.preventDefault();
  waiting = { form, submitter: event.submitter };
  text.textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
});

dialog.addEventListener("close", () => {
  // of an answer before: keys are quicker than this event, and another question may be open by now
  if (dialog.open) return;
  const asked = waiting;
  waiting = null;
  if (!asked || dialog.returnValue !== "yes" || !asked.form.isConnected) return;
  asked.form.dataset.sure = "yes";
  asked.form.requestSubmit(asked.submitter?.isConnected ? asked.submitter : undefined);
});
