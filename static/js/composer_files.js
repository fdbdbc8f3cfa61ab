// The files of the composer: what is attached, how it is shown, and the ways in which it comes.

import { AttachmentTray } from "./attachment_tray.js";
import { Attachments } from "./attachments.js";
import { find, oncePerFrame, setText } from "./dom.js";
import { listenForFiles } from "./file_intake.js";
import { addressOf } from "./files.js";
import { gettext } from "./gettext.js";
import { draftFilesOf } from "./keep.js";
import { discard, look, upload } from "./upload.js";

const EDIT = "edit:";

/** @param {string | null} conversation @returns {string} the place of its draft */
export function draftPlace(conversation) {
  return conversation ?? "new";
}

/** @param {string} message @returns {string} the place of what is changed of it */
export function editPlace(message) {
  return `${EDIT}${message}`;
}

/**
 * @param {PageData} page
 * @param {HTMLFormElement} form
 * @param {import("./composer.js").Composer} composer
 * @param {import("./model_picker.js").ModelPicker} models
 */
export function composerFiles(page, form, composer, models) {
  const status = find(form, ".tray-status");
  const tray = new AttachmentTray(find(form, ".tray"), {
    remove: (key) => attachments.remove(key),
    retry: (key) => attachments.retry(key),
    emptied: () => composer.focus(),
  });
  const draw = oncePerFrame(() => {
    tray.show(attachments.entries, noteFor(models.chosen, attachments.entries));
    composer.setFiles(attachments);
  });
  const attachments = new Attachments(page.limits, {
    discard, look,
    upload: async (file, options) => warm(await upload(file, options)),
    drafts: draftsFor(page.user.id),
    changed: draw,
    tell: (sentence) => setText(status, sentence),
  });
  listenForFiles(form, (files) => {
    attachments.add(files);
    if (matchMedia("(pointer: fine)").matches) composer.focus();
  });
  models.whenSelected(draw);
  return attachments;
}

/** Into the browser's cache, so that the message shows it at once, and without a line too. @param {AttachmentData} data */
function warm(data) {
  if (data.kind === "image") new Image().src = addressOf(data.id);
  return data;
}

/** An edit is not kept over a reload, so neither are its files. @param {string | number} user */
function draftsFor(user) {
  const { load, save } = draftFilesOf(user);
  return {
    load,
    save: (/** @type {string} */ place, /** @type {FileBlock[]} */ files) => { if (!place.startsWith(EDIT)) save(place, files); },
  };
}

/** @param {ModelChoice | undefined} model @param {readonly FileEntry[]} entries */
function noteFor(model, entries) {
  return model?.images === false && entries.some((entry) => entry.isImage) ? gettext("The chosen model cannot see images.") : "";
}
