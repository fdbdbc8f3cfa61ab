// The user's own prompts and presets, read once when they are first wanted.

import { request } from "./api.js";

export class Library {
  /** @type {Set<() => void>} */ #whenChanged = new Set();
  /** @type {Map<string, Promise<any[]>>} */ #lists = new Map();

  /** @param {() => void} act */
  whenChanged(act) {
    this.#whenChanged.add(act);
  }

  /** @returns {Promise<Prompt[]>} */
  prompts() {
    return this.#list("/prompts");
  }

  /** @returns {Promise<Preset[]>} */
  presets() {
    return this.#list("/presets");
  }

  /** @param {Omit<Prompt, "id">} prompt @param {string} [id] of the one to change */
  async savePrompt(prompt, id) {
    await this.#save("/prompts", prompt, id);
  }

  /** @param {Omit<Preset, "id">} preset @param {string} [id] of the one to change */
  async savePreset(preset, id) {
    await this.#save("/presets", preset, id);
  }

  /** @param {"/prompts" | "/presets"} path @param {string} id */
  async remove(path, id) {
    await request("DELETE", `${path}/${id}`);
    this.#changed(path);
  }

  /** @param {"/prompts" | "/presets"} path @param {unknown} row @param {string} [id] */
  async #save(path, row, id) {
    if (id === undefined) await request("POST", path, row);
    else await request("PUT", `${path}/${id}`, row);
    this.#changed(path);
  }

  /** @param {string} path */
  #changed(path) {
    this.#lists.delete(path);
    for (const act of this.#whenChanged) act();
  }

  /** @param {string} path @returns {Promise<any[]>} what could not be read is asked for again next time */
  #list(path) {
    const known = this.#lists.get(path) ?? request("GET", path);
    this.#lists.set(path, known);
    known.catch(() => this.#lists.delete(path));
    return known;
  }
}

/**
 * The prompts that a few letters stand for: those whose title begins with them first.
 * @param {Prompt[]} prompts
 * @param {string} letters
 */
export function matching(prompts, letters) {
  const wanted = letters.toLocaleLowerCase();
  const rank = (/** @type {Prompt} */ { title }) => title.toLocaleLowerCase().indexOf(wanted);
  return prompts.filter((prompt) => rank(prompt) >= 0).sort((one, other) => Math.min(rank(one), 1) - Math.min(rank(other), 1));
}

/** @param {string} text of the composer @returns {string | null} what is asked for after a slash; null where it is a message */
export function askedFor(text) {
  return /^\/[^\n/]{0,80}$/.test(text) ? text.slice(1) : null;
}
