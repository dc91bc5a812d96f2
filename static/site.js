// On every page: the page for no network, and what makes menus comfortable.

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/service-worker.js").catch(() => {
    // Without it the browser shows its own page where there is no network.
  });
}
