// Read-only links to a conversation: made, copied, renewed and revoked.

import { ApiError, request } from "./api.js";
import { registerCommand } from "./commands.js";
import { confirm, openDialog } from "./dialog.js";
import { byId, clone, find, setText } from "./dom.js";
import { gettext, interpolate, locale } from "./gettext.js";
import { copyFrom } from "./message_actions.js";

/** @param {import("./chat_page.js").ChatPage} page */
export function installSharing(page) {
  const button = byId("share");
  const look = () => { button.hidden = !canShare(page); };
  button.addEventListener("click", () => openShareDialog(page));
  page.whenDrawn(look);
  look();
  registerCommand({ label: gettext("Share this chat"), run: () => openShareDialog(page), when: () => canShare(page) });
}

/** @param {import("./chat_page.js").ChatPage} page */
function canShare({ client, thread }) {
  const conversation = client.store.conversations.get(client.open ?? "");
  return conversation !== undefined && !conversation.temporary && thread.path.length > 0;
}

/** @param {import("./chat_page.js").ChatPage} page */
export function openShareDialog(page) {
  const { open } = page.client;
  if (open !== null && canShare(page)) new ShareDialog(page, open);
}

class ShareDialog {
  #dialog = openDialog("share");
  #list = find(this.#dialog, ".share-links ul");
  #page;
  #conversation;
  /** @type {Set<string>} */
  #known = new Set();

  /** @param {import("./chat_page.js").ChatPage} page @param {string} conversation */
  constructor(page, conversation) {
    this.#page = page;
    this.#conversation = conversation;
    find(this.#dialog, ".share-files").hidden = !this.#hasFiles();
    // A double click is one wish, also where the first link is there before the second click.
    find(this.#dialog, 'button[type="submit"]').addEventListener("click", (event) => {
      if (event.detail > 1) event.preventDefault();
    });
    find(this.#dialog, "form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#try(() => this.#create());
    });
    void this.#try(() => this.#load());
  }

  #hasFiles() {
    const types = /** @type {string[]} */ (this.#page.thread.path.flatMap(({ content }) => content.map(({ type }) => type)));
    return types.includes("image") || types.includes("file");
  }

  get #wish() {
    const { checked } = /** @type {HTMLInputElement} */ (find(this.#dialog, '[name="attachments"]'));
    return { message: this.#page.thread.end, with_attachments: checked };
  }

  async #load() {
    /** @type {ShareLink[]} */
    const links = await request("GET", `/conversations/${this.#conversation}/shares`);
    // One may have been made, or revoked, while these were on their way.
    this.#list.append(...links.filter(({ id }) => !this.#known.has(id)).map((link) => this.#row(link)));
    this.#changed();
  }

  async #create() {
    const link = await request("POST", `/conversations/${this.#conversation}/shares`, this.#wish);
    const row = this.#row(link);
    this.#list.prepend(row);
    this.#changed();
    const copy = find(row, '[data-action="copy-link"]');
    copy.focus();
    this.#say(gettext("The link is ready."));
    await copyFrom(copy, link.url);
  }

  /** @param {ShareLink} link */
  #row(link) {
    this.#known.add(link.id);
    const row = clone("share-link");
    const address = /** @type {HTMLInputElement} */ (find(row, "input"));
    const copy = find(row, '[data-action="copy-link"]');
    address.value = link.url;
    address.addEventListener("focus", () => address.select());
    setText(find(row, ".share-date"), dateLine(link));
    /** @type {HTMLAnchorElement} */ (find(row, "a")).href = link.url;
    copy.addEventListener("click", () => void copyFrom(copy, link.url));
    find(row, '[data-action="update"]').addEventListener("click", () => void this.#try(() => this.#update(link, row)));
    find(row, '[data-action="revoke"]').addEventListener("click", () => void this.#try(() => this.#revoke(link, row)));
    return row;
  }

  /** @param {ShareLink} link @param {HTMLElement} row */
  async #update(link, row) {
    const renewed = await request("PUT", `/shares/${link.id}`, this.#wish);
    setText(find(row, ".share-date"), dateLine(renewed));
    this.#say(gettext("The link shows the conversation as it is now."));
  }

  /** @param {ShareLink} link @param {HTMLElement} row */
  async #revoke(link, row) {
    if (!(await askToRevoke())) return;
    await request("DELETE", `/shares/${link.id}`);
    row.remove();
    this.#changed();
    find(this.#dialog, 'button[type="submit"]').focus();
  }

  /** @param {string} text */
  #say(text) {
    setText(find(this.#dialog, ".share-said"), text);
  }

  #changed() {
    find(this.#dialog, ".share-links").hidden = this.#list.childElementCount === 0;
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    const box = find(this.#dialog, ".share-error");
    box.hidden = true;
    this.#say("");
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(box, error.message);
      box.hidden = false;
    }
  }
}

export function askToRevoke() {
  return confirm({
    title: gettext("Revoke this link?"),
    text: gettext("Whoever has it can no longer read the conversation. This cannot be undone."),
    yes: gettext("Revoke"),
    danger: true,
  });
}

/** @param {ShareLink} link */
export function dateLine({ updated_at, with_attachments }) {
  const date = new Date(updated_at).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
  const text = with_attachments ? gettext("Shared on %(date)s, with attachments") : gettext("Shared on %(date)s");
  return interpolate(text, { date });
}
