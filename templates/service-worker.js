{% load i18n static %}{% get_current_language as language %}// Shows a page of our own while there is no network. It keeps that page and what it is drawn with,
// and nothing that is of a person.
const KEPT = "offline-{{ language }}-{% static 'onai.css' %}";
const OFFLINE = "{% url 'offline' %}?language={{ language }}";
const SHELL = [OFFLINE, "{% static 'onai.css' %}", "{% static 'icon.svg' %}"];
// Without the cookie, the page is drawn for nobody.
const ANONYMOUS = SHELL.map((address) => new Request(address, { credentials: "omit" }));

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(ANONYMOUS)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const others = (names) => names.filter((name) => name !== KEPT);
  event.waitUntil(caches.keys().then((names) => Promise.all(others(names).map((name) => caches.delete(name)))));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (SHELL.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});
