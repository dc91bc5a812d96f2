// Buttons that hand a text, their own or a field's, to the system's share sheet. Where there is none
// they stay hidden.

if ("share" in navigator) {
  for (const button of document.querySelectorAll("[data-share], [data-share-from]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const { share, shareFrom } = button.dataset;
      try {
        await navigator.share({ text: share ?? document.getElementById(shareFrom).value });
      } catch {
        // The person has closed the sheet, or it did not open: the other ways are beside it.
      }
    });
  }
}
