// The dialog with the user's own prompts and presets: to write, use, change and delete them.

import { ApiError } from "./api.js";
import { SettingsForm } from "./chat_settings_dialog.js";
import { summaryOf } from "./chat_settings_summary.js";
import { confirm, openDialog } from "./dialog.js";
import { clone, find, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { toast } from "./toast.js";

/**
 * @typedef {object} LibraryUse
 * @property {import("./library.js").Library} library
 * @property {ModelChoice[]} models
 * @property {(text: string) => void} write puts a prompt into the composer
 * @property {(preset: Preset) => void} begin opens a new chat with a preset
 */

/** @param {LibraryUse} use */
export function openLibrary(use) {
  const { library } = use;
  const dialog = openDialog("library");
  const draw = async () => {
    const [prompts, presets] = await Promise.all([library.prompts(), library.presets()]);
    showRows(find(dialog, ".library-prompts"), prompts.map((prompt) => promptRow(prompt, use, dialog)));
    showRows(find(dialog, ".library-presets"), presets.map((preset) => presetRow(preset, use, dialog)));
  };
  const drawOrSay = () => void draw().catch(say);
  library.whenChanged(() => { if (dialog.isConnected) drawOrSay(); });
  find(dialog, '[data-action="new-prompt"]').addEventListener("click", () => openPrompt(library));
  find(dialog, '[data-action="new-preset"]').addEventListener("click", () => openPreset(use));
  drawOrSay();
}

/** @param {HTMLElement} section @param {HTMLElement[]} rows */
function showRows(section, rows) {
  find(section, "ul").replaceChildren(...rows);
  find(section, ".library-none").hidden = rows.length > 0;
}

/** @param {Prompt} prompt @param {LibraryUse} use @param {HTMLDialogElement} dialog */
function promptRow(prompt, { library, write }, dialog) {
  const { title, text, id } = prompt;
  return rowOf(title, text, {
    use: () => { dialog.close(); write(text); },
    edit: () => openPrompt(library, prompt),
    remove: () => void remove(title, () => library.remove("/prompts", id)),
  });
}

/** @param {Preset} preset @param {LibraryUse} use @param {HTMLDialogElement} dialog */
function presetRow(preset, use, dialog) {
  const label = use.models.find(({ slug }) => slug === preset.model)?.label;
  return rowOf(preset.name, [label, summaryOf(preset)].filter(Boolean).join(" · "), {
    use: () => { dialog.close(); use.begin(preset); },
    edit: () => openPreset(use, preset),
    remove: () => void remove(preset.name, () => use.library.remove("/presets", preset.id)),
  });
}

/** @param {string} title @param {string} about @param {Record<"use" | "edit" | "remove", () => void>} acts */
function rowOf(title, about, acts) {
  const row = clone("library-row");
  setText(find(row, "b"), title);
  setText(find(row, ".library-about"), about.replaceAll(/\s+/g, " ").trim());
  for (const [name, act] of Object.entries(acts)) find(row, `[data-action="${name}"]`).addEventListener("click", act);
  const say = (/** @type {string} */ name, /** @type {string} */ text) =>
    find(row, `[data-action="${name}"]`).setAttribute("aria-label", interpolate(text, { name: title }));
  say("edit", gettext("Edit %(name)s"));
  say("remove", gettext("Delete %(name)s"));
  return row;
}

/** @param {string} name @param {() => Promise<void>} act */
async function remove(name, act) {
  const sure = await confirm({
    title: interpolate(gettext("Delete “%(name)s”?"), { name }),
    text: gettext("This cannot be undone."),
    yes: gettext("Delete"),
    danger: true,
  });
  if (sure) await act().catch(say);
}

/** @param {import("./library.js").Library} library @param {Prompt} [prompt] one to change */
function openPrompt(library, prompt) {
  const dialog = openDialog("prompt");
  const title = /** @type {HTMLInputElement} */ (find(dialog, '[name="title"]'));
  const text = /** @type {HTMLTextAreaElement} */ (find(dialog, '[name="text"]'));
  title.value = prompt?.title ?? "";
  text.value = prompt?.text ?? "";
  onSubmit(dialog, () => library.savePrompt({ title: title.value, text: text.value }, prompt?.id));
}

/** @param {LibraryUse} use @param {Omit<Preset, "id"> & {id?: string | undefined}} [preset] one to change, or, without an id, to begin with */
export function openPreset({ library, models }, preset) {
  const dialog = openDialog("preset");
  const name = /** @type {HTMLInputElement} */ (find(dialog, '[name="name"]'));
  const form = new SettingsForm(/** @type {HTMLFormElement} */ (find(dialog, "form")), models);
  const fallback = models.find((model) => model.default)?.slug ?? "";
  name.value = preset?.name ?? "";
  form.fill(preset ?? { model: fallback, system_prompt: "", temperature: null, tools: null });
  onSubmit(dialog, () => library.savePreset({ name: name.value, ...form.read() }, preset?.id));
}

/** @param {HTMLDialogElement} dialog closes when it has been saved @param {() => Promise<void>} save */
function onSubmit(dialog, save) {
  const problem = find(dialog, ".form-error");
  find(dialog, "form").addEventListener("submit", (event) => {
    event.preventDefault();
    problem.hidden = true;
    save().then(() => dialog.close(), (error) => {
      if (!(error instanceof ApiError)) throw error;
      setText(problem, error.message);
      problem.hidden = false;
    });
  });
}

/** @param {unknown} error */
function say(error) {
  if (!(error instanceof ApiError)) throw error;
  toast(error.message);
}
