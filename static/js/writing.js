// What the user writes: the draft, the message that is being edited, and what comes back unsent.

import { Composer } from "./composer.js";
import { composerFiles, draftPlace, editPlace } from "./composer_files.js";
import { byId } from "./dom.js";
import { filesIn } from "./files.js";
import { draftsOf } from "./keep.js";
import { plainText } from "./message_view.js";

export class Writing {
  /** @type {{message: Message, draft: string} | null} */ #editing = null;
  /** @type {string | null | undefined} the conversation that is on its way, if one is */ #coming;
  #drafts;
  #client;
  #send;

  /**
   * @param {PageData} page
   * @param {object} deps
   * @param {import("./conversation_client.js").ConversationClient} deps.client
   * @param {(message: NextMessage & {parent: string | null | undefined}) => void} deps.send
   *   `parent` is undefined for a message that follows the shown path
   * @param {() => void} deps.stop
   * @param {() => boolean} deps.previous edits the last message of the user's
   * @param {import("./model_picker.js").ModelPicker} deps.models
   */
  constructor(page, { client, send, stop, previous, models }) {
    this.#client = client;
    this.#send = send;
    this.#drafts = draftsOf(page.user.id);
    const form = /** @type {HTMLFormElement} */ (byId("composer"));
    this.composer = new Composer(form, page.limits.message_chars, {
      send: (text) => this.#sent(text),
      stop,
      edited: () => this.stopEditing(),
      previous,
      changed: (text) => this.#drafts.save(this.#editing ? editPlace(this.#editing.message.id) : this.#place, text),
    });
    this.attachments = composerFiles(page, form, this.composer, models);
    this.#takeEarly(page.conversation?.id ?? null);
  }

  /** What was written before the page's scripts had come; a browser that reloads puts the draft there itself. @param {string | null} conversation */
  #takeEarly(conversation) {
    const [early, draft] = [this.composer.text, this.#drafts.load(conversation)];
    if (early) this.#drafts.save(conversation, early.startsWith(draft) ? early : `${draft}\n${early}`);
  }

  /** What is written now is meant for this conversation. */
  get #place() {
    return this.#coming === undefined ? this.#client.open : this.#coming;
  }

  /** Another conversation was chosen: from now on it is written to, and it may take a while to come. @param {string | null} conversation */
  leaveFor(conversation) {
    this.#coming = conversation;
    this.#take();
    this.composer.hold(true);
  }

  /** Another conversation is shown now. */
  shown() {
    const isTaken = this.#coming === this.#client.open;
    this.#coming = undefined;
    if (!isTaken) this.#take();
  }

  #take() {
    this.#setEditing(null);
    this.composer.say("");
    this.composer.setText(this.#drafts.load(this.#place));
    this.attachments.show(draftPlace(this.#place));
  }

  /** What was begun as a new conversation has become one. @param {string} conversation */
  opened(conversation) {
    this.attachments.move(draftPlace(null), draftPlace(conversation));
  }

  /** @param {Message} message */
  edit(message) {
    this.#setEditing({ message, draft: this.#editing?.draft ?? this.composer.text });
    this.composer.setText(this.#drafts.load(editPlace(message.id)) || plainText(message.content));
    this.attachments.show(editPlace(message.id), filesIn(message.content));
    this.composer.focus();
  }

  stopEditing() {
    if (!this.#editing) return false;
    this.composer.setText(this.#editing.draft);
    this.#leaveEdit(this.#editing.message);
    this.#setEditing(null);
    return true;
  }

  /** What could not be sent goes back to where it can be mended. @param {NextMessage & {conversation: string | null}} message */
  giveBack({ conversation, text, attachments }) {
    const { open, store } = this.#client;
    const isElsewhere = conversation !== open && (conversation === null || store.conversations.has(conversation));
    this.attachments.putBack(this.#client.files.blocks(attachments), draftPlace(isElsewhere ? conversation : open));
    if (isElsewhere) return this.#drafts.save(conversation, text);
    const words = [text, this.composer.text].filter(Boolean).join("\n\n");
    this.composer.setText(words);
    return this.#drafts.save(open, words);
  }

  /** A conversation is gone; what was being written in it is not. @param {string} conversation @param {() => void} leave */
  rescue(conversation, leave) {
    const { text } = this.composer;
    const files = this.attachments.ready;
    this.#drafts.save(conversation, "");
    this.attachments.forget(draftPlace(conversation));
    leave();
    this.giveBack({ conversation, text });
    this.attachments.putBack(files);
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
    const files = this.attachments.take();
    if (editing) this.#leaveEdit(editing.message);
    this.#setEditing(null);
    this.composer.setText(draft);
    this.#drafts.save(this.#client.open, draft);
    this.#client.files.remember(files);
    const attachments = files.map((file) => file.file_id);
    this.#send({ text, ...(files.length > 0 && { attachments }), parent: editing ? editing.message.parent : undefined });
  }

  /** @param {Message} message */
  #leaveEdit(message) {
    this.#drafts.save(editPlace(message.id), "");
    this.attachments.forget(editPlace(message.id));
    this.attachments.show(draftPlace(this.#client.open));
  }
}
