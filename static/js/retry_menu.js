// "Try again" asks which model is to answer, where there is more than one.

import { byId } from "./dom.js";
import { listenForKeys, openMenu } from "./menu.js";
import { fillModelMenu } from "./model_menu.js";

/** @param {import("./chat_page.js").ChatPage} page */
export function installRetryMenu(page) {
  const menu = byId("retry-menu");
  const { models } = page.models;
  listenForKeys(menu);
  page.addActions({
    retry: ({ button, message }) => {
      // Below a failure it is the one thing to do, and takes one click.
      if (models.length < 2 || button.closest(".status")) return page.retry(message);
      fillModelMenu(menu, models, modelOf(page, message), (slug) => page.retry(message, slug));
      return openMenu(menu, button);
    },
  });
}

/** @param {import("./chat_page.js").ChatPage} page @param {string} message */
function modelOf(page, message) {
  return page.thread.message(message)?.generation?.model ?? page.models.choice.model ?? "";
}
