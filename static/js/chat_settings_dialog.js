// The dialog in which the settings of a conversation are chosen.

import { ApiError } from "./api.js";
import { openDialog } from "./dialog.js";
import { clone, find, setText } from "./dom.js";
import { gettext, locale } from "./gettext.js";
import { toolLabel } from "./tools.js";

const WARM = 1;

/**
 * @param {ModelChoice[]} models
 * @param {ChatSettings & {model: string}} current
 * @param {(wanted: ChatSettings & {model: string}) => Promise<void>} take
 */
export function openSettingsDialog(models, current, take) {
  const dialog = openDialog("chat-settings");
  const form = new SettingsForm(/** @type {HTMLFormElement} */ (find(dialog, "form")), models);
  form.fill(current);
  form.element.addEventListener("submit", (event) => {
    event.preventDefault();
    void form.attempt(async () => {
      await take(form.read());
      dialog.close();
    });
  });
  return { dialog, form };
}

export class SettingsForm {
  #models;
  #model;
  #words;
  #ownHeat;
  #heat;

  /** @param {HTMLFormElement} element @param {ModelChoice[]} models */
  constructor(element, models) {
    this.element = element;
    this.#models = models;
    this.#model = /** @type {HTMLSelectElement} */ (find(element, '[name="model"]'));
    this.#words = /** @type {HTMLTextAreaElement} */ (find(element, '[name="system_prompt"]'));
    this.#ownHeat = /** @type {HTMLInputElement} */ (find(element, '[name="own_temperature"]'));
    this.#heat = /** @type {HTMLInputElement} */ (find(element, '[name="temperature"]'));
    this.#model.replaceChildren(...models.map(({ slug, label }) => new Option(label, slug)));
    this.#model.addEventListener("change", () => this.#showTools(null));
    this.#ownHeat.addEventListener("change", () => this.#showHeat());
    this.#heat.addEventListener("input", () => this.#showHeat());
  }

  /** @param {ChatSettings & {model: string}} settings */
  fill({ model, system_prompt: words, temperature, tools }) {
    if (this.#models.some(({ slug }) => slug === model)) this.#model.value = model;
    this.#words.value = words;
    this.#ownHeat.checked = temperature !== null;
    this.#heat.value = String(temperature ?? WARM);
    this.#showHeat();
    this.#showTools(tools);
  }

  /** @returns {ChatSettings & {model: string}} */
  read() {
    const boxes = this.#boxes;
    const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
    return {
      model: this.#model.value,
      system_prompt: this.#words.value.trim(),
      temperature: this.#ownHeat.checked ? Number(this.#heat.value) : null,
      // All of them is what the model comes with, also when it gets another one.
      tools: chosen.length === boxes.length ? null : chosen,
    };
  }

  /** Shows what went wrong where the user is. @param {() => Promise<void>} act */
  async attempt(act) {
    const problem = find(this.element, ".form-error");
    try {
      problem.hidden = true;
      await act();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(problem, error.message);
      problem.hidden = false;
    }
  }

  /** @returns {HTMLInputElement[]} */
  get #boxes() {
    return [.../** @type {NodeListOf<HTMLInputElement>} */ (this.element.querySelectorAll('[name="tool"]'))];
  }

  #showHeat() {
    const own = this.#ownHeat.checked;
    this.#heat.disabled = !own;
    setText(find(this.element, "output"), own ? Number(this.#heat.value).toLocaleString(locale()) : gettext("As the model comes"));
  }

  /** @param {string[] | null} chosen */
  #showTools(chosen) {
    const offered = this.#models.find(({ slug }) => slug === this.#model.value)?.tools ?? [];
    find(this.element, ".no-tools").hidden = offered.length > 0;
    find(this.element, ".tool-choices").replaceChildren(...offered.map((name) => {
      const choice = clone("tool-choice");
      const box = /** @type {HTMLInputElement} */ (find(choice, "input"));
      box.value = name;
      box.checked = chosen === null || chosen.includes(name);
      setText(find(choice, "span"), toolLabel(name));
      return choice;
    }));
  }
}
