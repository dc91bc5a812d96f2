// Buttons that copy a text of the page. Without JavaScript they stay hidden, and one selects by hand.

const said = document.querySelector("[data-copied]");

function select(source) {
  if ("select" in source) {
    source.closest("details")?.setAttribute("open", "");
    source.focus();
    source.select();
  } else {
    window.getSelection().selectAllChildren(source);
  }
}

// Whether the text has been copied. Outside https and in some embedded browsers there is no
// clipboard to write to; a selection may still be copied.
async function copy(source) {
  try {
    await navigator.clipboard.writeText("value" in source ? source.value : source.textContent);
    return true;
  } catch {
    select(source);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const copied = await copy(document.getElementById(button.dataset.copy));
    said.textContent = copied ? button.dataset.done : said.dataset.failed;
    if (!copied) {
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
}
