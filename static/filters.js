// The sheet with the filters closes once the list shows what was chosen there.

document.addEventListener("htmx:afterSwap", () => {
  const sheet = document.querySelector(".sheet:popover-open");
  if (sheet) {
    sheet.hidePopover();
  }
});
