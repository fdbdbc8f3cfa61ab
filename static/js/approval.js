// A tool that runs only if its user says so: the question in its card, and the decision.

import { ApiError, request } from "./api.js";
import { find, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { hasEnded } from "./snapshot.js";
import { toast } from "./toast.js";
import { toolLabel } from "./tools.js";

/** Whether somebody waits for a decision about this call. @param {Block} block @param {boolean} running its answer */
export function isAsked(block, running) {
  return running && block.type === "tool_call_chunk" && block.extras?.approval === "asked";
}

/** For those who hear it, also when the page was loaded after it was asked. @param {Snapshot} snapshot */
export function questionSaid(snapshot) {
  const running = !hasEnded(snapshot);
  const tools = snapshot.content.flatMap((block) => (isAsked(block, running) && "name" in block ? [toolLabel(block.name)] : []));
  return tools.length ? interpolate(gettext("Waiting for your approval: %(tools)s"), { tools: tools.join(", ") }) : "";
}

export function waitingText() {
  return gettext("Waiting for you");
}

/** What came of it, where the call was not made. @param {Approval | undefined} approval */
export function refusalText(approval) {
  if (approval === "refused") return gettext("Refused");
  return approval === "expired" ? gettext("Not approved in time") : "";
}

export class ApprovalView {
  #card;
  #box;
  #question;

  /** @param {HTMLElement} card of the tool: details, open while it asks, so that what it would do is seen */
  constructor(card) {
    this.#card = /** @type {HTMLDetailsElement} */ (card);
    this.#box = find(card, ".tool-approval");
    this.#question = find(card, ".tool-question");
  }

  /** @param {ToolCallBlock | ToolCallChunkBlock} block @param {boolean} running its answer */
  update(block, running) {
    const asked = isAsked(block, running);
    const question = asked ? block.extras?.question ?? "" : "";
    if (question === (this.#box.dataset.question ?? "")) return;
    if (!asked && this.#box.contains(document.activeElement)) find(this.#card, "summary").focus();
    this.#box.dataset.question = question;
    this.#box.dataset.call = block.id;
    this.#box.hidden = this.#question.hidden = !asked;
    this.#box.setAttribute("aria-label", interpolate(gettext("Approval: %(tool)s"), { tool: toolLabel(block.name) }));
    setText(find(this.#question, "code"), block.name);
    this.#card.open = asked;
    setSent(this.#box, false);
  }
}

/** @param {import("./chat_page.js").ChatPage} page */
export function installApproval(page) {
  page.addActions({
    approve: ({ button }) => void decide(button, "approve"),
    refuse: ({ button }) => void decide(button, "refuse"),
  });
}

/** @param {HTMLElement} button @param {"approve" | "refuse"} decision */
async function decide(button, decision) {
  const box = /** @type {HTMLElement} */ (button.closest(".tool-approval"));
  const answer = /** @type {HTMLElement | null} */ (button.closest("[data-generation]"));
  const generation = answer?.dataset.generation;
  const { call = "", question = "" } = box.dataset;
  if (!generation || box.dataset.sent === "true") return;
  setSent(box, true);
  try {
    const path = `/generations/${generation}/tool-calls/${encodeURIComponent(call)}/decision`;
    await request("POST", path, { decision, question });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
    // Another question may have taken its place meanwhile.
    if (box.dataset.question === question) setSent(box, false);
  }
}

/** The buttons keep the focus: they are not disabled, but do nothing. @param {HTMLElement} box @param {boolean} sent */
function setSent(box, sent) {
  box.dataset.sent = String(sent);
  for (const button of box.querySelectorAll("button")) button.setAttribute("aria-disabled", String(sent));
}
