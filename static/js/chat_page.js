// The chat page: draws what the client knows, and turns what the user does into commands.

import { Announcer } from "./announcer.js";
import { questionSaid } from "./approval.js";
import { copyText } from "./clipboard.js";
import { ConversationClient } from "./conversation_client.js";
import { byId, oncePerFrame, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { knownFilesOf, outboxOf } from "./keep.js";
import { LineBanner } from "./line_banner.js";
import { listenForActions, messageActions } from "./message_actions.js";
import { plainText } from "./message_view.js";
import { ModelPicker } from "./model_picker.js";
import { lastSaid } from "./notes.js";
import { loadPageData } from "./page_data.js";
import { Reading } from "./reading.js";
import { hasEnded } from "./snapshot.js";
import { Sidebar } from "./sidebar.js";
import { statusLine } from "./status_line.js";
import { Thread } from "./thread.js";
import { toast } from "./toast.js";
import { Writing } from "./writing.js";

export class ChatPage {
  /** @type {Set<string>} generations that have grown since the last frame */ #grown = new Set();
  /** @type {Set<(page?: PageData) => void>} */ #whenShown = new Set();
  /** @type {Set<() => void>} */ #whenDrawn = new Set();
  /** @type {Set<(conversation: string) => void>} */ #whenOpened = new Set();
  /** @type {Set<(settings: ChosenSettings) => void>} */ #whenSet = new Set();
  /** @type {(message: NextMessage) => void} what was written while the page is busy */ takeNext = () => {};
  /** @type {Set<() => Partial<SubmitCommand>>} */ #additions = new Set();
  #actions = messageActions(this);
  #announcer = new Announcer(byId("announcer"));
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
      files: knownFilesOf(page.user.id),
    });
    this.models = new ModelPicker(/** @type {HTMLButtonElement} */ (byId("model")), byId("model-menu"), page.models);
    this.thread = new Thread(this.client, page.models);
    this.reading = new Reading(this.client, this.thread);
    this.writing = new Writing(page, {
      client: this.client,
      send: (message) => this.#written(message),
      stop: () => this.stop(),
      previous: () => this.#editLast(),
      models: this.models,
    });
    this.composer = this.writing.composer;
    listenForActions(byId("messages"), this.#actions);
    this.client.start(page);
    this.#shown(page);
  }

  /** @param {Record<string, import("./message_actions.js").MessageAction>} actions */
  addActions(actions) {
    Object.assign(this.#actions, actions);
  }

  /** @param {(page?: PageData) => void} act called when another conversation, or none, is shown */
  whenShown(act) {
    this.#whenShown.add(act);
  }

  /** @param {() => void} act called when what is shown may have changed, though not for each delta */
  whenDrawn(act) {
    this.#whenDrawn.add(act);
  }

  /** @param {(conversation: string) => void} act called when the first message of a new chat has opened it */
  whenOpened(act) {
    this.#whenOpened.add(act);
  }

  /** @param {(settings: ChosenSettings) => void} act called when those of the open conversation have changed, wherever */
  whenSet(act) {
    this.#whenSet.add(act);
  }

  /** @param {() => Partial<SubmitCommand>} more what a feature adds to each message that is sent */
  addToMessages(more) {
    this.#additions.add(more);
  }

  redraw() {
    this.reading.expire();
    this.#draw();
  }

  /** @param {string | null} conversation that is going to be shown */
  leaveFor(conversation) {
    this.writing.leaveFor(conversation);
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

  copyLast() {
    if (this.thread.last) void copyText(plainText(this.thread.last.content));
  }

  /** @param {string} id of a message @returns {Block[]} */
  contentOf(id) {
    const message = this.thread.message(id);
    const snapshot = this.client.store.snapshots.get(message?.generation?.id ?? "");
    return snapshot?.content ?? message?.content ?? [];
  }

  /** @param {string} id of a message */
  edit(id) {
    const message = this.thread.message(id);
    if (message) this.writing.edit(message);
  }

  #editLast() {
    const last = this.thread.path.findLast(({ role }) => role === "user");
    if (!last || this.isBusy) return false;
    this.edit(last.id);
    return true;
  }

  /** @param {string} id of an answer @param {string} [model] */
  retry(id, model = this.models.choice.model) {
    this.#askAgain(id);
    this.client.retry(id, model);
    this.#draw();
  }

  /** Asks for the rest of an answer that was cut. @param {string} id of the answer */
  goOn(id) {
    this.#askAgain(id);
    this.client.goOn(id, this.models.choice.model);
    this.#draw();
  }

  /** @param {string} id of an answer that another one is to follow */
  #askAgain(id) {
    this.composer.say("");
    this.thread.chooseNewest(this.thread.message(id)?.parent ?? null);
  }

  /** @param {string} id of a command */
  withdraw(id) {
    const command = this.client.outbox.settle(id);
    if (command?.type === "message.submit") this.writing.giveBack(command);
    this.composer.focus();
  }

  /** @param {string} message a sibling to show */
  turnTo(message) {
    void this.reading.turnTo(message).then(() => this.#draw());
  }

  /** @param {string} message of the open conversation, to bring into view */
  goTo(message) {
    return this.reading.goTo(message);
  }

  /** @param {PageData} [page] */
  #shown(page) {
    if (page) this.#goOnWith(page.conversation?.model ?? null);
    this.writing.shown();
    this.thread.pin(page?.message ?? null);
    this.reading.open(page?.message ?? null);
    this.#drawAll();
    for (const act of this.#whenShown) act(page);
    this.composer.hold(false);
  }

  /** @param {string | null} slug the model of the conversation; null: it has none yet */
  #goOnWith(slug) {
    this.models.select(slug);
    const { chosen } = this.models;
    if (!slug || !chosen || chosen.slug === slug) return;
    // The picker alone would not say that it is another one than before.
    toast(interpolate(gettext("The model “%(name)s” is not available. %(model)s answers now."), { name: slug, model: chosen.label }));
  }

  /** A message is on its way, or an answer is being written. */
  get isBusy() {
    return this.thread.isRunning || this.client.pending.length > 0;
  }

  /** @param {NextMessage & {parent: string | null | undefined}} message */
  #written({ parent, ...message }) {
    if (this.isBusy && parent === undefined) this.takeNext(message);
    else this.send({ ...message, ...(parent !== undefined && { parent }) });
  }

  /** @param {NextMessage & {parent?: string | null, client_message_id?: string}} message */
  send({ parent = this.thread.end, ...message }) {
    this.thread.chooseNewest(parent);
    const more = Object.assign({}, ...[...this.#additions].map((add) => add()));
    this.client.submit({ conversation: this.client.open, parent, ...message, ...this.models.choice, ...more });
    this.#drawAll();
    void this.reading.jump();
  }

  /** @param {Change} change */
  #changed(change) {
    if (change.kind === "line") return this.#lineChanged(change.state);
    if (change.kind === "generation") return this.#generationChanged(change);
    if (change.kind === "refused") return this.#refused(change);
    if (change.kind === "reloaded") void this.reading.reloaded(change.messages);
    if (change.kind === "opened") this.#opened(change.conversation);
    if (change.kind === "missing") return this.#leave(change.conversation);
    if (change.kind === "settings") return this.#settingsChanged(change);
    if (change.kind === "rated") return this.redraw();
    if (change.kind === "trouble") return this.composer.say(change.message);
    return this.#draw();
  }

  /** @param {string} conversation that the first message has opened */
  #opened(conversation) {
    this.writing.opened(conversation);
    for (const act of this.#whenOpened) act(conversation);
    this.handlers.opened(conversation);
  }

  /** @param {LineState} state */
  #lineChanged(state) {
    this.#banner.update(state);
    // What was changed elsewhere while the line was away, the page's own data says; of folders and the archive nobody does.
    if (state.name === "open") void this.sidebar.lists?.refresh();
  }

  /** @param {Extract<Change, {kind: "generation"}>} change */
  #generationChanged({ generation, conversation, event }) {
    if (conversation !== this.client.open) return;
    this.#grown.add(generation);
    const isDelta = event.endsWith(".delta") || event === "progress";
    if (isDelta) this.#drawGrown();
    else this.#draw();
  }

  /** In another tab, or here. @param {Extract<Change, {kind: "settings"}>} change */
  #settingsChanged({ conversation, settings }) {
    if (conversation !== this.client.open) return;
    for (const act of this.#whenSet) act(settings);
  }

  /** @param {Extract<Change, {kind: "refused"}>} change */
  #refused({ command, message }) {
    if (command.type === "message.submit") this.writing.giveBack(command);
    const snapshot = command.type === "generation.cancel" && this.client.store.snapshots.get(command.generation);
    const cameTooLate = snapshot && hasEnded(snapshot);
    if (!cameTooLate) this.composer.say(message);
    this.#draw();
  }

  /** A conversation that has been deleted elsewhere. @param {string} conversation */
  #leave(conversation) {
    this.writing.rescue(conversation, () => this.handlers.missing());
    this.composer.say(gettext("This conversation is no longer there."));
  }

  #drawAll() {
    const { client, thread, composer } = this;
    this.reading.draw();
    const running = thread.isRunning;
    this.#drawConversations();
    byId("empty").hidden = thread.path.length > 0 || client.pending.length > 0 || client.open !== null;
    composer.update({
      running,
      stopping: running && client.isStopping(thread.last?.generation ?? ""),
      blocked: client.pending.length > 0,
    });
    this.#drawGenerations();
    for (const act of this.#whenDrawn) act();
  }

  #drawConversations() {
    const { open, store } = this.client;
    this.sidebar.show([...store.conversations.values()].filter((one) => !one.temporary), open, store.folders);
    const title = (open !== null && store.conversations.get(open)?.title) || "";
    setText(byId("title"), title || (open === null ? "" : gettext("New chat")));
    document.title = title ? `${title} · Chatsite` : "Chatsite";
  }

  #drawGenerations() {
    for (const generation of this.#grown) {
      const item = this.thread.itemOf(generation);
      if (item?.snapshot) this.#drawGeneration(item, item.snapshot);
    }
    this.#grown.clear();
    this.reading.grown();
  }

  /** @param {Item} item @param {Snapshot} snapshot */
  #drawGeneration(item, snapshot) {
    this.reading.refresh(item);
    const state = statusLine(snapshot, item.note, false).text || questionSaid(snapshot) || lastSaid(item.note);
    this.#announcer.update(snapshot.generation, plainText(snapshot.content), hasEnded(snapshot), state);
  }
}

function socketUrl() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat/`;
}
