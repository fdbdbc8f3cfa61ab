// Theme, text size and language. The server puts what was chosen on `<html>`, so that nothing flashes;
// here it is changed: seen at once, stored with the user, and told to this browser's other tabs.

import { request } from "./api.js";
import { openDialog } from "./dialog.js";
import { gettext } from "./gettext.js";
import { toast } from "./toast.js";

/** @typedef {"theme" | "text_size" | "language"} Preference */
/** @typedef {Partial<Record<Preference, string>>} Preferences */

const DATASET = { theme: "theme", text_size: "textSize" };
/** What `<html>` does not name. */
const DEFAULTS = { theme: "system", text_size: "medium" };
const COLOURS = [...document.querySelectorAll('meta[name="theme-color"]')].map((meta) => meta.getAttribute("content") ?? "");
const tabs = new BroadcastChannel("preferences");

export function installPreferences() {
  mark(document);
  colourTheBrowser(document.documentElement.dataset.theme);
  document.addEventListener("change", (event) => changed(event));
  for (const button of document.querySelectorAll('[data-action="settings"]')) {
    button.addEventListener("click", () => openSettings());
  }
  tabs.addEventListener("message", (event) => followed(event.data));
}

export function openSettings() {
  mark(openDialog("settings"));
}

/** @param {Event} event */
function changed(event) {
  const { target } = event;
  const isControl = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (isControl && isPreference(target.name)) void choose({ [target.name]: target.value });
}

/** @param {string} name @returns {name is Preference} */
function isPreference(name) {
  return name === "theme" || name === "text_size" || name === "language";
}

/** @param {Preferences} chosen */
async function choose(chosen) {
  const before = shown();
  show(chosen);
  try {
    await request("PATCH", "/me/preferences", chosen);
  } catch (error) {
    show(before);
    return toast(/** @type {Error} */ (error).message);
  }
  tabs.postMessage(chosen);
  // The texts are the server's; what was being written is kept as a draft.
  if (chosen.language !== undefined) location.reload();
}

/** Another tab has chosen. @param {Preferences} chosen */
function followed(chosen) {
  show(chosen);
  if (chosen.language === undefined) return;
  toast(gettext("The language was changed in another tab."), {
    label: gettext("Reload"), act: () => location.reload(),
  });
}

/** @param {Preferences} chosen */
function show(chosen) {
  const { dataset } = document.documentElement;
  for (const [name, key] of Object.entries(DATASET)) {
    const value = chosen[/** @type {Preference} */ (name)];
    if (value !== undefined) dataset[key] = value;
  }
  colourTheBrowser(dataset.theme);
  mark(document);
}

/** The bar around the page, where a browser has one. @param {string | undefined} theme */
function colourTheBrowser(theme) {
  const [light = "", dark = ""] = COLOURS;
  const [first, second] = document.querySelectorAll('meta[name="theme-color"]');
  first?.setAttribute("content", theme === "dark" ? dark : light);
  second?.setAttribute("content", theme === "light" ? light : dark);
}

/** @returns {Preferences} */
function shown() {
  const { theme = DEFAULTS.theme, textSize = DEFAULTS.text_size } = document.documentElement.dataset;
  return { theme, text_size: textSize };
}

/** @param {ParentNode} root */
function mark(root) {
  for (const [name, value] of Object.entries(shown())) {
    const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll(`input[name="${name}"]`));
    for (const input of inputs) input.checked = input.value === value;
  }
}
