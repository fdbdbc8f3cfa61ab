// A finger opens the drawer from the edge of the page, and pushes it back.

const EDGE_PX = 24;
const FAR_PX = 60;
/** A swipe goes more sideways than down. */
const FLAT = 1.5;

/**
 * @param {HTMLElement} element
 * @param {{isOpen: () => boolean, open: () => void, close: () => void}} drawer
 */
export function listenForSwipes(element, drawer) {
  /** @type {Touch | null} */ let start = null;
  element.addEventListener("touchstart", (event) => {
    start = event.touches.length === 1 && mayBegin(event, drawer.isOpen()) ? event.touches[0] ?? null : null;
  }, { passive: true });
  element.addEventListener("touchend", (event) => {
    const end = event.changedTouches[0];
    const direction = start && end ? directionOf(start, end) : 0;
    start = null;
    if (direction > 0 && !drawer.isOpen()) drawer.open();
    if (direction < 0 && drawer.isOpen()) drawer.close();
  }, { passive: true });
}

/** What is open may be pushed from anywhere; what is closed is pulled from its edge. @param {TouchEvent} event @param {boolean} isOpen */
function mayBegin({ touches: [touch] }, isOpen) {
  if (isOpen || !touch) return isOpen;
  return (isMirrored() ? innerWidth - touch.clientX : touch.clientX) <= EDGE_PX;
}

/** @param {Touch} start @param {Touch} end @returns {number} 1: away from the edge where a line begins, -1: towards it, 0: no swipe */
function directionOf(start, end) {
  const across = (end.clientX - start.clientX) * (isMirrored() ? -1 : 1);
  const isFlat = Math.abs(across) > FLAT * Math.abs(end.clientY - start.clientY);
  return isFlat && Math.abs(across) >= FAR_PX ? Math.sign(across) : 0;
}

function isMirrored() {
  return document.documentElement.dir === "rtl";
}
