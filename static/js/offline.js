// The page that stands in while there is no network, or no server: it goes away by itself.

const ADDRESS = "/offline/";
const TRY_AGAIN_MS = 4_000;

// Not where somebody has asked for this very page.
if (location.pathname !== ADDRESS) {
  addEventListener("online", () => location.reload());
  // A server that comes back says nothing, and a network may say so before it carries.
  setInterval(() => void comeBack(), TRY_AGAIN_MS * (0.75 + Math.random() / 2));
}

async function comeBack() {
  const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer !== null && answer.status < 500) location.reload();
}
