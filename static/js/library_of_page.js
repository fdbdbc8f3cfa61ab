// Where the library meets the page: the slash in the composer, the menu, presets on an empty page.

import { ApiError } from "./api.js";
import { byId, clone, setText } from "./dom.js";
import { Library } from "./library.js";
import { openLibrary, openPreset } from "./library_dialog.js";
import { PromptPopup } from "./prompt_popup.js";

/**
 * @param {import("./chat_page.js").ChatPage} page
 * @param {import("./chat_settings.js").ChatSettingsOfPage} settings
 * @param {() => void} newChat
 */
export function installLibrary(page, settings, newChat) {
  const library = new Library();
  const write = (/** @type {string} */ text) => page.composer.write(text);
  const begin = (/** @type {Preset} */ preset) => {
    newChat();
    void settings.take(preset);
    page.composer.focus();
  };
  const use = { library, models: page.models.models, write, begin };
  new PromptPopup(library, write);
  byId("open-library").addEventListener("click", () => openLibrary(use));
  byId("save-preset").addEventListener("click", () => openPreset(use, { ...settings.current, name: "" }));
  showPresets(page, use);
}

/** @param {import("./chat_page.js").ChatPage} page @param {import("./library_dialog.js").LibraryUse} use */
function showPresets(page, { library, begin }) {
  const row = byId("presets");
  const draw = async () => {
    if (page.client.open !== null) return;
    const presets = await library.presets();
    row.hidden = presets.length === 0;
    row.replaceChildren(...presets.map((preset) => {
      const item = clone("preset-chip");
      const button = /** @type {HTMLButtonElement} */ (item.firstElementChild);
      setText(button, preset.name);
      button.addEventListener("click", () => begin(preset));
      return item;
    }));
  };
  // They are a comfort: a page that cannot read them now shows none.
  const drawOrNot = () => void draw().catch((error) => { if (!(error instanceof ApiError)) throw error; });
  page.whenShown(drawOrNot);
  library.whenChanged(drawOrNot);
  drawOrNot();
}
