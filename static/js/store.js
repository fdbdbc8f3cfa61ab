// What this page knows: conversations, their messages, and one snapshot for each generation.

import { noteAfter } from "./notes.js";
import { apply, follows, fresh, hasEnded, replace } from "./snapshot.js";
import { Tree } from "./tree.js";

/** Conversations whose messages stay after another one is shown. */
const KEPT = 4;

export class Store {
  /** @type {Map<string, Conversation>} */ conversations = new Map();
  /** @type {Map<string, Tree>} by conversation, the one shown last at the end */ #trees = new Map();
  /** the conversation that was shown last */ #shown = "";
  /** @type {Map<string, Snapshot>} */ snapshots = new Map();
  /** How often a conversation was changed, and when each of them was last. */ revision = 0;
  /** @type {Map<string, number>} */ #changed = new Map();
  /** @type {Map<string, string>} generation to conversation */ #homes = new Map();
  /** @type {Map<string, Note>} what a generation is busy with */
  notes = new Map();
  /** @type {Folder[]} */ folders = [];

  /** @param {PageData} page */
  merge(page) {
    this.folders = page.folders;
    const oldest = reach(page.conversations, page.next);
    // The page has all that is pinned and the newest of the rest.
    this.mergeList(page.conversations, (one) =>
      !one.archived && (one.pinned || (one.folder === null && Date.parse(one.updated_at) >= oldest)));
    const { conversation: open } = page;
    // An old conversation is not among the newest ones, but its title is needed.
    if (open && !this.conversations.has(open.id)) {
      const updated_at = page.messages.at(-1)?.created_at ?? new Date(0).toISOString();
      this.conversations.set(open.id, { ...open, updated_at, active: [] });
    }
    if (!open) return;
    this.addWindow(open.id, page);
    this.#grow(open.id).end = page.latest;
  }

  /** @param {string} conversation @param {MessageWindow} window */
  addWindow(conversation, window) {
    this.#grow(conversation).addWindow(window);
    for (const message of window.messages) this.#addGeneration(message);
  }

  /** @param {string} conversation @returns {Tree | undefined} */
  treeOf(conversation) {
    return this.#trees.get(conversation);
  }

  /**
   * A conversation is shown: of those that were shown long ago the messages are forgotten.
   * @param {string} conversation
   */
  keep(conversation) {
    const tree = this.#grow(conversation);
    this.#trees.delete(conversation);
    this.#trees.set(conversation, tree);
    this.#shown = conversation;
    this.#forgetOld();
  }

