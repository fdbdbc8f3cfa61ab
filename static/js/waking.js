// Notices that the page is looked at again, or that the machine has slept: the line may be dead by
// then without having said so.

const TICK_MS = 5_000;
/** Timers of a hidden page may be late by a minute; one of a page that is shown is not. */
const LATE_MS = 15_000;

/** @param {{nudge: () => void, isOpen: boolean}} connection */
export function listenForWaking(connection) {
  const nudge = () => connection.nudge();
  addEventListener("online", nudge);
  // The line may be dead now, or be one that needs no network: a ping tells.
  addEventListener("offline", () => { if (connection.isOpen) nudge(); });
  addEventListener("pageshow", (event) => { if (event.persisted) nudge(); });
  document.addEventListener("resume", nudge);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") nudge(); });
  let last = Date.now();
  setInterval(() => {
    const late = Date.now() - last - TICK_MS;
    last = Date.now();
    if (late > LATE_MS && document.visibilityState === "visible") nudge();
  }, TICK_MS);
}
