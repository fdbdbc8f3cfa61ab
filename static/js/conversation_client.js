// The browser's side of the protocol, without any DOM: it keeps the line, sends commands until they
// are answered, follows the open conversation, and says what changed.

import { Connection } from "./connection.js";
import { KnownFiles } from "./known_files.js";
import { Outbox } from "./outbox.js";
import { ReceivedReports } from "./received.js";
import { Resume } from "./resume.js";
import { Store } from "./store.js";
import { uuid } from "./uuid.js";

const RETRY_SECONDS = 2;
const NO_STORAGE = { load: () => [], save: () => {} };

export class ConversationClient {
  store = new Store();
  /** @type {string | null} the conversation that is shown */ open = null;
  #connectedBefore = false;
  /** @type {Set<string>} generations */ #reloadedFor = new Set();
  /** @type {Promise<void> | null} */ #reloading = null;
  #emit;
  #load;

  /**
   * @param {object} options
   * @param {() => SocketLike} options.create opens a socket
   * @param {(change: Change) => void} options.emit
   * @param {(conversation: string | null) => Promise<PageData | null>} options.load reads a page's data
   * @param {OutboxStorage} [options.storage]
   * @param {FileStorage} [options.files] what is known of files, over a reload
   * @param {() => number} [options.random]
   */
  constructor({ create, emit, load, storage = NO_STORAGE, files, random }) {
    this.#emit = emit;
    this.#load = load;
    this.files = new KnownFiles(files);
    this.connection = new Connection({
      create, random,
      handlers: {
        opened: () => this.#opened(),
        frame: (raw) => this.#frame(raw),
        changed: (state) => this.#lineChanged(state),
      },
    });
    this.outbox = new Outbox({
      storage,
      send: (command) => this.connection.send(command),
      changed: () => emit({ kind: "pending" }),
    });
    this.received = new ReceivedReports((report) =>
      this.connection.send({ type: "received", id: uuid(), ...report }));
    this.resume = new Resume({
      ask: (id) => this.#askResume(id),
      isBusy: () => this.open !== null && this.store.running(this.open).length > 0,
    });
  }

  /** @param {PageData} page */
  start(page) {
    this.store.merge(page);
    this.open = page.conversation?.id ?? null;
    if (this.open !== null) this.store.keep(this.open);
    this.connection.connect();
  }

  /**
   * Shows another conversation, or none. The page's data has been read before.
   * @param {string | null} conversation
   * @param {PageData} [page]
   */
  show(conversation, page) {
    if (page) this.store.merge(page);
    if (this.open !== null && this.open !== conversation) {
      this.connection.send({ type: "leave", id: uuid(), conversation: this.open });
    }
    this.resume.stop();
    this.open = conversation;
    if (conversation === null) return;
    this.store.keep(conversation);
    this.resume.start();
  }

  /** @param {string} conversation @param {MessageWindow} window */
  addWindow(conversation, window) {
    this.store.addWindow(conversation, window);
    this.#emit({ kind: "messages", conversation });
  }

  /**
   * @param {Pick<SubmitCommand, "conversation" | "parent" | "text"> & Partial<SubmitCommand>} message
   */
  submit(message) {
    this.outbox.add({ type: "message.submit", id: uuid(), client_message_id: uuid(), ...message });
  }

  /** @param {string} message @param {string} [model] */
  retry(message, model) {
    this.outbox.add({ type: "generation.retry", id: uuid(), message, ...(model && { model }) });
  }

  /** Asks for the rest of a cut answer. @param {string} message @param {string} [model] */
  goOn(message, model) {
    this.outbox.add({ type: "generation.retry", id: uuid(), message, continue: true, ...(model && { model }) });
  }

  /** @param {string} generation */
  cancel(generation) {
    if (this.isStopping(generation)) return;
    this.outbox.add({ type: "generation.cancel", id: uuid(), generation });
  }

