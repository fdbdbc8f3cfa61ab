// Which model answers next.

import { setText, find } from "./dom.js";
import { attachMenu } from "./menu.js";
import { fillModelMenu } from "./model_menu.js";

export class ModelPicker {
  /** @type {Set<(slug: string) => void>} */ #whenPicked = new Set();
  /** @type {Set<() => void>} */ #whenSelected = new Set();
  #slug = "";
  #button;
  #menu;
  #models;
  #fallback;

  /** @param {HTMLButtonElement} button @param {HTMLElement} menu @param {ModelChoice[]} models */
  constructor(button, menu, models) {
    this.#button = button;
    this.#menu = menu;
    this.#models = models;
    this.#fallback = (models.find((model) => model.default) ?? models[0])?.slug ?? "";
    if (models.length > 1) attachMenu(button, menu);
    // A label then, and nothing to press.
    else button.disabled = true;
    this.select(null);
  }

  get models() {
    return this.#models;
  }

  /** @param {(slug: string) => void} act called when the user has chosen */
  whenPicked(act) {
    this.#whenPicked.add(act);
  }

  /** @param {() => void} act called when another one is chosen, by whatever */
  whenSelected(act) {
    this.#whenSelected.add(act);
  }

  /** @param {string | null} slug null, or one that is gone, means the default */
  select(slug) {
    this.#slug = this.#models.some((model) => model.slug === slug) && slug !== null ? slug : this.#fallback;
    setText(find(this.#button, ".picker-label"), this.chosen?.label ?? "");
    fillModelMenu(this.#menu, this.#models, this.#slug, (picked) => this.pick(picked));
    for (const act of this.#whenSelected) act();
  }

  /** @param {string} slug */
  pick(slug) {
    this.select(slug);
    for (const act of this.#whenPicked) act(slug);
  }

  get chosen() {
    return this.#models.find((model) => model.slug === this.#slug);
  }

  /** @returns {{model?: string}} */
  get choice() {
    return this.#slug ? { model: this.#slug } : {};
  }
}
