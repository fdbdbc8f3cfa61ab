// One message on the page: the user's bubble, or an answer with its state and its actions.

import { BlockList } from "./blocks.js";
import { clone, find, setText } from "./dom.js";
import { filesIn } from "./files.js";
import { gettext } from "./gettext.js";
import { showFiles } from "./message_files.js";
import { hasEnded } from "./snapshot.js";
import { showSources, sourcesOf } from "./sources.js";
import { isEmpty, metaLine, offersRest, statusLine, wasStartedAgain } from "./status_line.js";

const LONG_WAIT_MS = 8_000;

/** @param {Block[]} content */
export function plainText(content) {
  return content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n\n");
}

export class UserView {
  element = clone("user-message");

  /** @param {Item} item */
  update({ message, siblings, quiet }) {
    this.element.dataset.message = message.id;
    showContent(this.element, plainText(message.content), filesIn(message.content));
    find(this.element, '[data-action="edit"]').hidden = !quiet;
    showSiblings(this.element, siblings);
  }
}

export class PendingView {
  element = clone("pending-message");

  /** @param {OutboxEntry} entry */
  update({ command, sent, reason, files = [] }) {
    if (command.type !== "message.submit") return;
    this.element.dataset.pending = command.id;
    showContent(this.element, command.text, files);
    const state = reason ?? (sent ? "" : gettext("Waiting for the connection"));
    setText(find(this.element, ".pending-state"), state);
    // Once it was handed over nobody can say that the server has not taken it.
    find(this.element, '[data-action="withdraw"]').hidden = sent;
    find(this.element, ".actions").hidden = state === "";
  }
}

export class AssistantView {
  element = clone("assistant-message");
  #blocks = new BlockList(find(this.element, ".blocks"));
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #waitedLong = false;
  /** @type {Item | null} */ #item = null;

  /** @param {Item} item */
  update(item) {
    const { message, snapshot } = item;
    this.#item = item;
    const running = snapshot !== null && !hasEnded(snapshot);
    this.element.dataset.message = message.id;
    this.element.dataset.generation = snapshot?.generation ?? "";
    this.element.toggleAttribute("data-live", running);
    const content = snapshot?.content ?? message.content;
    this.#blocks.update(content, running, { thoughtMs: thoughtMs(snapshot), calls: item.note?.calls ?? {} });
    showSources(find(this.element, ".sources"), running ? [] : sourcesOf(content));
    if (snapshot) this.#updateState(snapshot, item);
    this.#updateActions(item, running, snapshot !== null && offersRetry(snapshot));
    find(this.element, '.actions [data-action="copy"]').hidden = !plainText(content);
    // Where nothing came there is nothing to judge.
    for (const rating of ["good", "bad"]) find(this.element, `[data-action="${rating}"]`).hidden = content.length === 0;
  }

  /** @param {Snapshot} snapshot @param {Item} item */
  #updateState(snapshot, item) {
    const line = statusLine(snapshot, item.note, this.#waitedLong);
    const status = find(this.element, ".status");
    this.#watch(line.kind === "waiting");
    status.dataset.kind = line.kind;
    status.hidden = line.kind === "none";
    setText(find(status, ".status-text"), line.text);
    find(status, '[data-action="stop"]').hidden = !(line.kind === "waiting" && this.#waitedLong);
    find(status, '[data-action="retry"]').hidden = !item.quiet || !offersRetry(snapshot);
    find(status, '[data-action="continue"]').hidden = !item.quiet || !offersRest(snapshot);
    find(this.element, ".again").hidden = !wasStartedAgain(snapshot);
    setText(find(this.element, ".meta"), metaLine(snapshot, item.models));
  }

  /** @param {Item} item @param {boolean} running @param {boolean} offered whether the state offers a retry */
  #updateActions({ message, siblings, quiet }, running, offered) {
    find(this.element, ".actions").hidden = running;
    find(this.element, '.actions [data-action="retry"]').hidden = !quiet || offered;
    press(find(this.element, '[data-action="good"]'), message.feedback?.rating === 1);
    press(find(this.element, '[data-action="bad"]'), message.feedback?.rating === -1);
    showSiblings(this.element, siblings);
  }

  /** @param {boolean} waiting */
  #watch(waiting) {
    if (waiting && this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#waitIsLong(), LONG_WAIT_MS);
    }
    if (waiting) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waitedLong = false;
  }

  #waitIsLong() {
    this.#waitedLong = true;
    if (this.#item && this.element.isConnected) this.update(this.#item);
  }
}

/** @param {Snapshot | null} snapshot */
function thoughtMs(snapshot) {
  const ms = snapshot?.timings.reasoning_ms;
  return typeof ms === "number" ? ms : null;
}

/** @param {HTMLElement} button @param {boolean} on */
function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

/** @param {Snapshot} snapshot */
function offersRetry(snapshot) {
  const { status, error } = snapshot;
  return status === "cancelled" || (status === "failed" && error?.retryable !== false) || isEmpty(snapshot);
}

/** @param {HTMLElement} element of a user's message @param {string} text @param {FileBlock[]} files */
function showContent(element, text, files) {
  const bubble = find(element, ".bubble");
  setText(bubble, text);
  bubble.hidden = text === "";
  showFiles(find(element, ".message-files"), files);
  const copy = element.querySelector('[data-action="copy"]');
  if (copy instanceof HTMLElement) copy.hidden = text === "";
}

/** @param {HTMLElement} element @param {{index: number, ids: string[]}} siblings */
function showSiblings(element, { index, ids }) {
  const box = find(element, ".siblings");
  box.hidden = ids.length < 2;
  setText(find(box, ".siblings-count"), `${index + 1}/${ids.length}`);
  point(find(box, '[data-action="previous"]'), ids[index - 1]);
  point(find(box, '[data-action="next"]'), ids[index + 1]);
}

/** @param {HTMLButtonElement} button @param {string | undefined} target */
function point(button, target) {
  button.disabled = target === undefined;
  button.dataset.target = target ?? "";
}
