// The part of a page that keeps itself current: only while somebody looks at it. Whatever else comes
// back than this part, drawn for the person the page was drawn for, what is there stays, focus and
// all, and a note says why. Without JavaScript the page stands still, and has a button.

const live = () => document.querySelector("[data-live]");

function keepWhatIsThere(reason) {
  for (const note of document.querySelectorAll("[data-not-renewed]")) {
    for (const one of note.querySelectorAll("span")) {
      one.hidden = !(reason in one.dataset);
    }
    note.hidden = false;
  }
}

// Why an answer is none for this page; nothing where it is one.
function whyNotFor(xhr) {
  const drawnFor = xhr.getResponseHeader("X-Fragment-For");
  if (xhr.status === 401 || (drawnFor && drawnFor !== document.body.dataset.drawnFor)) {
    return "signedOut";
  }
  return xhr.status === 200 && drawnFor ? "" : "unreachable";
}

document.addEventListener("htmx:beforeRequest", (event) => {
  // Nor while somebody types in it, reads a chart, or has unfolded something.
  const inUse = () => live().querySelector("details[open]:not([data-open]), :popover-open, input:focus, .chart-columns :focus");
  if (event.target === live() && (document.hidden || inUse())) {
    event.preventDefault();
  }
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && live()) {
    window.htmx.trigger(live(), "wake");
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const reason = whyNotFor(event.detail.xhr);
  if (reason) {
    event.detail.shouldSwap = false;
    keepWhatIsThere(reason);
  }
});

document.addEventListener("htmx:sendError", () => keepWhatIsThere("unreachable"));
document.addEventListener("htmx:timeout", () => keepWhatIsThere("unreachable"));
