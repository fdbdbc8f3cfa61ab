// What the user writes: the draft, the message that is being edited, and what comes back unsent.

import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { draftsOf } from "./keep.js";
import { plainText } from "./message_view.js";

export class Writing {
  /** @type {{message: Message, draft: string} | null} */ #editing = null;
  #drafts;
  #client;
  #send;

  /**
   * @param {PageData} page
   * @param {object} deps
   * @param {import("./conversation_client.js").ConversationClient} deps.client
   * @param {(message: {text: string, parent: string | null | undefined}) => void} deps.send
   *   `parent` is undefined for a message that follows the shown path
   * @param {() => void} deps.stop
   * @param {() => boolean} deps.previous edits the last message of the user's
   */
  constructor(page, { client, send, stop, previous }) {
    this.#client = client;
    this.#send = send;
    this.#drafts = draftsOf(page.user.id);
    this.composer = new Composer(/** @type {HTMLFormElement} */ (byId("composer")), page.limits.message_chars, {
      send: (text) => this.#sent(text),
      stop,
      edited: () => this.stopEditing(),
      previous,
      changed: (text) => { if (!this.#editing) this.#drafts.save(client.open, text); },
    });
  }

  /** Another conversation is shown now. */
  shown() {
    this.#setEditing(null);
    this.composer.say("");
    this.composer.setText(this.#drafts.load(this.#client.open));
  }

  /** @param {Message} message */
  edit(message) {
    this.#setEditing({ message, draft: this.#editing?.draft ?? this.composer.text });
    this.composer.setText(plainText(message.content));
    this.composer.focus();
  }

  stopEditing() {
    if (!this.#editing) return false;
    this.composer.setText(this.#editing.draft);
    this.#setEditing(null);
    return true;
  }

  /** What could not be sent goes back to where it can be mended. @param {{conversation: string | null, text: string}} message */
  giveBack({ conversation, text }) {
    const { open, store } = this.#client;
    const isElsewhere = conversation === null || store.conversations.has(conversation);
    if (conversation !== open && isElsewhere) return this.#drafts.save(conversation, text);
    const words = [text, this.composer.text].filter(Boolean).join("\n\n");
    this.composer.setText(words);
    return this.#drafts.save(open, words);
  }

  /** A conversation is gone; what was being written in it is not. @param {string} conversation @param {() => void} leave */
  rescue(conversation, leave) {
    const { text } = this.composer;
    this.#drafts.save(conversation, "");
    leave();
    this.giveBack({ conversation, text });
  }

  /** @param {{message: Message, draft: string} | null} editing */
  #setEditing(editing) {
    this.#editing = editing;
    this.composer.setEditing(editing !== null);
    for (const element of document.querySelectorAll("#messages > [data-editing]")) element.removeAttribute("data-editing");
    if (editing) document.querySelector(`#messages > [data-message="${editing.message.id}"]`)?.setAttribute("data-editing", "");
  }

  /** @param {string} text */
  #sent(text) {
    const editing = this.#editing;
    const draft = editing?.draft ?? "";
    this.#setEditing(null);
    this.composer.setText(draft);
    this.#drafts.save(this.#client.open, draft);
    this.#send({ text, parent: editing ? editing.message.parent : undefined });
  }
}
