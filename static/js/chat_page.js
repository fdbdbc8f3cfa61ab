// The chat page: draws what the client knows, and turns clicks into commands.

import { Announcer } from "./announcer.js";
import { copyText } from "./clipboard.js";
import { Composer } from "./composer.js";
import { ConversationClient } from "./conversation_client.js";
import { byId, find, oncePerFrame, setText } from "./dom.js";
import { Follower } from "./follower.js";
import { draftsOf, outboxOf } from "./keep.js";
import { LineBanner } from "./line_banner.js";
import { MessageList } from "./message_list.js";
import { plainText } from "./message_view.js";
import { ModelPicker } from "./model_picker.js";
import { loadPageData } from "./page_data.js";
import { hasEnded } from "./snapshot.js";
import { Sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";

export class ChatPage {
  /** @type {Set<string>} generations that have grown since the last frame */ #grown = new Set();
  /** @type {{message: Message, draft: string} | null} */ #editing = null;
  #list = new MessageList(byId("messages"));
  #announcer = new Announcer(byId("announcer"));
  #follower = new Follower(byId("scroller"), byId("jump"));
  #banner = new LineBanner(byId("line-banner"), () => this.client.connection.nudge());
  #draw = oncePerFrame(() => this.#drawAll());
  #drawGrown = oncePerFrame(() => this.#drawGenerations());
  sidebar = new Sidebar();

  /**
   * @param {PageData} page
   * @param {{opened: (conversation: string) => void, missing: () => void}} handlers
   */
  constructor(page, handlers) {
    this.handlers = handlers;
    this.client = new ConversationClient({
      create: () => new WebSocket(socketUrl()),
      emit: (change) => this.#changed(change),
      load: loadPageData,
      storage: outboxOf(page.user.id),
    });
    this.drafts = draftsOf(page.user.id);
    this.models = new ModelPicker(/** @type {HTMLSelectElement} */ (byId("model")), page.models);
    this.thread = new Thread(this.client, page.models);
    this.composer = this.#makeComposer(page.limits.message_chars);
    byId("messages").addEventListener("click", (event) => this.#clicked(event));
    this.client.start(page);
    this.#shown(page);
  }

  /** @param {string | null} conversation @param {PageData} [page] */
  show(conversation, page) {
    if (this.client.open !== conversation) this.thread.reset();
    this.client.show(conversation, page);
    this.#shown(page);
  }

  stop() {
    const { last } = this.thread;
    if (last === null || hasEnded(last)) return false;
    this.client.cancel(last.generation);
    this.#draw();
    return true;
  }

  stopEditing() {
    if (!this.#editing) return false;
    this.composer.setText(this.#editing.draft);
    this.composer.setEditing(false);
    this.#editing = null;
    return true;
  }

  copyLast() {
    if (this.thread.last) void copyText(plainText(this.thread.last.content));
  }

  /** @param {PageData} [page] */
  #shown(page) {
    this.#editing = null;
    this.composer.setEditing(false);
    this.composer.say("");
    this.composer.setText(this.drafts.load(this.client.open));
    if (page) this.models.select(page.conversation?.model ?? null);
    this.#drawAll();
    this.#follower.jump();
  }

  /** @param {number} limit */
  #makeComposer(limit) {
    const composer = new Composer(/** @type {HTMLFormElement} */ (byId("composer")), limit, {
      send: (text) => this.#send(text),
      stop: () => this.stop(),
      edited: () => this.stopEditing(),
      changed: (text) => { if (!this.#editing) this.drafts.save(this.client.open, text); },
    });
    return composer;
  }

  /** @param {string} text */
  #send(text) {
    const { open } = this.client;
    const parent = this.#editing ? this.#editing.message.parent : this.thread.path.at(-1)?.id ?? null;
    const draft = this.#editing?.draft ?? "";
    this.#editing = null;
    this.composer.setEditing(false);
    this.composer.setText(draft);
    this.drafts.save(open, draft);
    this.thread.chooseNewest(parent);
    this.client.submit({ conversation: open, parent, text, ...this.models.choice });
    this.#drawAll();
    this.#follower.jump();
  }

  /** @param {Change} change */
  #changed(change) {
    if (change.kind === "line") return this.#banner.update(change.state);
    if (change.kind === "generation") return this.#generationChanged(change);
    if (change.kind === "refused") return this.#refused(change);
    if (change.kind === "opened") this.handlers.opened(change.conversation);
    if (change.kind === "missing") return this.#leave(change.conversation);
    if (change.kind === "trouble") return this.composer.say(change.message);
    return this.#draw();
  }

  /** @param {Extract<Change, {kind: "generation"}>} change */
  #generationChanged({ generation, conversation, event }) {
    if (conversation !== this.client.open) return;
    this.#grown.add(generation);
    const isDelta = event.endsWith(".delta") || event === "progress";
    if (isDelta) this.#drawGrown();
    else this.#draw();
  }

  /** What could not be sent goes back to where it can be mended. @param {Extract<Change, {kind: "refused"}>} change */
  #refused({ command, message }) {
    if (command.type === "message.submit") this.#giveBack(command);
    const snapshot = command.type === "generation.cancel" && this.client.store.snapshots.get(command.generation);
    const cameTooLate = snapshot && hasEnded(snapshot);
    if (!cameTooLate) this.composer.say(message);
    this.#draw();
  }

  /** A conversation that has been deleted elsewhere. What was being written here is not. @param {string} conversation */
  #leave(conversation) {
    const text = this.composer.text;
    this.drafts.save(conversation, "");
    this.handlers.missing();
    this.#giveBack({ conversation, text });
    this.composer.say("This conversation is no longer there.");
  }

  /** @param {{conversation: string | null, text: string}} message */
  #giveBack({ conversation, text }) {
    const { open, store } = this.client;
    const isElsewhere = conversation === null || store.conversations.has(conversation);
    if (conversation !== open && isElsewhere) return this.drafts.save(conversation, text);
    const words = [text, this.composer.text].filter(Boolean).join("\n\n");
    this.composer.setText(words);
    return this.drafts.save(open, words);
  }

  #drawAll() {
    const { client, thread, composer } = this;
    const items = thread.items();
    const running = thread.isRunning;
    this.#list.show(items, client.pending);
    this.#drawConversations();
    byId("empty").hidden = items.length > 0 || client.pending.length > 0 || client.open !== null;
    composer.update({
      running,
      stopping: running && client.isStopping(thread.last?.generation ?? ""),
      blocked: client.pending.length > 0,
    });
    this.#drawGenerations();
  }

  #drawConversations() {
    const { open, store } = this.client;
    this.sidebar.show(store.conversations.values(), open);
    const title = (open !== null && store.conversations.get(open)?.title) || "";
    setText(byId("title"), title || (open === null ? "" : "New chat"));
    document.title = title ? `${title} · Chatsite` : "Chatsite";
  }

  #drawGenerations() {
    for (const generation of this.#grown) {
      const item = this.thread.itemOf(generation);
      if (item?.snapshot) this.#drawGeneration(item, item.snapshot);
    }
    this.#grown.clear();
    this.#follower.grown();
  }

  /** @param {Item} item @param {Snapshot} snapshot */
  #drawGeneration(item, snapshot) {
    this.#list.refresh(item);
    this.#announcer.update(snapshot.generation, plainText(snapshot.content), hasEnded(snapshot));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLButtonElement | null} */ (target.closest("button[data-action]"));
    const element = /** @type {HTMLElement | null} */ (button?.closest("[data-message], [data-pending]"));
    if (!button || !element) return;
    const { message = "", pending = "" } = element.dataset;
    const actions = /** @type {Record<string, () => void>} */ ({
      copy: () => void copyFrom(button, this.#textOf(message)),
      "copy-code": () => void copyFrom(button, codeOf(button)),
      wrap: () => button.closest(".code")?.toggleAttribute("data-wrap"),
      edit: () => this.#edit(message),
      retry: () => this.#retry(message),
      stop: () => this.stop(),
      withdraw: () => this.#withdraw(pending),
      previous: () => this.#turn(button),
      next: () => this.#turn(button),
    });
    actions[button.dataset.action ?? ""]?.();
  }

  /** @param {string} id */
  #textOf(id) {
    const message = this.thread.message(id);
    const snapshot = this.client.store.snapshots.get(message?.generation?.id ?? "");
    return plainText(snapshot?.content ?? message?.content ?? []);
  }

  /** @param {string} id */
  #edit(id) {
    const message = this.thread.message(id);
    if (!message) return;
    this.#editing = { message, draft: this.#editing?.draft ?? this.composer.text };
    this.composer.setEditing(true);
    this.composer.setText(plainText(message.content));
    this.composer.focus();
  }

  /** @param {string} id */
  #retry(id) {
    this.thread.chooseNewest(this.thread.message(id)?.parent ?? null);
    this.client.retry(id, this.models.choice.model);
    this.#draw();
  }

  /** @param {string} id */
  #withdraw(id) {
    const command = this.client.outbox.settle(id);
    if (command?.type === "message.submit") this.#giveBack(command);
    this.composer.focus();
  }

  /** @param {HTMLButtonElement} button */
  #turn(button) {
    this.thread.choose(button.dataset.target ?? "");
    this.#drawAll();
  }
}

function socketUrl() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat/`;
}

/** @param {HTMLElement} button */
function codeOf(button) {
  return find(/** @type {Element} */ (button.closest(".code")), "code").textContent ?? "";
}

/** @param {HTMLElement} button @param {string} text */
async function copyFrom(button, text) {
  if (!(await copyText(text))) return;
  button.setAttribute("data-done", "");
  setTimeout(() => button.removeAttribute("data-done"), 1_500);
}
