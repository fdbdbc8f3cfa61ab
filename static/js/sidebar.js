// The list of conversations, and the drawer that it becomes on a narrow page.

import { byId, clone, find, setText } from "./dom.js";
import { gettext } from "./gettext.js";
import { preference, setPreference } from "./keep.js";
import { pathOf } from "./page_data.js";
import { groupByAge } from "./ages.js";
import { listenForSwipes } from "./swipe.js";

const NARROW = matchMedia("(max-width: 60rem)");

export class Sidebar {
  /** @type {Map<string, HTMLElement>} */ #links = new Map();
  #app = byId("app");
  #list = byId("conversations");
  #drawer = /** @type {HTMLDialogElement} */ (byId("sidebar"));

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

  /** @param {Iterable<Conversation>} conversations newest first @param {string | null} open */
  show(conversations, open) {
    const known = this.#links;
    const focused = document.activeElement;
    this.#links = new Map();
    const sections = groupByAge([...conversations], new Date()).map(({ label, members }) =>
      this.#section(label, members.map((one) => this.#link(known, one, open))));
    this.#list.replaceChildren(...sections);
    // Elements that are moved lose the focus.
    if (focused instanceof HTMLElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
    byId("no-conversations").hidden = sections.length > 0;
  }

  /** @param {string} label @param {HTMLElement[]} links */
  #section(label, links) {
    const section = clone("conversation-group");
    setText(find(section, "h2"), label);
    find(section, "ul").append(...links);
    return section;
  }

  /** @param {Map<string, HTMLElement>} known @param {Conversation} conversation @param {string | null} open */
  #link(known, { id, title, active }, open) {
    const item = known.get(id) ?? clone("conversation");
    const link = /** @type {HTMLAnchorElement} */ (find(item, "a"));
    this.#links.set(id, item);
    link.href = pathOf(id);
    link.dataset.conversation = id;
    link.title = title;
    setText(find(item, ".conversation-title"), title || gettext("New chat"));
    find(item, ".active-dot").hidden = active.length === 0;
    if (id === open) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    return item;
  }
}
