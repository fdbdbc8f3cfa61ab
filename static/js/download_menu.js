// The open conversation as a file: links in its menu, which the browser downloads by itself.

import { byId } from "./dom.js";

/** @param {import("./chat_page.js").ChatPage} page */
export function installDownloads(page) {
  const draw = () => point(lasting(page), page.thread.path.at(-1)?.id);
  page.whenShown(draw);
  page.whenDrawn(draw);
  draw();
}

/** Temporary chats are in no export. @param {import("./chat_page.js").ChatPage} page */
function lasting({ client }) {
  return client.store.conversations.get(client.open ?? "")?.temporary === false ? client.open : null;
}

/** @param {string | null} conversation @param {string | undefined} leaf the end of the shown path */
function point(conversation, leaf) {
  const markdown = /** @type {HTMLAnchorElement} */ (byId("export-markdown"));
  const json = /** @type {HTMLAnchorElement} */ (byId("export-json"));
  markdown.hidden = json.hidden = conversation === null || leaf === undefined;
  if (markdown.hidden) return;
  const base = `/api/v1/conversations/${conversation}/export`;
  markdown.href = `${base}?form=markdown&leaf=${leaf}`;
  json.href = `${base}?form=json`;
}
