// Whoever is about to leave a form that holds typed text is asked first.

for (const form of document.querySelectorAll("[data-asks-before-leaving]")) {
  let isFilled = form.dataset.asksBeforeLeaving === "filled";
  let isSent = false;

  form.addEventListener("input", () => {
    isFilled = true;
  });
  form.addEventListener("submit", () => {
    isSent = true;
  });
  window.addEventListener("pageshow", () => {
    isSent = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (isFilled && !isSent) {
      event.preventDefault();
    }
  });
}
