/**
 * @param {object} actions
 * @param {() => boolean} actions.escape whether there was something to leave
 * @param {() => void} actions.newChat
 * @param {() => void} actions.sidebar
 * @param {() => void} actions.compose
 * @param {() => void} actions.copyLast
 * @param {() => void} actions.palette
 * @param {() => void} actions.shortcuts
 */
export function listenForShortcuts(actions) {
  const chords = /** @type {Record<string, () => void>} */ ({
    o: actions.newChat, s: actions.sidebar, c: actions.copyLast,
  });
  const keys = /** @type {Record<string, () => void>} */ ({ "/": actions.compose, "?": actions.shortcuts });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if (isPalette(event)) return run(event, actions.palette);
    if (isDialogOpen()) return;
    const chord = (event.ctrlKey || event.metaKey) && event.shiftKey && chords[event.key.toLowerCase()];
    const key = !isWriting(event.target) && keys[event.key];
    if (chord) run(event, chord);
    else if (event.key === "Escape" && !isMenuOpen() && actions.escape()) event.preventDefault();
    else if (key) run(event, key);
  });
}

/** It closes itself by the same keys, but opens over no other dialog. @param {KeyboardEvent} event */
function isPalette({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  const pressed = (ctrlKey || metaKey) && !shiftKey && !altKey && key.toLowerCase() === "k";
  return pressed && !document.querySelector("dialog:modal:not(.palette)");
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
