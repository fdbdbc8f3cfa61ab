/**
 * @param {object} actions
 * @param {() => boolean} actions.escape whether there was something to leave
 * @param {() => void} actions.newChat
 * @param {() => void} actions.sidebar
 * @param {() => void} actions.compose
 * @param {() => void} actions.copyLast
 */
export function listenForShortcuts(actions) {
  const chords = /** @type {Record<string, () => void>} */ ({
    o: actions.newChat, s: actions.sidebar, c: actions.copyLast,
  });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || isDialogOpen()) return;
    const chord = (event.ctrlKey || event.metaKey) && event.shiftKey && chords[event.key.toLowerCase()];
    if (chord) run(event, chord);
    else if (event.key === "Escape" && !isMenuOpen() && actions.escape()) event.preventDefault();
    else if (event.key === "/" && !isWriting(event.target)) run(event, actions.compose);
  });
}

/** @param {Event} event @param {() => void} act */
function run(event, act) {
  event.preventDefault();
  act();
}

/** What lies over the page keeps its keys to itself. */
function isDialogOpen() {
  return document.querySelector("dialog:modal") !== null;
}

/** Escape closes an open menu first; the browser does that. */
function isMenuOpen() {
  return document.querySelector(":popover-open") !== null;
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}
