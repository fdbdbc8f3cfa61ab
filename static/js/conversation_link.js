// One line of the sidebar.

import { clone, find, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { pathOf } from "./page_data.js";

export class ConversationLink {
  /** @type {Conversation | null} */ #drawn = null;
  #item = clone("conversation");
  #link = /** @type {HTMLAnchorElement} */ (find(this.#item, "a"));

  /** @param {Conversation} conversation @param {boolean} open whether it is the one that is shown @returns {HTMLElement} */
  update(conversation, open) {
    if (conversation !== this.#drawn) this.#draw(conversation);
    if (open) this.#link.setAttribute("aria-current", "page");
    else this.#link.removeAttribute("aria-current");
    return this.#item;
  }

  /** @param {Conversation} conversation */
  #draw(conversation) {
    const { id, title, active } = conversation;
    const name = title || gettext("New chat");
    this.#drawn = conversation;
    this.#item.dataset.conversation = id;
    this.#link.href = pathOf(id);
    this.#link.dataset.conversation = id;
    this.#link.title = title;
    setText(find(this.#item, ".conversation-title"), name);
    find(this.#item, ".active-dot").hidden = active.length === 0;
    find(this.#item, ".conversation-more").setAttribute("aria-label", interpolate(gettext("Actions for %(title)s"), { title: name }));
  }
}
