// A tool that the model uses: what it does with what, how far it is, and what came of it.

import { ApprovalView, isAsked, refusalText, waitingText } from "./approval.js";
import { clone, find, setText } from "./dom.js";
import { gettext } from "./gettext.js";
import { ArgsView } from "./tool_args.js";
import { toolLabel } from "./tools.js";

/** @type {[RegExp, string][]} which icon of the template stands for a tool, by its name */
const KINDS = [
  [/search|find|look.?up|query/i, "search"],
  [/time|date|clock|calendar/i, "clock"],
  [/fetch|web|url|http|browse|open/i, "globe"],
  [/code|python|run|exec|shell|calc/i, "terminal"],
  [/file|read|write|document/i, "file"],
];

export class ToolView {
  element = clone("tool");
  #args = new ArgsView(this.element);
  #approval = new ApprovalView(this.element);

  /** @param {ToolCallBlock | ToolCallChunkBlock} block @param {boolean} _live @param {{calls: Record<string, string>, running: boolean}} around */
  update(block, _live, around) {
    const running = block.type === "tool_call_chunk";
    const error = running ? undefined : block.extras.error;
    const result = running ? undefined : block.extras.result;
    this.element.dataset.state = stateOf(block, around.running);
    this.#showKind(kindOf(block.name));
    setText(find(this.element, ".tool-name"), toolLabel(block.name));
    setText(find(this.element, ".tool-target"), targetOf(running ? begun(block.args) : block.args));
    setText(find(this.element, ".tool-state"), stateText(block, around));
    this.#args.update(block.args);
    setText(find(this.element, ".tool-result"), indented(error ?? result ?? ""));
    find(this.element, ".tool-outcome").hidden = !(error ?? result);
    this.#approval.update(block, around.running);
  }

  /** @param {string} kind */
  #showKind(kind) {
    for (const icon of /** @type {NodeListOf<HTMLElement>} */ (this.element.querySelectorAll(".tool-icon"))) {
      icon.hidden = icon.dataset.kind !== kind;
    }
  }
}

/** @param {ToolCallBlock | ToolCallChunkBlock} block @param {boolean} running its answer */
function stateOf(block, running) {
  if (block.type === "tool_call_chunk") return isAsked(block, running) ? "asked" : running ? "running" : "stopped";
  // What the user did not want is no failure.
  return block.extras.error === undefined || refusalText(block.extras.approval) ? "done" : "failed";
}

/** @param {ToolCallBlock | ToolCallChunkBlock} block @param {{calls: Record<string, string>, running: boolean}} around */
export function stateText(block, { calls, running }) {
  if (block.type === "tool_call") {
    return block.extras.error === undefined ? "" : refusalText(block.extras.approval) || gettext("Failed");
  }
  if (!running) return gettext("Stopped");
  if (isAsked(block, running)) return waitingText();
  return calls[block.id] ?? gettext("Running");
}

/** @param {string} name */
function kindOf(name) {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/** @param {Record<string, unknown>} args */
function targetOf(args) {
  const text = Object.values(args).find((value) => typeof value === "string");
  return typeof text === "string" ? text : "";
}

/** The first text among arguments that are still being written. @param {string} args @returns {Record<string, unknown>} */
function begun(args) {
  const [, text] = /:\s*"((?:[^"\\]|\\.)*)/.exec(args) ?? [];
  return text === undefined ? {} : { text };
}

/** JSON is easier to read on several lines. @param {string} text */
function indented(text) {
  if (!/^\s*[[{]/.test(text) || text.length > 100_000) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
