// The part of a page that keeps itself current: only while somebody looks at it, and an outage keeps
// what is there and says so. Without JavaScript the page stands still, and has a button.

const HIDDEN_FOR_MS = 60_000;
let hiddenSince = 0;

const live = () => document.querySelector("[data-live]");

function keepWhatIsThere() {
  for (const note of document.querySelectorAll("[data-unreachable]")) {
    note.hidden = false;
  }
}

document.addEventListener("htmx:beforeRequest", (event) => {
  // Nor while somebody types in it, or has unfolded something.
  const inUse = () => live().querySelector("details[open]:not([data-open]), input:focus");
  if (event.target === live() && (document.hidden || inUse())) {
    event.preventDefault();
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenSince = Date.now();
  } else if (live() && Date.now() - hiddenSince > HIDDEN_FOR_MS) {
    window.htmx.trigger(live(), "wake");
  }
});

// Signed out meanwhile, the answer is the sign-in page: it has no such part.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target === live() && !event.detail.xhr.responseText.includes("data-live")) {
    event.detail.shouldSwap = false;
    keepWhatIsThere();
  }
});

document.addEventListener("htmx:responseError", keepWhatIsThere);
document.addEventListener("htmx:sendError", keepWhatIsThere);
document.addEventListener("htmx:timeout", keepWhatIsThere);
