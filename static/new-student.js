// The create-student form: a password made in the browser, shown or hidden.

const ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GROUPS = 4;
const GROUP_LENGTH = 4;
const DRAWS = 100;

// One of these, each as likely as any other.
function oneOf(characters) {
  const limit = 256 - (256 % characters.length);
  const byte = new Uint8Array(1);
  do {
    crypto.getRandomValues(byte);
  } while (byte[0] >= limit);
  return characters[byte[0] % characters.length];
}

function draw(groups) {
  const group = () => Array.from({ length: GROUP_LENGTH }, () => oneOf(ALPHABET)).join("");
  return Array.from({ length: groups }, group).join("-");
}

// As the server suggests one: of every set a character, those that the alphabet lacks at the end.
function suggestedPassword() {
  const required = JSON.parse(password.dataset.required);
  const shortest = Number(password.dataset.shortest);
  const groups = Math.max(GROUPS, Math.ceil((shortest + 1) / (GROUP_LENGTH + 1)));
  const lacking = (text) => required.filter((set) => ![...set].some((one) => text.includes(one)));
  let suggested = draw(groups);
  for (let tries = 0; tries < DRAWS && lacking(suggested).length; tries += 1) {
    suggested = draw(groups);
  }
  return suggested + lacking(suggested).map((set) => oneOf([...set])).join("");
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
