// What is taken away for good: asked for in a dialog that wants more than a click.

import { ApiError, request } from "./api.js";
import { openDialog } from "./dialog.js";
import { byId, find, setText } from "./dom.js";
import { interpolate, ngettext } from "./gettext.js";
import { toast } from "./toast.js";

export function installDeletions() {
  byId("delete-all").addEventListener("click", askForAll);
  byId("delete-account").addEventListener("click", askForAccount);
}

function askForAll() {
  const dialog = openDialog("delete-all");
  const word = /** @type {HTMLInputElement} */ (find(dialog, "input"));
  const button = /** @type {HTMLButtonElement} */ (find(dialog, '[type="submit"]'));
  word.addEventListener("input", () => {
    button.disabled = word.value.trim().toLowerCase() !== word.dataset.word?.toLowerCase();
  });
  whenSubmitted(dialog, async () => {
    const { conversations: n } = await request("DELETE", "/account/conversations");
    dialog.close();
    toast(interpolate(ngettext("%(n)s conversation was deleted.", "%(n)s conversations were deleted.", n), { n }));
    byId("links").replaceChildren();
    byId("no-links").hidden = false;
  });
}

function askForAccount() {
  const dialog = openDialog("delete-account");
  const proof = /** @type {HTMLInputElement} */ (find(dialog, "input"));
  whenSubmitted(dialog, async () => {
    await request("POST", "/account/delete", { proof: proof.value });
    location.assign("/");
  });
}

/** @param {HTMLDialogElement} dialog @param {() => Promise<void>} act */
function whenSubmitted(dialog, act) {
  const button = /** @type {HTMLButtonElement} */ (find(dialog, '[type="submit"]'));
  const box = find(dialog, ".dialog-error");
  find(dialog, "form").addEventListener("submit", async (event) => {
    event.preventDefault();
    box.hidden = button.disabled = true;
    try {
      await act();
    } catch (error) {
      button.disabled = false;
      if (!(error instanceof ApiError)) throw error;
      setText(box, error.message);
      box.hidden = false;
    }
  });
}
