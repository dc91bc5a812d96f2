// Buttons that hand a text to the system's own share sheet. Where there is none they stay hidden.

if ("share" in navigator) {
  for (const button of document.querySelectorAll("[data-share]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.share({ text: button.dataset.share });
      } catch {
        // The person has closed the sheet, or it did not open: the other ways are beside it.
      }
    });
  }
}
