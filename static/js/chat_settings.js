// How the open conversation is to be answered: its model, instructions, temperature and tools. For a
// chat that has not begun they wait here, and its first message takes them along.

import { ApiError, request } from "./api.js";
import { openSettingsDialog } from "./chat_settings_dialog.js";
import { summaryOf } from "./chat_settings_summary.js";
import { byId, find, setText } from "./dom.js";
import { preference, setPreference } from "./keep.js";
import { toast } from "./toast.js";

/** @type {ChatSettings} */
const DEFAULTS = Object.freeze({ system_prompt: "", temperature: null, tools: null });

export class ChatSettingsOfPage {
  #settings = DEFAULTS;
  #chip = byId("settings-chip");
  #page;

  /** @param {import("./chat_page.js").ChatPage} page @param {PageData} data */
  constructor(page, data) {
    this.#page = page;
    page.whenShown((shown) => this.#shown(shown));
    page.models.whenPicked((model) => void this.#picked(model));
    page.whenSet((settings) => this.#show(settings));
    page.addToMessages(() => this.#forFirstMessage());
    this.#chip.addEventListener("click", () => this.open());
    byId("open-chat-settings").addEventListener("click", () => this.open());
    this.#shown(data);
  }

  /** @returns {ChatSettings & {model: string}} */
  get current() {
    return { ...this.#settings, model: this.#page.models.choice.model ?? "" };
  }

  open() {
    openSettingsDialog(this.#page.models.models, this.current, (wanted) => this.take(wanted));
  }

  /** Keeps them, in the conversation's row where there is one. Throws ApiError. @param {ChatSettings & {model: string}} wanted */
  async take({ model, system_prompt, temperature, tools }) {
    const wanted = { model, system_prompt, temperature, tools };
    const { open } = this.#page.client;
    if (open !== null) await request("PATCH", `/conversations/${open}/settings`, wanted);
    if (this.#page.client.open === open) this.#show(wanted);
  }

  /** @param {ChosenSettings} settings */
  #show({ model, ...settings }) {
    this.#settings = settings;
    this.#page.models.select(model);
    this.#draw();
  }

  /** @param {PageData} [page] */
  #shown(page) {
    const isNew = this.#page.client.open === null;
    this.#settings = page?.conversation?.settings ?? DEFAULTS;
    if (isNew) this.#page.models.select(preference("model"));
    this.#draw();
  }

  /** @param {string} model */
  async #picked(model) {
    setPreference("model", model);
    this.#draw();
    const { open } = this.#page.client;
    if (open === null) return;
    try {
      await request("PATCH", `/conversations/${open}/settings`, { model });
    } catch (error) {
      // Not lost: the next message names the model too.
      if (error instanceof ApiError) toast(error.message);
      else throw error;
    }
  }

  /** @returns {{settings?: ChatSettings}} */
  #forFirstMessage() {
    return this.#page.client.open === null && summaryOf(this.#settings) ? { settings: this.#settings } : {};
  }

  #draw() {
    const summary = summaryOf(this.#settings);
    this.#chip.hidden = summary === "";
    setText(find(this.#chip, "span"), summary);
  }
}
