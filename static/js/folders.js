// Folders: made, renamed, deleted, opened, and filled by menu or by dragging.

import { ApiError, request } from "./api.js";
import { byId, clone, find, setText } from "./dom.js";
import { confirm, openDialog } from "./dialog.js";
import { gettext, interpolate } from "./gettext.js";
import { listenForKeys, openMenu } from "./menu.js";
import { rename } from "./rename.js";
import { toast } from "./toast.js";

const NAME_CHARS = 80;
const DRAGGED = "application/x-conversation";

export class Folders {
  #page;
  #changes;
  #menu = byId("folder-menu");
  #choice = byId("move-menu");
  /** @type {HTMLElement | null} */ #section = null;

  /** @param {import("./chat_page.js").ChatPage} page @param {import("./conversation_changes.js").ConversationChanges} changes */
  constructor(page, changes) {
    this.#page = page;
    this.#changes = changes;
    byId("new-folder").addEventListener("click", () => void this.create());
    byId("sidebar").addEventListener("click", (event) => this.#clicked(event));
    listenForKeys(this.#menu);
    listenForKeys(this.#choice);
    find(this.#menu, '[data-action="rename"]').addEventListener("click", () => void this.#rename());
    find(this.#menu, '[data-action="delete"]').addEventListener("click", () => void this.#delete());
    this.#listenForDrags(byId("sidebar-list"));
  }

  get #all() {
    return this.#page.client.store.folders;
  }

  /** @returns {Promise<Folder | null>} */
  async create() {
    const name = await askForName();
    return name ? this.#try(() => request("POST", "/folders", { name })) : null;
  }

  /** Which folder a conversation goes to. @param {string} id @param {HTMLElement} button */
  choose(id, button) {
    const current = this.#changes.find(id)?.folder ?? null;
    const items = this.#all.map(({ id: folder, name }) => this.#choiceOf(name, folder === current, () => this.#move(id, folder)));
    const none = this.#choiceOf(gettext("No folder"), current === null, () => this.#move(id, null));
    const other = clone("move-new");
    other.addEventListener("click", () => void this.#moveToNew(id));
    this.#choice.replaceChildren(none, ...items, other);
    openMenu(this.#choice, button);
  }

  /** @param {string} id */
  async #moveToNew(id) {
    const folder = await this.create();
    if (folder) this.#move(id, folder.id);
  }

  /** @param {string} id @param {string | null} folder */
  #move(id, folder) {
    if (this.#changes.find(id)?.folder === folder) return;
    if (folder) this.#page.sidebar.openFolder(folder, true);
    void this.#changes.change(id, { folder });
  }

  /** @param {string} name @param {boolean} checked @param {() => void} act */
  #choiceOf(name, checked, act) {
    const item = clone("move-choice");
    setText(find(item, ".menu-label"), name);
    item.setAttribute("aria-checked", String(checked));
    item.addEventListener("click", act);
    return item;
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const button = /** @type {Element} */ (event.target).closest("button");
    const section = /** @type {HTMLElement | null} */ (button?.closest(".folder") ?? null);
    const folder = section?.dataset.folder;
    if (!button || !section || !folder) return;
    if (button.matches(".folder-toggle")) this.#page.sidebar.openFolder(folder, button.getAttribute("aria-expanded") !== "true");
    if (button.matches(".folder-next")) void this.#page.sidebar.lists?.more(folder);
    if (button.matches(".folder-more")) {
      this.#section = section;
      openMenu(this.#menu, button);
    }
  }

  async #rename() {
    const section = this.#section;
    const folder = this.#all.find(({ id }) => id === section?.dataset.folder);
    if (!section || !folder) return;
    this.#page.sidebar.hold(true);
    const name = await rename(find(section, ".folder-toggle"), { text: folder.name, label: gettext("Name of the folder"), most: NAME_CHARS });
    this.#page.sidebar.hold(false);
    if (name) await this.#try(() => request("PATCH", `/folders/${folder.id}`, { name }));
  }

  async #delete() {
    const folder = this.#all.find(({ id }) => id === this.#section?.dataset.folder);
    if (!folder) return;
    const sure = await confirm({
      title: interpolate(gettext("Delete the folder “%(name)s”?"), { name: folder.name }),
      text: gettext("The chats in it are kept."),
      yes: gettext("Delete folder"),
      danger: true,
    });
    if (!sure) return;
    await this.#try(() => request("DELETE", `/folders/${folder.id}`));
  }

  /** Every tab is told of all folders; this one must not wait for that. @param {() => Promise<any>} act */
  async #try(act) {
    try {
      const answer = await act();
      this.#page.client.store.setFolders(await request("GET", "/folders"));
      this.#page.redraw();
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message);
      return null;
    }
  }

  /** A conversation can be dropped on a folder, or outside of one. @param {HTMLElement} list */
  #listenForDrags(list) {
    /** @type {HTMLElement | null} */ let over = null;
    const mark = (/** @type {HTMLElement | null} */ target) => {
      over?.removeAttribute("data-drop");
      over = target;
      over?.setAttribute("data-drop", "");
    };
    list.addEventListener("dragstart", (event) => {
      const id = /** @type {HTMLElement} */ (event.target).dataset.conversation;
      if (id) event.dataTransfer?.setData(DRAGGED, id);
    });
    list.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes(DRAGGED)) return;
      event.preventDefault();
      const target = /** @type {Element} */ (event.target);
      mark(target.closest(".folder") ?? byId("conversations"));
    });
    list.addEventListener("dragleave", (event) => { if (event.target === list) mark(null); });
    list.addEventListener("dragend", () => mark(null));
    list.addEventListener("drop", (event) => {
      const id = event.dataTransfer?.getData(DRAGGED);
      const folder = over?.dataset.folder ?? null;
      mark(null);
      if (!id) return;
      event.preventDefault();
      this.#move(id, folder);
    });
  }
}

/** @returns {Promise<string>} empty where it was given up */
function askForName() {
  const dialog = openDialog("new-folder");
  const input = /** @type {HTMLInputElement} */ (find(dialog, "input"));
  find(dialog, "form").addEventListener("submit", () => dialog.close(input.value.trim()));
  input.focus();
  return new Promise((resolve) => { dialog.addEventListener("close", () => resolve(dialog.returnValue)); });
}
