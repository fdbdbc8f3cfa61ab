// Chats that are in no list and go by themselves after a while.

import { ApiError, request } from "./api.js";
import { registerCommand } from "./commands.js";
import { byId, find, setText } from "./dom.js";
import { gettext, interpolate, locale } from "./gettext.js";
import { toast } from "./toast.js";

/**
 * @param {import("./chat_page.js").ChatPage} page
 * @param {import("./navigation.js").Navigation} navigation
 * @param {PageData} data
 */
export function installTemporaryChats(page, navigation, data) {
  const button = /** @type {HTMLButtonElement} */ (byId("new-temporary"));
  /** @type {string | null} when the shown conversation goes */
  let expires = data.conversation?.expires_at ?? null;
  button.addEventListener("click", () => void begin(button, navigation));
  registerCommand({ label: gettext("Temporary chat"), run: () => void begin(button, navigation) });
  const draw = () => show(page, expires);
  page.whenShown((shown) => { expires = shown?.conversation?.expires_at ?? null; draw(); });
  page.whenDrawn(draw);
  draw();
}

/** @param {HTMLButtonElement} button @param {import("./navigation.js").Navigation} navigation */
async function begin(button, navigation) {
  button.disabled = true;
  try {
    const { id } = await request("POST", "/conversations", { temporary: true });
    await navigation.visit(id);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
  } finally {
    button.disabled = false;
  }
}

/** @param {import("./chat_page.js").ChatPage} page @param {string | null} expires */
function show({ client, thread }, expires) {
  const isEmpty = thread.path.length === 0 && client.pending.length === 0;
  byId("new-temporary").hidden = client.open !== null;
  byId("temporary-banner").hidden = expires === null;
  byId("temporary-empty").hidden = expires === null || !isEmpty;
  if (expires !== null) setText(find(byId("temporary-banner"), "span"), bannerText(expires));
}

/** @param {string} expires */
function bannerText(expires) {
  const date = new Date(expires).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
  return interpolate(gettext("Temporary chat, deleted on %(date)s"), { date });
}
