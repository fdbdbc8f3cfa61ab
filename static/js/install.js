// Registers the service worker that the page names, if it names one.

const address = document.querySelector('meta[name="service-worker"]')?.getAttribute("content");
if (address && "serviceWorker" in navigator) {
  // The site works without it just as well, as where a browser keeps nothing.
  navigator.serviceWorker.register(address).catch(() => {});
}
