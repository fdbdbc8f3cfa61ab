// What a user does to a conversation, beside talking in it. It shows at once, and is taken back where
// the server refuses.

import { ApiError, request } from "./api.js";
import { gettext, interpolate } from "./gettext.js";
import { toast } from "./toast.js";

export class ConversationChanges {
  /** @type {Map<string, object>} the change of each conversation that was asked for last */ #latest = new Map();
  #page;
  #navigation;

  /** @param {import("./chat_page.js").ChatPage} page @param {import("./navigation.js").Navigation} navigation */
  constructor(page, navigation) {
    this.#page = page;
    this.#navigation = navigation;
  }

  /** @param {string} id @returns {Conversation | undefined} */
  find(id) {
    return this.#page.client.store.conversations.get(id);
  }

  /** @param {string} id @param {Partial<Pick<Conversation, "title" | "pinned" | "archived" | "folder">>} changes */
  async change(id, changes) {
    const before = this.find(id);
    if (!before) return false;
    this.#show(id, changes);
    this.#latest.set(id, changes);
    try {
      await request("PATCH", `/conversations/${id}`, changes);
      if (this.#latest.get(id) === changes) this.#confirm(id, before, changes);
      return true;
    } catch (error) {
      this.#show(id, before);
      this.#say(error);
      return false;
    }
  }

  /**
   * A list that was read in between did not know of the change, and may have taken the conversation away.
   * @param {string} id @param {Conversation} before @param {Partial<Conversation>} changes
   */
  #confirm(id, before, changes) {
    const known = this.find(id);
    this.#show(id, { ...(known?.title ? known : before), ...changes });
  }

  /** @param {string} id @param {boolean} archived */
  async archive(id, archived) {
    if (!(await this.change(id, { archived }))) return;
    const text = archived ? gettext("Chat archived") : gettext("Chat is back in the list");
    toast(text, { label: gettext("Undo"), act: () => void this.change(id, { archived: !archived }) });
  }

  /** @param {string} id */
  async remove(id) {
    const wasOpen = this.#page.client.open === id;
    const title = this.find(id)?.title || gettext("New chat");
    try {
      await request("DELETE", `/conversations/${id}`);
    } catch (error) {
      return this.#say(error);
    }
    if (wasOpen) this.#navigation.leave();
    this.#page.client.store.deleteConversation(id);
    this.#page.redraw();
    return toast(interpolate(gettext("“%(title)s” deleted"), { title }), {
      label: gettext("Undo"), act: () => void this.#restore(id, wasOpen),
    });
  }

  /** @param {string} id @param {boolean} open */
  async #restore(id, open) {
    try {
      const { id: _id, ...restored } = await request("POST", `/conversations/${id}/restore`);
      this.#show(id, restored);
      if (open) await this.#navigation.visit(id);
    } catch (error) {
      this.#say(error);
    }
  }

  /** @param {string} id @param {Partial<Conversation>} changes */
  #show(id, changes) {
    this.#page.client.store.updateConversation(id, changes);
    this.#page.redraw();
  }

  /** @param {unknown} error */
  #say(error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
  }
}
