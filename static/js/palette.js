// The command palette: recent chats at once, then what is found as one types, and what can be done.

import { commandsFor } from "./commands.js";
import { openDialog } from "./dialog.js";
import { byId, clone, find, setText } from "./dom.js";
import { gettext, interpolate, locale } from "./gettext.js";
import { pathOf } from "./page_data.js";
import { Search } from "./search.js";

const RECENT = 6;
const LONGEST_QUERY = 200;

/** @type {Palette | null} */
let shown = null;

/** @param {import("./chat_page.js").ChatPage} page */
export function togglePalette(page) {
  if (shown) return shown.close();
  shown = new Palette(page);
  return shown.whenClosed(() => { shown = null; });
}

class Palette {
  #page;
  #dialog = openDialog("palette");
  #input = /** @type {HTMLInputElement} */ (find(this.#dialog, "input"));
  #list = find(this.#dialog, "[role=listbox]");
  #search = new Search(() => this.#draw());
  /** @type {HTMLElement[]} */ #options = [];
  #chosen = 0;

  /** @param {import("./chat_page.js").ChatPage} page */
  constructor(page) {
    this.#page = page;
    this.#input.maxLength = LONGEST_QUERY;
    this.#input.addEventListener("input", () => {
      this.#chosen = 0;
      this.#search.type(this.#input.value);
    });
    this.#input.addEventListener("keydown", (event) => this.#pressed(event));
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    this.#list.addEventListener("pointermove", (event) => this.#pointed(event));
    this.#draw();
    this.#input.focus();
  }

  close() {
    this.#dialog.close();
  }

  /** @param {() => void} act */
  whenClosed(act) {
    this.#dialog.addEventListener("close", () => {
      this.#search.stop();
      act();
    });
  }

  #draw() {
    const { query, results, next, status } = this.#search.state;
    const typed = this.#input.value.trim();
    const groups = typed ? [this.#group(gettext("Chats"), results.map(hitOption)), this.#commands(typed)]
      : [this.#group(gettext("Recent"), this.#recent()), this.#commands("")];
    const isLong = typed !== "" && next !== null && status === "done";
    if (isLong) groups[0]?.append(clone("palette-more"));
    this.#list.replaceChildren(...groups.filter((group) => group !== null));
    this.#options = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("[role=option]")]);
    this.#options.forEach((option, at) => { option.id = `palette-option-${at}`; });
    this.#choose(Math.min(this.#chosen, this.#options.length - 1));
    this.#say(typed, query, results.length, status);
  }

  /** @param {string} typed @param {string} query @param {number} found @param {string} status */
  #say(typed, query, found, status) {
    const note = find(this.#dialog, ".palette-note");
    const none = status === "done" && found === 0;
    const text = status === "failed" ? gettext("The search did not work. Type on to try again.")
      : none ? interpolate(gettext("No chat holds “%(query)s”."), { query: query.trim() }) : "";
    setText(note, typed ? text : "");
    note.hidden = note.textContent === "";
    this.#dialog.toggleAttribute("data-busy", typed !== "" && status === "busy");
  }

  #recent() {
    const { conversations } = this.#page.client.store;
    return [...conversations.values()].filter((one) => !one.archived && !one.temporary).slice(0, RECENT).map((one) =>
      chatOption(one.id, pathOf(one.id), [{ text: one.title || gettext("New chat"), hit: false }], [], one.updated_at));
  }

  /** @param {string} query */
  #commands(query) {
    const options = commandsFor(query).map(({ label, keys = [], run }) => {
      const option = clone("palette-command");
      setText(find(option, ".palette-title"), label);
      find(option, ".keys").append(...keys.map(keyElement));
      option.addEventListener("click", () => {
        this.close();
        run();
      });
      return option;
    });
    return this.#group(gettext("Commands"), options);
  }

  /** @param {string} label @param {HTMLElement[]} options @returns {HTMLElement | null} */
  #group(label, options) {
    if (options.length === 0) return null;
    const group = clone("palette-group");
    group.setAttribute("aria-label", label);
    setText(find(group, ".palette-heading"), label);
    group.append(...options);
    return group;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing) return;
    const count = this.#options.length;
    const to = { ArrowDown: this.#chosen + 1, ArrowUp: this.#chosen - 1 + count }[event.key];
    if (to !== undefined && count > 0) {
      event.preventDefault();
      this.#choose(to % count);
      this.#options[this.#chosen]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#options[this.#chosen]?.click();
    }
  }

  /** @param {number} at */
  #choose(at) {
    this.#chosen = Math.max(0, at);
    this.#options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.#chosen)));
    this.#input.setAttribute("aria-activedescendant", this.#options[this.#chosen]?.id ?? "");
  }

  /** @param {PointerEvent} event */
  #pointed(event) {
    const option = optionAt(event);
    const at = option ? this.#options.indexOf(option) : -1;
    if (at >= 0 && at !== this.#chosen) this.#choose(at);
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const option = optionAt(event);
    if (option?.matches(".palette-more")) return this.#search.more();
    return option?.matches(".palette-chat") ? setTimeout(() => this.close()) : undefined;
  }
}

/** @param {Event} event @returns {HTMLElement | null} */
function optionAt(event) {
  return /** @type {Element} */ (event.target).closest("[role=option]");
}

/** @param {SearchHit} hit */
function hitOption({ conversation, message, title, excerpt, at, archived }) {
  const path = pathOf(conversation) + (message ? `?message=${message}` : "");
  return chatOption(conversation, path, title, excerpt, at, archived);
}

/**
 * @param {string} conversation
 * @param {string} path
 * @param {SearchPiece[]} title
 * @param {SearchPiece[]} excerpt
 * @param {string} at
 * @param {boolean} [archived]
 */
function chatOption(conversation, path, title, excerpt, at, archived = false) {
  const option = /** @type {HTMLAnchorElement} */ (clone("palette-chat"));
  option.href = path;
  option.dataset.conversation = conversation;
  find(option, ".palette-title").append(...(title.length > 0 ? title : [{ text: gettext("New chat"), hit: false }]).map(pieceNode));
  find(option, ".palette-excerpt").append(...excerpt.map(pieceNode));
  find(option, ".palette-excerpt").hidden = excerpt.length === 0;
  find(option, ".palette-archived").hidden = !archived;
  setText(find(option, ".palette-when"), day(new Date(at)));
  return option;
}

/** @param {SearchPiece} piece */
function pieceNode({ text, hit }) {
  if (!hit) return document.createTextNode(text);
  const mark = document.createElement("mark");
  mark.textContent = text;
  return mark;
}

/** @param {Date} at */
function day(at) {
  const now = new Date();
  if (at.toDateString() === now.toDateString()) return at.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: /** @type {const} */ ("numeric") };
  return at.toLocaleDateString(locale(), { day: "numeric", month: "short", ...year });
}

/** @param {string} key */
export function keyElement(key) {
  const element = document.createElement("kbd");
  element.textContent = key;
  return element;
}

/** @param {import("./chat_page.js").ChatPage} page */
export function installPalette(page) {
  byId("open-palette").addEventListener("click", () => togglePalette(page));
}
