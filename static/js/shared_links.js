// All read-only links of the user, to look after and to take back.

import { ApiError, request } from "./api.js";
import { byId, clone, find, setText } from "./dom.js";
import { gettext } from "./gettext.js";
import { copyFrom } from "./message_actions.js";
import { askToRevoke, dateLine } from "./share_dialog.js";
import { toast } from "./toast.js";

export class SharedLinks {
  #list = byId("links");

  constructor() {
    void this.#load();
  }

  async #load() {
    try {
      /** @type {ShareLink[]} */
      const links = await request("GET", "/shares");
      this.#list.replaceChildren(...links.map((link) => this.#row(link)));
      this.#changed();
    } catch (error) {
      tell(error);
    }
  }

  /** @param {ShareLink} link */
  #row(link) {
    const row = clone("data-link");
    const title = /** @type {HTMLAnchorElement} */ (find(row, "a"));
    const copy = find(row, '[data-action="copy-link"]');
    title.href = link.url;
    setText(title, link.title || gettext("Conversation"));
    setText(find(row, ".data-link-date"), dateLine(link));
    copy.addEventListener("click", () => void copyFrom(copy, link.url));
    find(row, '[data-action="revoke"]').addEventListener("click", () => void this.#revoke(link, row));
    return row;
  }

  /** @param {ShareLink} link @param {HTMLElement} row */
  async #revoke(link, row) {
    if (!(await askToRevoke())) return;
    try {
      await request("DELETE", `/shares/${link.id}`);
      row.remove();
      this.#changed();
      toast(gettext("The link was revoked."));
    } catch (error) {
      tell(error);
    }
  }

  #changed() {
    byId("no-links").hidden = this.#list.childElementCount > 0;
  }
}

/** @param {unknown} error */
function tell(error) {
  if (!(error instanceof ApiError)) throw error;
  toast(error.message);
}
