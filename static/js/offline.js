// The page that stands in while there is no network: it goes away by itself when there is one again.

addEventListener("online", () => location.reload());