  /**
   * Takes over a part of the list. What was known of that part and is not named any more is gone.
   * @param {Conversation[]} page
   * @param {(known: Conversation) => boolean} isPart
   * @param {number} [since] the `revision` when it was asked for: of what came later it knows nothing
   */
  mergeList(page, isPart, since = this.revision) {
    const isNewer = (/** @type {Conversation} */ { id }) => (this.#changed.get(id) ?? 0) > since;
    const named = new Set(page.map((one) => one.id));
    const kept = [...this.conversations.values()].filter((one) => isNewer(one) || (!named.has(one.id) && !isPart(one)));
    this.#arrange([...kept, ...page.filter((one) => !isNewer(one))]);
  }

  /** @param {Folder[]} folders all that there are; what was in another one is in none now */
  setFolders(folders) {
    this.folders = folders;
    const there = new Set(folders.map((folder) => folder.id));
    for (const [id, one] of this.conversations) {
      if (one.folder !== null && !there.has(one.folder)) this.conversations.set(id, { ...one, folder: null });
    }
  }

  /** @param {string} conversation @returns {Message[]} those that are here */
  messagesOf(conversation) {
    return this.#trees.get(conversation)?.messages ?? [];
  }

  /** @param {Message} message @returns {Block[]} the newest that is known of it */
  contentOf(message) {
    return this.snapshots.get(message.generation?.id ?? "")?.content ?? message.content;
  }

  /** @param {string} generation */
  homeOf(generation) {
    return this.#homes.get(generation);
  }

  /** @param {string} conversation */
  snapshotsOf(conversation) {
    return [...this.snapshots.values()].filter((one) => this.homeOf(one.generation) === conversation);
  }

  /** @param {string} conversation */
  running(conversation) {
    return this.snapshotsOf(conversation).filter((one) => !hasEnded(one));
  }

  /**
   * What a resume tells of a conversation. A generation of which nothing has come yet is named too,
   * at (0, 0): it may have ended since the page was made, and the server tells the end only of those
   * that it is asked about.
   * @param {string} conversation
   * @returns {Record<string, Position>}
   */
  positions(conversation) {
    const running = this.running(conversation);
    return Object.fromEntries(running.map((one) => [one.generation, [one.attempt, one.seq]]));
  }

  /** @param {Message} message a new one */
  addMessage(message) {
    this.#grow(message.conversation).add(message);
    this.#addGeneration(message);
  }

  /**
   * Shows at the ack what `message.created` will say again; that may even have come first.
   * @param {SubmitCommand} command
   * @param {AckFrame} ack
   * @param {FileBlock[]} [files]
   */
  addSubmitted(command, { conversation, message, reply, generation }, files = []) {
    if (!conversation || !message) return;
    if (!this.conversations.has(conversation)) this.updateConversation(conversation, {});
    const text = [{ type: /** @type {const} */ ("text"), text: command.text }];
    const content = [...files, ...(command.text ? text : [])];
    this.#addNew({ ...blank(message, conversation, command.parent), content });
    if (reply && generation) this.#addReply(reply, conversation, message, generation);
  }

  /**
   * @param {RetryCommand} command
   * @param {AckFrame} ack
   * @returns {string | undefined} the conversation
   */
  addRetried(command, { reply, generation }) {
    for (const [conversation, tree] of this.#trees) {
      const old = tree.get(command.message);
      if (!old) continue;
      const begun = command.continue ? this.contentOf(old) : [];
      if (reply && generation) this.#addReply(reply, conversation, old.parent, generation, begun);
      return conversation;
    }
    return undefined;
  }

  /**
   * @param {StreamEvent} event
   * @returns {"next" | "old" | "gap"} an event of an unknown generation is a gap
   */
  applyEvent(event) {
    if (event.type === "generation.started") this.#introduce(event);
    const snapshot = this.snapshots.get(event.generation);
    if (!snapshot) return "gap";
    const order = follows(snapshot, event);
    if (order !== "next") return order;
    const next = apply(snapshot, event);
    this.snapshots.set(event.generation, next);
    this.#note(event);
    if (hasEnded(next)) this.#rest(event.generation);
    return "next";
  }

  /** @param {SnapshotFrame} frame */
  applySnapshot(frame) {
    this.#introduce(frame);
    const known = this.snapshots.get(frame.generation) ?? fresh(frame.generation, frame.message);
    const next = replace(known, frame);
    this.snapshots.set(frame.generation, next);
    this.notes.delete(frame.generation);
    if (hasEnded(next)) this.#rest(frame.generation);
  }

  /** @param {QueuedFrame} frame */
  noteQueued(frame) {
    this.#introduce(frame);
    if (frame.position != null) this.notes.set(frame.generation, { position: frame.position });
  }

  /**
   * @param {string} id
   * @param {Partial<Conversation>} changed
   */
  updateConversation(id, changed) {
    const now = new Date().toISOString();
    const known = this.conversations.get(id)
      ?? { id, title: "", pinned: false, archived: false, folder: null, temporary: false, updated_at: now, active: [] };
    const next = { ...known, ...changed, id };
    this.#changed.set(id, ++this.revision);
    this.conversations.delete(id);
    this.#arrange([...this.conversations.values(), next]);
  }

  /** @param {string} id */
  deleteConversation(id) {
    this.#forget(id);
    this.conversations.delete(id);
  }

  /** @param {string} conversation */
  #forget(conversation) {
    for (const { generation } of this.snapshotsOf(conversation)) {
      this.snapshots.delete(generation);
      this.notes.delete(generation);
      this.#homes.delete(generation);
    }
    this.#trees.delete(conversation);
  }

