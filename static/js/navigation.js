// Opens conversations without leaving the page, so that the line and what arrives on it stay.

import { byId, find } from "./dom.js";
import { conversationAt, loadPageData, messageAt, pathOf } from "./page_data.js";

const SKELETON_MS = 150;

export class Navigation {
  #turn = 0;
  #isLoading = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #skeleton;
  #page;

  /** @param {{leaveFor: (conversation: string | null) => void, show: (conversation: string | null, page?: PageData) => void, goTo: (message: string) => Promise<void>, client: {open: string | null}, sidebar: {close: () => void}, composer: {focus: () => void}}} page */
  constructor(page) {
    this.#page = page;
    addEventListener("popstate", () => void this.#go(conversationAt(location.pathname), messageAt(location.search)));
    document.addEventListener("click", (event) => this.#clicked(event));
    forgetMessage();
  }

  newChat() {
    void this.visit(null);
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
    void this.visit(link.dataset.conversation || null, messageAt(link.search));
  }

  /** @param {string | null} conversation @param {string | null} [message] one in it to show */
  async visit(conversation, message = null) {
    this.#page.sidebar.close();
    const isOpen = !this.#isLoading && conversation !== null && conversation === this.#page.client.open;
    if (isOpen) return message === null ? undefined : this.#page.goTo(message);
    if (location.pathname !== pathOf(conversation)) history.pushState(null, "", pathOf(conversation));
    return this.#go(conversation, message);
  }

  /** @param {string | null} conversation @param {string | null} [message] */
  async #go(conversation, message = null) {
    const turn = (this.#turn += 1);
    this.#page.leaveFor(conversation);
    this.#waitFor(conversation !== null);
    if (conversation === null) {
      this.#page.show(null);
      return this.#page.composer.focus();
    }
    const page = await loadPageData(conversation, message);
    // Another one was chosen meanwhile, and is being waited for.
    if (turn !== this.#turn) return undefined;
    this.#waitFor(false);
    // Signed out, gone or no network: the browser's own way says it best.
    if (!page) return location.assign(pathOf(conversation, message));
    this.#page.show(conversation, page);
    return forgetMessage();
  }

  /** @param {boolean} loading */
  #waitFor(loading) {
    this.#isLoading = loading;
    clearTimeout(this.#skeleton);
    if (loading) this.#skeleton = setTimeout(() => showSkeleton(true), SKELETON_MS);
    else showSkeleton(false);
  }
}

/** It has been shown; who loads the page again wants to see what is new. */
function forgetMessage() {
  if (messageAt(location.search) !== null) history.replaceState(null, "", location.pathname);
}

/** @param {boolean} shown */
function showSkeleton(shown) {
  byId("skeleton").hidden = !shown;
  find(document, "#messages").hidden = shown;
}
