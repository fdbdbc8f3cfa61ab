// Thumbs up or down, with a comment if one likes.

import { ApiError, request } from "./api.js";
import { openDialog } from "./dialog.js";
import { find } from "./dom.js";
import { gettext } from "./gettext.js";
import { toast } from "./toast.js";

/**
 * The same button again takes it back.
 * @param {import("./chat_page.js").ChatPage} page @param {string} id of an answer @param {1 | -1} rating
 */
export async function rate(page, id, rating) {
  const message = page.thread.message(id);
  if (!message) return;
  if (message.feedback?.rating === rating) {
    await keep(page, message, null);
    return;
  }
  const kept = await keep(page, message, { rating, comment: "" });
  if (kept) toast(gettext("Thanks for telling."), { label: gettext("Add a comment"), act: () => ask(page, message, rating) });
}

/** @param {import("./chat_page.js").ChatPage} page @param {Message} message @param {1 | -1} rating */
function ask(page, message, rating) {
  const dialog = openDialog("feedback");
  const field = /** @type {HTMLTextAreaElement} */ (find(dialog, "textarea"));
  field.focus();
  find(dialog, "form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!(await keep(page, message, { rating, comment: field.value }))) return;
    dialog.close();
    toast(gettext("Your comment was saved."));
  });
}

/**
 * @param {import("./chat_page.js").ChatPage} page @param {Message} message @param {Rated | null} rated
 * @returns {Promise<boolean>} whether it was kept
 */
async function keep(page, message, rated) {
  const path = `/messages/${message.id}/feedback`;
  try {
    message.feedback = rated ? await request("PUT", path, rated) : await request("DELETE", path);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
    return false;
  } finally {
    page.redraw();
  }
}
