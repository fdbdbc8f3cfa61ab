// Where the sidebar is: beside the page, hidden, or over it as a drawer where the page is narrow.

import { byId, find } from "./dom.js";
import { preference, setPreference } from "./keep.js";
import { listenForSwipes } from "./swipe.js";

const NARROW = matchMedia("(max-width: 60rem)");

export class Drawer {
  #app = byId("app");
  #drawer = byId("sidebar");

  constructor() {
    this.#app.toggleAttribute("data-sidebar-hidden", preference("sidebar") === "hidden");
    for (const button of document.querySelectorAll('[data-action="sidebar"]')) {
      button.addEventListener("click", () => this.toggle());
    }
    byId("backdrop").addEventListener("click", () => this.close());
    listenForSwipes(this.#app, {
      isOpen: () => this.isOpenDrawer,
      open: () => { if (NARROW.matches) this.#openDrawer(); },
      close: () => this.close(),
    });
    NARROW.addEventListener("change", () => this.close());
    this.close();
  }

  get isOpenDrawer() {
    return this.#app.hasAttribute("data-drawer");
  }

  toggle() {
    if (NARROW.matches) return this.isOpenDrawer ? this.close() : this.#openDrawer();
    const hadFocus = this.#drawer.contains(document.activeElement);
    const hidden = this.#app.toggleAttribute("data-sidebar-hidden");
    if (hidden && hadFocus) find(byId("main"), '[data-action="sidebar"]').focus();
    return setPreference("sidebar", hidden ? "hidden" : "shown");
  }

  /** Shows it, however narrow the page is. */
  reveal() {
    if (NARROW.matches) return this.#openDrawer();
    this.#app.removeAttribute("data-sidebar-hidden");
    return setPreference("sidebar", "shown");
  }

  /** Closes the drawer; a sidebar that stands beside the page stays. */
  close() {
    const wasOpen = this.isOpenDrawer;
    this.#app.removeAttribute("data-drawer");
    this.#drawer.inert = NARROW.matches;
    byId("main").inert = false;
    if (wasOpen) find(byId("main"), '[data-action="sidebar"]').focus();
  }

  #openDrawer() {
    this.#app.setAttribute("data-drawer", "");
    this.#drawer.inert = false;
    byId("main").inert = true;
    find(this.#drawer, "a, button").focus();
  }
}
