// The files above the text that is being written, as chips.

import { clone, find, setText } from "./dom.js";
import { addressOf, factsText, sizeText } from "./files.js";
import { gettext, interpolate } from "./gettext.js";

export class AttachmentTray {
  /** @type {Map<string, HTMLElement>} */ #chips = new Map();
  #list;
  #note;

  /**
   * @param {HTMLElement} element
   * @param {{remove: (key: string) => void, retry: (key: string) => void, emptied: () => void}} handlers
   */
  constructor(element, handlers) {
    this.#list = find(element, "ul");
    this.#note = find(element, ".tray-note");
    this.#list.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button");
      const chip = /** @type {HTMLElement | null} */ (button?.closest("[data-key]"));
      if (!button || !chip?.dataset.key) return;
      if (button.dataset.action === "retry") return handlers.retry(chip.dataset.key);
      // The focus goes to the next chip, or back to the text, and not to nowhere.
      const next = neighbour(chip);
      handlers.remove(chip.dataset.key);
      if (next?.isConnected) find(next, '[data-action="remove"]').focus();
      else handlers.emptied();
    });
  }

  /** @param {readonly FileEntry[]} entries @param {string} note empty for none */
  show(entries, note) {
    const chips = new Map(entries.map((entry) => [entry.key, this.#chips.get(entry.key) ?? makeChip(entry)]));
    for (const [key, chip] of this.#chips) if (!chips.has(key)) letGo(chip);
    const before = this.#chips.size;
    this.#chips = chips;
    entries.forEach((entry) => drawChip(/** @type {HTMLElement} */ (chips.get(entry.key)), entry));
    const shown = [...chips.values()];
    if (shown.some((chip, index) => this.#list.children[index] !== chip)) this.#list.replaceChildren(...shown);
    this.#list.hidden = shown.length === 0;
    // On a phone the row goes on beyond the edge, and what was refused must be seen.
    if (shown.length > before) shown.at(-1)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    setText(this.#note, note);
    this.#note.hidden = note === "";
  }
}

/** @param {HTMLElement} chip */
function neighbour(chip) {
  return /** @type {HTMLElement | null} */ (chip.nextElementSibling ?? chip.previousElementSibling);
}

/** @param {FileEntry} entry */
function makeChip({ key, preview, isImage, block }) {
  const chip = clone("attachment");
  const image = /** @type {HTMLImageElement} */ (find(chip, "img"));
  chip.dataset.key = key;
  if (!isImage) return chip;
  image.addEventListener("load", () => { image.hidden = false; });
  image.src = preview ?? addressOf(block?.file_id ?? "");
  return chip;
}

/** @param {HTMLElement} chip */
function letGo(chip) {
  const { src } = /** @type {HTMLImageElement} */ (find(chip, "img"));
  if (src.startsWith("blob:")) URL.revokeObjectURL(src);
  chip.remove();
}

/** @param {HTMLElement} chip @param {FileEntry} entry */
function drawChip(chip, entry) {
  const progress = /** @type {HTMLProgressElement} */ (find(chip, "progress"));
  chip.dataset.state = entry.state;
  chip.title = entry.name;
  setText(find(chip, ".attachment-name"), entry.name);
  setText(find(chip, ".attachment-facts"), factsOf(entry));
  progress.hidden = entry.state !== "uploading";
  progress.value = entry.progress;
  name(progress, gettext("Upload of %(name)s"), entry);
  name(find(chip, '[data-action="remove"]'), gettext("Remove %(name)s"), entry);
  name(find(chip, '[data-action="retry"]'), gettext("Try to attach %(name)s again"), entry);
  find(chip, '[data-action="retry"]').hidden = !(entry.state === "failed" && entry.retryable);
}

/** @param {FileEntry} entry */
function factsOf({ state, reason, progress, reads, block, size }) {
  if (state === "failed") return reason;
  if (state === "uploading") return progress < 1 ? sizeText(size) : gettext("Being checked…");
  if (reads === "none") return gettext("No text to read in it");
  if (reads === "part") return gettext("Only its beginning is read");
  return block ? factsText(block) : "";
}

/** @param {HTMLElement} element @param {string} sentence @param {FileEntry} entry */
function name(element, sentence, entry) {
  element.setAttribute("aria-label", interpolate(sentence, { name: entry.name }));
}
