// The entry of the public page of a shared conversation. It needs no line and no session.

import { ApiError, request } from "./api.js";
import { BlockList } from "./blocks.js";
import { toggleWrap } from "./code_view.js";
import { byId, clone, find, setText } from "./dom.js";
import { copyFrom, listenForActions } from "./message_actions.js";
import { plainText } from "./message_view.js";
import { pathOf } from "./page_data.js";
import { toast } from "./toast.js";

/** @type {SharedMessage[]} */
const messages = JSON.parse(byId("shared-messages").textContent ?? "[]");
const list = byId("messages");
list.append(...messages.map((message, index) => (message.role === "user" ? question(message) : answer(message, index))));

listenForActions(list, {
  copy: ({ button, message }) => void copyFrom(button, plainText(blocksOf(messages[Number(message)]))),
  "copy-code": ({ button }) => void copyFrom(button, find(/** @type {Element} */ (button.closest(".code")), "code").textContent ?? ""),
  wrap: ({ button }) => toggleWrap(/** @type {HTMLElement} */ (button.closest(".code"))),
});
document.getElementById("continue")?.addEventListener("click", (event) => {
  void goOn(/** @type {HTMLButtonElement} */ (event.currentTarget));
});

/** @param {SharedMessage} message */
function question(message) {
  const element = clone("shared-user");
  const files = message.content.flatMap(fileView);
  const text = plainText(blocksOf(message));
  setText(find(element, ".bubble"), text);
  find(element, ".bubble").hidden = text === "";
  find(element, ".shared-files").append(...files);
  find(element, ".shared-files").hidden = files.length === 0;
  return element;
}

/** @param {SharedMessage} message @param {number} index */
function answer(message, index) {
  const element = clone("shared-assistant");
  const blocks = blocksOf(message);
  element.dataset.message = String(index);
  new BlockList(find(element, ".blocks")).update(blocks, false);
  find(element, '[data-action="copy"]').hidden = plainText(blocks) === "";
  setText(find(element, ".meta"), message.model ?? "");
  return element;
}

/** @param {SharedMessage | undefined} message */
function blocksOf(message) {
  return (message?.content ?? []).filter(isWritten);
}

/** @param {SharedBlock} block @returns {block is TextBlock | ReasoningBlock | ToolCallBlock} */
function isWritten(block) {
  return block.type === "text" || block.type === "reasoning" || block.type === "tool_call";
}

/** @param {SharedBlock} block @returns {HTMLElement[]} */
function fileView(block) {
  if (block.type === "left_out") return [clone("shared-left-out")];
  if (block.type === "image") return [imageView(block)];
  return block.type === "file" ? [chipView(block)] : [];
}

/** Its measures are known, so that nothing shifts when it comes. @param {SharedFile} block */
function imageView({ file_id, extras }) {
  const link = /** @type {HTMLAnchorElement} */ (clone("shared-image"));
  const image = /** @type {HTMLImageElement} */ (find(link, "img"));
  if (extras.width && extras.height) Object.assign(image, { width: extras.width, height: extras.height });
  image.alt = extras.name ?? "";
  image.src = addressOf(file_id);
  link.href = image.src;
  return link;
}

/** @param {SharedFile} block */
function chipView({ file_id, extras }) {
  const link = /** @type {HTMLAnchorElement} */ (clone("shared-file"));
  link.href = addressOf(file_id);
  setText(find(link, "span"), extras.name ?? "");
  return link;
}

/** @param {string} file */
function addressOf(file) {
  return `${location.pathname}attachments/${file}/`;
}

/** @param {HTMLButtonElement} button */
async function goOn(button) {
  button.disabled = true;
  try {
    const { conversation } = await request("POST", `/shares/${button.dataset.token}/continue`);
    location.assign(pathOf(conversation));
  } catch (error) {
    button.disabled = false;
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
  }
}
