// Forms that are sent by one tap, however often they are tapped.

const PATIENCE_MS = 20_000;

for (const form of document.querySelectorAll("[data-one-tap]")) {
  let pressed;

  const allowAnother = () => {
    delete form.dataset.sent;
    if (pressed) {
      pressed.textContent = pressed.dataset.label;
      pressed.removeAttribute("aria-disabled");
    }
  };

  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    // Enter presses a button that nobody sees; other buttons do something small.
    const isAct = !event.submitter || event.submitter.matches("[data-create], .default-button");
    pressed = isAct ? form.querySelector("[data-create]") : undefined;
    if (pressed) {
      pressed.dataset.label ??= pressed.textContent;
      pressed.textContent = pressed.dataset.busy;
      pressed.setAttribute("aria-disabled", "true");
    }
    setTimeout(allowAnother, PATIENCE_MS);
  });

  // Back on this page by the browser's own way, the form can be sent again; and so it can when no
  // answer came. The server knows one attempt by its number, however often it is sent.
  window.addEventListener("pageshow", allowAnother);
}
