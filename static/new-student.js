// The create-student form: a password made in the browser, shown or hidden.

const LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GROUPS = 4;
const GROUP_LENGTH = 4;

// A letter of the alphabet, each as likely as any other.
function randomLetter() {
  const limit = 256 - (256 % LETTERS.length);
  const byte = new Uint8Array(1);
  do {
    crypto.getRandomValues(byte);
  } while (byte[0] >= limit);
  return LETTERS[byte[0] % LETTERS.length];
}

function suggestedPassword() {
  const group = () => Array.from({ length: GROUP_LENGTH }, randomLetter).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}

const form = document.querySelector("[data-new-student]");
const password = form.elements.password;
const suggest = form.querySelector("[data-suggest-password]");
const hide = form.querySelector("[data-hide-password]");
const labels = { hide: hide.textContent, show: form.dataset.show };

suggest.addEventListener("click", (event) => {
  event.preventDefault();
  password.value = suggestedPassword();
});

hide.hidden = false;
hide.addEventListener("click", () => {
  const hidden = password.type === "password";
  password.type = hidden ? "text" : "password";
  hide.textContent = hidden ? labels.hide : labels.show;
  hide.setAttribute("aria-pressed", String(!hidden));
});

// A fresh form comes with the server's suggestion; the browser's own has been seen by nobody else.
if (form.dataset.newStudent === "fresh" && password.value === password.defaultValue) {
  password.value = suggestedPassword();
}
