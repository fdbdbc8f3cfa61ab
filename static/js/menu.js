// Menus: the platform's popovers, placed at their button, with the keys that a menu has.

const GAP_PX = 4;
const MARGIN_PX = 8;

/**
 * A button and its own menu. The browser opens and closes it.
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} menu with `popover`
 */
export function attachMenu(button, menu) {
  button.popoverTargetElement = menu;
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  menu.addEventListener("beforetoggle", (event) => {
    const opens = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(opens));
    if (opens) placeAt(menu, button);
  });
  listenForKeys(menu);
}

/** A menu that many buttons share. @param {HTMLElement} menu @param {HTMLElement} button */
export function openMenu(menu, button) {
  placeAt(menu, button);
  menu.showPopover();
  menu.addEventListener("toggle", () => { if (menu.contains(document.activeElement)) button.focus(); }, { once: true });
}

/** Arrow keys, Home and End move; the first item, or the chosen one, gets the focus; a choice closes. @param {HTMLElement} menu */
export function listenForKeys(menu) {
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    const items = itemsOf(menu);
    (items.find((item) => item.getAttribute("aria-checked") === "true") ?? items[0])?.focus();
  });
  menu.addEventListener("keydown", (event) => moveFocus(menu, event));
  menu.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest(".menu-item")) menu.hidePopover();
  });
}

/** @param {HTMLElement} menu @returns {HTMLElement[]} */
function itemsOf(menu) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll(".menu-item:not([hidden], :disabled)"))];
}

/** @param {HTMLElement} menu @param {KeyboardEvent} event */
function moveFocus(menu, event) {
  const items = itemsOf(menu);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items.at(to % items.length)?.focus();
}

/** Below its button, or above where there is more room; never beyond the edge. @param {HTMLElement} menu @param {HTMLElement} button */
function placeAt(menu, button) {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const above = top > innerHeight - bottom;
  const fromRight = (left + right) / 2 > innerWidth / 2;
  const { style } = menu;
  style.top = above ? "auto" : `${bottom + GAP_PX}px`;
  style.bottom = above ? `${innerHeight - top + GAP_PX}px` : "auto";
  style.maxBlockSize = `${(above ? top : innerHeight - bottom) - GAP_PX - MARGIN_PX}px`;
  style.left = style.right = "auto";
  const most = innerWidth - MARGIN_PX - widthOf(menu);
  const side = Math.max(MARGIN_PX, Math.min(fromRight ? innerWidth - right : left, most));
  style[fromRight ? "right" : "left"] = `${side}px`;
}

/** A menu that is not shown yet has no width by itself. @param {HTMLElement} menu */
function widthOf(menu) {
  menu.style.display = "block";
  const width = menu.offsetWidth;
  menu.style.display = "";
  return width;
}
