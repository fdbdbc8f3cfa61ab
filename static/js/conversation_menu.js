// The actions of a conversation in the sidebar: by its menu, by keys, and by a double click.

import { ConversationChanges } from "./conversation_changes.js";
import { ConversationLists } from "./conversation_lists.js";
import { byId, find, setText } from "./dom.js";
import { Folders } from "./folders.js";
import { gettext } from "./gettext.js";
import { listenForKeys, openMenu } from "./menu.js";
import { rename } from "./rename.js";

const TITLE_CHARS = 80;

/**
 * @param {import("./chat_page.js").ChatPage} page
 * @param {import("./navigation.js").Navigation} navigation
 * @param {PageData} data
 */
export function installSidebar(page, navigation, data) {
  const changes = new ConversationChanges(page, navigation);
  const folders = new Folders(page, changes);
  page.sidebar.lists = new ConversationLists(page.client.store, data.next, () => {
    page.sidebar.forget();
    page.redraw();
  });
  new ConversationMenu(page, changes, folders);
  byId("leave-archive").addEventListener("click", () => page.sidebar.showArchive(false));
  byId("show-archive").addEventListener("click", () => {
    page.sidebar.showArchive(true);
    byId("leave-archive").focus();
  });
  page.sidebar.redraw();
}

class ConversationMenu {
  #page;
  #changes;
  #folders;
  #menu = byId("sidebar-menu");
  #id = "";
  /** @type {HTMLElement} */ #button = this.#menu;

  /**
   * @param {import("./chat_page.js").ChatPage} page
   * @param {ConversationChanges} changes
   * @param {Folders} folders
   */
  constructor(page, changes, folders) {
    this.#page = page;
    this.#changes = changes;
    this.#folders = folders;
    const list = byId("sidebar-list");
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("dblclick", (event) => this.#withItem(event, (item) => void this.#rename(item)));
    list.addEventListener("keydown", (event) => this.#pressed(event));
    listenForKeys(this.#menu);
    this.#menu.addEventListener("click", (event) => this.#chosen(event));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".conversation-more"));
    const id = itemAt(event)?.dataset.conversation;
    const conversation = id && this.#changes.find(id);
    if (!button || !conversation) return;
    this.#id = conversation.id;
    this.#button = button;
    this.#label("pin", conversation.pinned ? gettext("Unpin") : gettext("Pin"));
    this.#label("archive", conversation.archived ? gettext("Take out of the archive") : gettext("Archive"));
    openMenu(this.#menu, button);
  }

  /** @param {string} action @param {string} text */
  #label(action, text) {
    setText(find(this.#menu, `[data-action="${action}"] .menu-label`), text);
  }

  /** @param {MouseEvent} event */
  #chosen(event) {
    const action = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-action]"))?.dataset.action;
    const conversation = this.#changes.find(this.#id);
    const item = /** @type {HTMLElement | null} */ (this.#button.closest(".conversation-item"));
    if (!conversation || !action || !item) return;
    if (action === "rename") void this.#rename(item);
    if (action === "pin") void this.#changes.change(this.#id, { pinned: !conversation.pinned });
    if (action === "move") this.#folders.choose(this.#id, this.#button);
    if (action === "archive") this.#leaving(item, () => this.#changes.archive(this.#id, !conversation.archived));
    if (action === "delete") this.#leaving(item, () => this.#changes.remove(this.#id));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") return this.#move(event);
    if (event.key === "F2") this.#withItem(event, (item) => void this.#rename(item));
    if (event.key === "Delete") this.#withItem(event, (item) => this.#leaving(item, () => this.#changes.remove(item.dataset.conversation ?? "")));
    return undefined;
  }

  /** Up and down from line to line. @param {KeyboardEvent} event */
  #move(event) {
    const lines = /** @type {HTMLElement[]} */ ([...byId("sidebar-list").querySelectorAll(".conversation, .folder-toggle")]);
    const at = lines.findIndex((line) => line === document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    lines[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  }

  /** The focus goes to the next line, or the line before, when one goes away. @param {HTMLElement} item @param {() => Promise<unknown>} act */
  #leaving(item, act) {
    const links = /** @type {HTMLElement[]} */ ([...byId("sidebar-list").querySelectorAll(".conversation")]);
    const at = links.findIndex((link) => item.contains(link));
    const next = links[at + 1] ?? links[at - 1] ?? byId("open-palette");
    const hadFocus = item.contains(document.activeElement);
    const hand = () => { if (hadFocus && !item.isConnected) next.focus(); };
    // The list is drawn once per frame.
    void act().then(() => requestAnimationFrame(hand));
  }

  /** @param {Event} event @param {(item: HTMLElement) => void} act */
  #withItem(event, act) {
    const item = itemAt(event);
    const isLink = /** @type {Element} */ (event.target).closest(".conversation") !== null;
    if (!item || !isLink) return;
    event.preventDefault();
    act(item);
  }

  /** @param {HTMLElement} item */
  async #rename(item) {
    const conversation = this.#changes.find(item.dataset.conversation ?? "");
    if (!conversation) return;
    this.#page.sidebar.hold(true);
    const title = await rename(find(item, "a"), { text: conversation.title, label: gettext("Title of the chat"), most: TITLE_CHARS });
    this.#page.sidebar.hold(false);
    if (title) await this.#changes.change(conversation.id, { title });
  }
}

/** @param {Event} event @returns {HTMLElement | null} */
function itemAt(event) {
  return /** @type {Element} */ (event.target).closest(".conversation-item");
}
