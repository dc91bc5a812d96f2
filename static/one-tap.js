// A form that is sent by one tap, however often it is tapped.

const PATIENCE_MS = 20_000;

const tapped = document.querySelector("[data-one-tap]");
const button = tapped.querySelector("[data-create]");
const label = button.textContent;

tapped.addEventListener("submit", (event) => {
  if (tapped.dataset.sent) {
    event.preventDefault();
    return;
  }
  tapped.dataset.sent = "yes";
  button.textContent = button.dataset.busy;
  button.setAttribute("aria-disabled", "true");
  setTimeout(allowAnother, PATIENCE_MS);
});

function allowAnother() {
  delete tapped.dataset.sent;
  button.textContent = label;
  button.removeAttribute("aria-disabled");
}

// Back on this page by the browser's own way, the form can be sent again; and so it can when no
// answer came. The server knows one attempt by its number, however often it is sent.
window.addEventListener("pageshow", allowAnother);
