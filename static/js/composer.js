// The place to write: text, send or stop, and what was wrong with the last try.

import { find, setText } from "./dom.js";
import { locale } from "./gettext.js";

const GROWS_BY_ITSELF = CSS.supports("field-sizing", "content");
const NEARLY_FULL = 0.9;

/**
 * @typedef {object} ComposerHandlers
 * @property {(text: string) => void} send
 * @property {() => void} stop
 * @property {() => void} edited the user gave up editing a message
 * @property {() => boolean} previous the user wants to edit the last message; false where there is none
 * @property {(text: string) => void} changed
 * @typedef {object} ComposerFiles
 * @property {unknown[]} ready
 * @property {boolean} isUploading
 * @property {boolean} isStuck
 * @property {boolean} hasFailed
 */

export class Composer {
  /** @type {{running: boolean, stopping: boolean, blocked: boolean}} */
  #state = { running: false, stopping: false, blocked: false };
  /** @type {ComposerFiles} */ #files = { ready: [], isUploading: false, isStuck: false, hasFailed: false };
  #waits = false;
  #held = false;
  #form;
  #area;
  #send;
  #stop;
  #hint;
  #editing;
  #count;
  #limit;
  #handlers;

  /** @param {HTMLFormElement} form @param {number} limit characters @param {ComposerHandlers} handlers */
  constructor(form, limit, handlers) {
    this.#form = form;
    this.#limit = limit;
    this.#handlers = handlers;
    this.#area = /** @type {HTMLTextAreaElement} */ (find(form, "textarea"));
    this.#send = /** @type {HTMLButtonElement} */ (find(form, ".send"));
    this.#stop = /** @type {HTMLButtonElement} */ (find(form, ".stop"));
    this.#hint = find(form, ".composer-hint");
    this.#editing = find(form, ".composer-editing");
    this.#count = find(form, ".composer-count");
    this.#listen();
  }

  get text() {
    return this.#area.value;
  }

  get isEditing() {
    return !this.#editing.hidden;
  }

  focus() {
    this.#area.focus();
  }

  /** @param {string} text */
  setText(text) {
    this.#area.value = text;
    this.#area.setSelectionRange(text.length, text.length);
    this.#render();
  }

  /** As if the user had written it. @param {string} text */
  write(text) {
    this.setText(text);
    this.#handlers.changed(text);
    this.focus();
  }

  /** @param {boolean} editing */
  setEditing(editing) {
    this.#editing.hidden = !editing;
  }

  /** @param {string} sentence empty to take it away */
  say(sentence) {
    setText(this.#hint, sentence);
    this.#hint.hidden = sentence === "";
  }

  /** @param {{running: boolean, stopping: boolean, blocked: boolean}} state */
  update(state) {
    this.#state = state;
    this.#render();
  }

  /** A message that was to be sent does not go without a file that failed. @param {ComposerFiles} files */
  setFiles({ ready, isUploading, isStuck, hasFailed }) {
    this.#files = { ready, isUploading, isStuck, hasFailed };
    this.#waits &&= !hasFailed;
    this.#goOn();
  }

  /** While another conversation is on its way there is none to send to. @param {boolean} held */
  hold(held) {
    this.#held = held;
    this.#waits &&= !held;
    this.#goOn();
  }

  get #mustWait() {
    return this.#held || this.#files.isUploading;
  }

  /** What was to be sent goes when its files and its conversation are there. */
  #goOn() {
    const goes = this.#waits && !this.#mustWait;
    this.#waits &&= !goes;
    this.#render();
    if (goes) this.#submit();
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#area.addEventListener("input", () => {
      this.say("");
      this.#waits = false;
      this.#render();
      this.#handlers.changed(this.text);
    });
    this.#area.addEventListener("keydown", (event) => this.#key(event));
    this.#stop.addEventListener("click", () => this.#handlers.stop());
    find(this.#editing, "button").addEventListener("click", () => this.#handlers.edited());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "ArrowUp" && !this.#held && this.text === "" && !event.isComposing && this.#handlers.previous()) event.preventDefault();
    // Enter also ends the choice of a word in Japanese or Chinese, and a phone has no Shift at hand.
    const writes = event.isComposing || event.shiftKey || matchMedia("(pointer: coarse)").matches;
    if (event.key !== "Enter" || writes) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    if (!this.#isReady()) return;
    this.#waits = this.#mustWait;
    if (this.#waits) return this.#render();
    this.say("");
    this.#handlers.send(this.text.trim());
  }

  #isReady() {
    const { running, blocked } = this.#state;
    const { ready, isUploading, isStuck } = this.#files;
    // What is written meanwhile waits its turn; an edit cannot, its place may be gone by then.
    const canGo = !isStuck && (!this.isEditing || (!running && !blocked));
    const hasContent = this.text.trim() !== "" || ready.length > 0 || isUploading;
    return canGo && hasContent && lengthOf(this.text) <= this.#limit;
  }

  #render() {
    const { running, stopping } = this.#state;
    const ready = this.#isReady();
    // A hidden button would take the focus of who works with the keyboard along with it.
    if (!running && document.activeElement === this.#stop) this.focus();
    this.#stop.hidden = !running;
    // Not `disabled`, which would drop the focus as well.
    this.#stop.setAttribute("aria-disabled", String(stopping));
    this.#send.hidden = running && !ready;
    this.#send.disabled = !ready;
    this.#send.toggleAttribute("data-waits", this.#waits);
    this.#renderCount();
    if (GROWS_BY_ITSELF) return;
    this.#area.style.blockSize = "auto";
    this.#area.style.blockSize = `${this.#area.scrollHeight}px`;
  }

  #renderCount() {
    const length = this.text.length < this.#limit * NEARLY_FULL ? 0 : lengthOf(this.text);
    this.#count.hidden = length < this.#limit * NEARLY_FULL;
    this.#count.toggleAttribute("data-over", length > this.#limit);
    setText(this.#count, `${length.toLocaleString(locale())} / ${this.#limit.toLocaleString(locale())}`);
  }
}

/** @param {string} text @returns {number} characters as the server counts them: code points, not halves of pairs */
function lengthOf(text) {
  return [...text.trim()].length;
}
