// Brings a file of conversations, and shows how far the worker is with it, over reloads too.

import { ApiError, request } from "./api.js";
import { byId, find, setText } from "./dom.js";
import { gettext, interpolate, ngettext } from "./gettext.js";

const ASK_AGAIN_MS = 1_000;

export class ImportForm {
  #form = /** @type {HTMLFormElement} */ (byId("import-form"));
  #progress = /** @type {HTMLProgressElement} */ (byId("import-progress"));

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#try(() => this.#send());
    });
    void this.#try(() => this.#showLatest());
  }

  async #showLatest() {
    /** @type {ImportState[]} */
    const [latest] = await request("GET", "/imports");
    if (latest) await this.#follow(latest);
  }

  async #send() {
    this.#busy(true);
    this.#say(gettext("Uploading…"));
    this.#progress.removeAttribute("value");
    this.#progress.hidden = false;
    const state = await request("POST", "/imports", new FormData(this.#form));
    this.#form.reset();
    await this.#follow(state);
  }

  /** @param {ImportState} state */
  async #follow(state) {
    this.#show(state);
    if (isOver(state)) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    await this.#follow(await this.#ask(state));
  }

  /** A line that is down for a moment does not end it. @param {ImportState} state @returns {Promise<ImportState>} */
  async #ask(state) {
    try {
      return await request("GET", `/imports/${state.id}`);
    } catch (error) {
      if (error instanceof ApiError && error.status === 0) return state;
      throw error;
    }
  }

  /** @param {ImportState} state */
  #show(state) {
    const over = isOver(state);
    this.#busy(!over);
    this.#progress.hidden = over;
    if (state.total > 0) Object.assign(this.#progress, { max: state.total, value: state.done });
    else this.#progress.removeAttribute("value");
    this.#say(lineOf(state), state.status === "failed");
    const box = byId("import-problems");
    box.hidden = state.problems.length === 0;
    find(box, "ul").replaceChildren(...state.problems.map(itemOf));
  }

  /** @param {boolean} busy */
  #busy(busy) {
    /** @type {HTMLButtonElement} */ (find(this.#form, "button")).disabled = busy;
  }

  /** @param {string} text @param {boolean} [bad] */
  #say(text, bad = false) {
    byId("import-state").hidden = false;
    const line = byId("import-line");
    setText(line, text);
    line.classList.toggle("notice", bad);
    line.classList.toggle("notice-danger", bad);
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#busy(false);
      this.#progress.hidden = true;
      this.#say(error.message, true);
    }
  }
}

/** @param {ImportState} state */
function isOver({ status }) {
  return status === "completed" || status === "failed";
}

/** @param {ImportState} state */
export function lineOf(state) {
  const { name, status, done, total } = state;
  if (status === "queued") return interpolate(gettext("%(name)s waits to be read."), { name });
  if (status === "running") return interpolate(gettext("Reading %(name)s: %(done)s of %(total)s"), { name, done, total });
  const brought = countsOf(state).join(" · ");
  if (status === "completed") return `${name}: ${brought}`;
  return [state.error, state.created + state.extended > 0 ? brought : ""].filter(Boolean).join(" ");
}

/** @param {ImportState} state */
function countsOf({ created, extended, unchanged, refused }) {
  const parts = [
    interpolate(ngettext("%(n)s conversation imported", "%(n)s conversations imported", created), { n: created }),
    extended > 0 && interpolate(ngettext("%(n)s extended", "%(n)s extended", extended), { n: extended }),
    unchanged > 0 && interpolate(ngettext("%(n)s was here already", "%(n)s were here already", unchanged), { n: unchanged }),
    refused > 0 && interpolate(ngettext("%(n)s left out", "%(n)s left out", refused), { n: refused }),
  ];
  return parts.filter((part) => part !== false);
}

/** @param {string} text */
function itemOf(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}
