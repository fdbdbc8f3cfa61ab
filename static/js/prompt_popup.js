// A slash at the start of the composer offers the user's own prompts.

import { ApiError } from "./api.js";
import { byId, clone, find, setText } from "./dom.js";
import { askedFor, matching } from "./library.js";

const SHOWN = 8;

export class PromptPopup {
  /** @type {Prompt[]} */ #found = [];
  #at = 0;
  #dismissed = false;
  #list = byId("prompt-popup");
  #area = /** @type {HTMLTextAreaElement} */ (byId("composer-text"));
  #library;
  #take;

  /**
   * @param {import("./library.js").Library} library
   * @param {(text: string) => void} take
   */
  constructor(library, take) {
    this.#library = library;
    this.#take = take;
    this.#area.setAttribute("aria-controls", this.#list.id);
    this.#area.setAttribute("aria-autocomplete", "list");
    this.#area.addEventListener("input", () => {
      this.#dismissed = false;
      void this.#look();
    });
    this.#area.addEventListener("blur", () => this.#close());
    // Before the composer hears of it: Enter chooses here, and does not send.
    byId("composer").addEventListener("keydown", (event) => this.#key(event), { capture: true });
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => this.#clicked(event));
  }

  async #look() {
    if (askedFor(this.#area.value) === null) return this.#close();
    const prompts = await this.#library.prompts().catch((error) => {
      if (error instanceof ApiError) return [];
      throw error;
    });
    const letters = askedFor(this.#area.value);
    if (letters === null || this.#dismissed || document.activeElement !== this.#area) return this.#close();
    this.#found = matching(prompts, letters).slice(0, SHOWN);
    this.#at = 0;
    return this.#draw();
  }

  #draw() {
    this.#list.hidden = this.#found.length === 0;
    this.#list.replaceChildren(...this.#found.map((prompt, at) => {
      const option = clone("prompt-option");
      option.id = `prompt-option-${at}`;
      option.setAttribute("aria-selected", String(at === this.#at));
      setText(find(option, "b"), prompt.title);
      setText(find(option, "span"), prompt.text.replaceAll(/\s+/g, " ").trim());
      return option;
    }));
    const current = this.#list.children[this.#at];
    current?.scrollIntoView({ block: "nearest" });
    if (current) this.#area.setAttribute("aria-activedescendant", current.id);
    else this.#area.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.#list.hidden || event.isComposing || event.target !== this.#area) return;
    switch (event.key) {
      case "ArrowDown": this.#move(1); break;
      case "ArrowUp": this.#move(-1); break;
      case "Enter": case "Tab": this.#choose(this.#at); break;
      case "Escape": this.#dismiss(); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} by */
  #move(by) {
    this.#at = (this.#at + by + this.#found.length) % this.#found.length;
    this.#draw();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const option = /** @type {Element} */ (event.target).closest('[role="option"]');
    if (option) this.#choose([...this.#list.children].indexOf(option));
  }

  /** @param {number} at */
  #choose(at) {
    const prompt = this.#found[at];
    this.#close();
    if (prompt) this.#take(prompt.text);
  }

  #dismiss() {
    this.#dismissed = true;
    this.#close();
  }

  #close() {
    this.#found = [];
    this.#draw();
  }
}
