// What can be done with an answer beside reading it: copy it in another form, have it read aloud, see
// what it took, and say whether it was good.

import { copyRich, copyText } from "./clipboard.js";
import { showDetails } from "./details.js";
import { byId, find } from "./dom.js";
import { rate } from "./feedback.js";
import { gettext } from "./gettext.js";
import { listenForKeys, openMenu } from "./menu.js";
import { plainText } from "./message_view.js";
import { Speaker } from "./speaker.js";
import { toast } from "./toast.js";

/** @param {import("./chat_page.js").ChatPage} page */
export function installAnswerMenu(page) {
  const menu = byId("answer-menu");
  const speaker = new Speaker();
  let current = "";
  listenForKeys(menu);
  find(menu, '[data-item="speak"]').hidden = !Speaker.isPossible;
  page.whenShown(() => speaker.stop());
  page.addActions({
    good: ({ message }) => void rate(page, message, 1),
    bad: ({ message }) => void rate(page, message, -1),
    hush: () => speaker.stop(),
    more: ({ button, message }) => {
      current = message;
      openMenu(menu, button);
    },
  });

  /** @type {Record<string, (answer: HTMLElement) => void>} */
  const items = {
    rich: (answer) => void said(copyRich(answer.querySelectorAll(".prose"), plainText(page.contentOf(current)))),
    markdown: () => void said(copyText(plainText(page.contentOf(current)))),
    speak: (answer) => speaker.read(answer),
    details: () => showDetails(page.thread.itemOf(page.thread.message(current)?.generation?.id ?? "")),
  };
  menu.addEventListener("click", (event) => {
    const item = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-item]"));
    const answer = /** @type {HTMLElement | null} */ (document.querySelector(`.assistant[data-message="${CSS.escape(current)}"]`));
    if (item && answer) items[item.dataset.item ?? ""]?.(answer);
  });
}

/** @param {Promise<boolean>} copying */
async function said(copying) {
  toast((await copying) ? gettext("Copied") : gettext("The browser did not let us copy."));
}