  /** @param {string} conversation */
  #grow(conversation) {
    const known = this.#trees.get(conversation);
    if (known) return known;
    const tree = new Tree();
    this.#trees.set(conversation, tree);
    this.#forgetOld();
    return tree;
  }

  /** What other tabs and devices say would fill a tab that stays on one conversation for days. */
  #forgetOld() {
    const old = [...this.#trees.keys()].slice(0, -KEPT);
    for (const one of old) if (one !== this.#shown) this.#forget(one);
  }

  /** @param {Message} message */
  #addGeneration({ id, conversation, content, generation }) {
    if (!generation) return;
    this.#homes.set(generation.id, conversation);
    this.#seed(id, content, generation);
  }

  /** @param {Conversation[]} conversations */
  #arrange(conversations) {
    conversations.sort((one, other) => Date.parse(other.updated_at) - Date.parse(one.updated_at));
    this.conversations = new Map(conversations.map((conversation) => [conversation.id, conversation]));
  }

  /**
   * @param {string} id
   * @param {string} conversation
   * @param {string | null} parent
   * @param {string} generation
   * @param {Block[]} [content] what it goes on with
   */
  #addReply(id, conversation, parent, generation, content = []) {
    const { message: _message, content: _content, ...rest } = fresh(generation, id);
    const data = { ...rest, id: generation };
    this.#addNew({ ...blank(id, conversation, parent), role: "assistant", content, generation: data });
  }

  /** @param {Message} message */
  #addNew(message) {
    if (!this.#trees.get(message.conversation)?.get(message.id)) this.addMessage(message);
  }

  /**
   * A page's content of a running generation is a checkpoint of unknown position: it is shown, but
   * it claims no position, so that the next resume brings a snapshot instead of a hole.
   * @param {string} message
   * @param {Block[]} content
   * @param {GenerationData} generation
   */
  #seed(message, content, generation) {
    const { id, ...rest } = generation;
    const ended = hasEnded(generation);
    const known = this.snapshots.get(id);
    if (known && (!ended || hasEnded(known))) return;
    const position = ended ? {} : { attempt: 0, seq: 0 };
    this.snapshots.set(id, {
      ...fresh(id, message), ...rest, ...position, content,
    });
  }

  /** @param {{conversation?: string, generation: string, message?: string}} event */
  #introduce({ conversation, generation, message }) {
    if (!conversation || !message) return;
    this.#homes.set(generation, conversation);
    if (!this.snapshots.has(generation)) this.snapshots.set(generation, fresh(generation, message));
  }

  /**
   * The server says it of the conversation as well, unless the worker died between the two.
   * @param {string} generation
   */
  #rest(generation) {
    const conversation = this.conversations.get(this.#homes.get(generation) ?? "");
    if (conversation?.active.includes(generation)) {
      const active = conversation.active.filter((one) => one !== generation);
      this.conversations.set(conversation.id, { ...conversation, active });
    }
  }

  /** @param {StreamEvent} event */
  #note(event) {
    const note = noteAfter(this.notes.get(event.generation), event);
    if (note) this.notes.set(event.generation, note);
    else this.notes.delete(event.generation);
  }
}

/**
 * @param {string} id
 * @param {string} conversation
 * @param {string | null} parent
 * @returns {Message}
 */
function blank(id, conversation, parent) {
  const created_at = new Date().toISOString();
  return { id, conversation, parent, role: "user", content: [], created_at, generation: null, feedback: null };
}

/**
 * How far back a page of the list reaches, as milliseconds since 1970.
 * @param {Conversation[]} page
 * @param {string | null} next null: to the end
 */
export function reach(page, next) {
  if (next === null) return -Infinity;
  return Math.min(...page.filter((one) => !one.pinned).map((one) => Date.parse(one.updated_at)));
}
