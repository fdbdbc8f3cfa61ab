// Opens conversations without leaving the page, so that the line and what arrives on it stay.

import { byId, find } from "./dom.js";
import { conversationAt, loadPageData, pathOf } from "./page_data.js";

const SKELETON_MS = 150;

export class Navigation {
  #turn = 0;
  #page;

  /** @param {{show: (conversation: string | null, page?: PageData) => void, client: {open: string | null}, sidebar: {close: () => void}, composer: {focus: () => void}}} page */
  constructor(page) {
    this.#page = page;
    addEventListener("popstate", () => void this.#go(conversationAt(location.pathname)));
    document.addEventListener("click", (event) => this.#clicked(event));
  }

  newChat() {
    void this.#visit(null);
  }

  /** @param {string} conversation one that was made on this page */
  made(conversation) {
    history.pushState(null, "", pathOf(conversation));
  }

  /** Away from a conversation that is gone; there is no way back to it. */
  leave() {
    history.replaceState(null, "", pathOf(null));
    this.#page.show(null);
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = /** @type {Element} */ (event.target).closest("a[data-conversation]");
    const opensElsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
    if (!(link instanceof HTMLAnchorElement) || opensElsewhere) return;
    event.preventDefault();
    void this.#visit(link.dataset.conversation || null);
  }

  /** @param {string | null} conversation */
  async #visit(conversation) {
    if (conversation !== this.#page.client.open || conversation === null) {
      if (location.pathname !== pathOf(conversation)) history.pushState(null, "", pathOf(conversation));
      await this.#go(conversation);
    }
    this.#page.sidebar.close();
  }

  /** @param {string | null} conversation */
  async #go(conversation) {
    const turn = (this.#turn += 1);
    if (conversation === null) {
      this.#page.show(null);
      return this.#page.composer.focus();
    }
    const timer = setTimeout(() => showSkeleton(true), SKELETON_MS);
    const page = await loadPageData(conversation);
    clearTimeout(timer);
    showSkeleton(false);
    if (turn !== this.#turn) return undefined;
    // Signed out, gone or no network: the browser's own way says it best.
    if (!page) return location.assign(pathOf(conversation));
    return this.#page.show(conversation, page);
  }
}

/** @param {boolean} shown */
function showSkeleton(shown) {
  byId("skeleton").hidden = !shown;
  find(document, "#messages").hidden = shown;
}