  /** @param {string} generation */
  isStopping(generation) {
    return this.outbox.entries.some(({ command }) =>
      command.type === "generation.cancel" && command.generation === generation);
  }

  /** Messages of the shown conversation that the server has not taken yet. */
  get pending() {
    return this.outbox.entries.flatMap((entry) => {
      const { command } = entry;
      if (command.type !== "message.submit" || command.conversation !== this.open) return [];
      return [{ ...entry, files: this.files.blocks(command.attachments) }];
    });
  }

  #opened() {
    if (this.open !== null) this.resume.start();
    this.outbox.sendAll();
    // What other tabs wrote while the line was down came to nobody here.
    if (this.#connectedBefore) this.#reload();
    this.#connectedBefore = true;
  }

  /** @param {LineState} state */
  #lineChanged(state) {
    if (state.name !== "open") {
      this.resume.stop();
      this.received.clear();
    }
    this.#emit({ kind: "line", state });
  }

  /** @param {string} id */
  #askResume(id) {
    if (this.open === null) return false;
    const positions = this.store.positions(this.open);
    return this.connection.send({ type: "resume", id, conversation: this.open, positions });
  }

  #reload() {
    this.#reloading ??= this.#readPage().finally(() => { this.#reloading = null; });
  }

  async #readPage() {
    const { open } = this;
    const page = await this.#load(open);
    if (!page) return;
    this.store.merge(page);
    this.#emit({ kind: "conversations" });
    if (open !== null) this.#emit({ kind: "reloaded", conversation: open, messages: page.messages });
  }

  /** @param {string} raw */
  #frame(raw) {
    const frame = /** @type {Frame} */ (JSON.parse(raw));
    switch (frame.type) {
      case "pong": return;
      case "ack": return this.#acknowledged(frame);
      case "error": return this.#refused(frame);
      case "snapshot": return this.#snapshot(frame, raw.length);
      case "generation.queued": return this.#queued(frame);
      case "message.created": return this.#messageCreated(frame.message);
      case "conversation.updated": return this.#conversationUpdated(frame);
      case "conversation.settings": return this.#emit({ ...frame, kind: "settings" });
      case "message.rated": return this.#rated(frame);
      case "folders.updated": return this.#foldersUpdated(frame.folders);
      case "conversation.deleted": return this.#conversationDeleted(frame.conversation);
      default: return this.#event(frame, raw.length);
    }
  }

  /** @param {StreamEvent} event @param {number} chars */
  #event(event, chars) {
    // New kinds of frames may come that carry no position: they are none of ours.
    if (event.seq === undefined) return undefined;
    const order = this.store.applyEvent(event);
    if (order === "gap") return this.#gap(event);
    this.#advanced(event, chars);
    if (order === "next") this.#generationChanged(event.generation, event.type);
    return undefined;
  }

  /** @param {StreamEvent} event */
  #gap(event) {
    // Only the open conversation is followed: a hole in another one is cured when it is opened.
    const home = this.store.homeOf(event.generation);
    if (home === undefined || home === this.open) this.resume.gap(event);
  }

  /** @param {SnapshotFrame} frame @param {number} chars */
  #snapshot(frame, chars) {
    this.store.applySnapshot(frame);
    this.#advanced(frame, chars);
    if (this.#knows(frame)) this.#generationChanged(frame.generation, frame.type);
    else this.#reloadFor(frame.generation);
  }

  /** @param {Numbered} position @param {number} chars */
  #advanced({ generation }, chars) {
    const snapshot = this.store.snapshots.get(generation);
    if (!snapshot) return;
    this.received.note({ generation, attempt: snapshot.attempt, seq: snapshot.seq }, chars);
    this.resume.reached(snapshot);
  }

  /** @param {QueuedFrame} frame */
  #queued(frame) {
    this.store.noteQueued(frame);
    this.#generationChanged(frame.generation, frame.type);
  }

  /** @param {string} generation @param {string} event */
  #generationChanged(generation, event) {
    const conversation = this.store.homeOf(generation);
    if (conversation) this.#emit({ kind: "generation", generation, conversation, event });
  }

  /** @param {Message} message */
  #messageCreated(message) {
    this.store.addMessage(message);
    if (!this.store.conversations.has(message.conversation)) {
      this.store.updateConversation(message.conversation, {});
      this.#emit({ kind: "conversations" });
    }
    this.#emit({ kind: "messages", conversation: message.conversation });
  }

  /** @param {Extract<Frame, {type: "conversation.updated"}>} frame */
  #conversationUpdated({ type: _type, conversation, ...changed }) {
    this.store.updateConversation(conversation, changed);
    this.#emit({ kind: "conversations" });
  }

  /** @param {Extract<Frame, {type: "message.rated"}>} frame */
  #rated({ conversation, message, feedback }) {
    const rated = this.store.treeOf(conversation)?.get(message);
    if (!rated) return;
    rated.feedback = feedback;
    this.#emit({ kind: "rated" });
  }

  /** @param {Folder[]} folders */
  #foldersUpdated(folders) {
    this.store.setFolders(folders);
    this.#emit({ kind: "conversations" });
  }

  /** @param {string} conversation */
  #conversationDeleted(conversation) {
    this.store.deleteConversation(conversation);
    this.#emit({ kind: "conversations" });
    if (conversation === this.open) this.#emit({ kind: "missing", conversation });
  }

  /** @param {AckFrame} ack */
  #acknowledged(ack) {
    if (this.resume.answered(ack.id)) return this.#resumed(ack);
    const command = this.outbox.settle(ack.id);
    if (command?.type === "message.submit") this.#submitted(command, ack);
    if (command?.type === "generation.retry") this.#retried(command, ack);
    return undefined;
  }

  /** @param {AckFrame} ack */
  #resumed({ active = [] }) {
    const unknown = active.find((generation) => !this.store.snapshots.has(generation));
    if (unknown !== undefined) this.#reloadFor(unknown);
  }

  /** @param {SnapshotFrame} frame */
  #knows({ generation, message }) {
    return this.store.treeOf(this.store.homeOf(generation) ?? "")?.get(message) !== undefined;
  }

  /**
   * Its message may have been lost on the way here, or be in a part that is not here: once is enough.
   * @param {string} generation
   */
  #reloadFor(generation) {
    if (this.#reloadedFor.has(generation)) return;
    this.#reloadedFor.add(generation);
    this.#reload();
  }

  /** @param {SubmitCommand} command @param {AckFrame} ack */
  #submitted(command, ack) {
    const { conversation } = ack;
    if (!conversation) return;
    this.store.addSubmitted(command, ack, this.files.blocks(command.attachments));
    this.resume.watch();
    if (this.open === null && command.conversation === null) {
      this.open = conversation;
      this.store.keep(conversation);
      this.#emit({ kind: "opened", conversation });
    }
    this.#emit({ kind: "messages", conversation });
  }

  /** @param {RetryCommand} command @param {AckFrame} ack */
  #retried(command, ack) {
    const conversation = this.store.addRetried(command, ack);
    this.resume.watch();
    if (conversation) this.#emit({ kind: "messages", conversation });
  }

  /** @param {string} conversation @param {ErrorFrame} error */
  #cannotResume(conversation, { code, message }) {
    this.resume.stop();
    if (code === "not_found") this.#conversationDeleted(conversation);
    else this.#emit({ kind: "trouble", message });
  }

  /** @param {ErrorFrame} error */
  #refused(error) {
    const id = error.id ?? "";
    if (error.retryable) {
      const wait = (error.retry_after ?? RETRY_SECONDS) * 1000;
      if (this.resume.refused(id, wait) || this.outbox.postpone(error)) return undefined;
    }
    if (this.resume.answered(id) && this.open !== null) return this.#cannotResume(this.open, error);
    const command = this.outbox.settle(id);
    if (command) this.#emit({ kind: "refused", command, message: error.message });
    return undefined;
  }
}
