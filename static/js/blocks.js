// The blocks of an answer: text, reasoning and tool calls, each with its own view.

import { MarkdownView } from "./markdown.js";
import { ReasoningView } from "./reasoning_view.js";
import { ToolView } from "./tool_view.js";

/**
 * @typedef {object} Around what is known beside the blocks
 * @property {number | null} thoughtMs how long the model thought, once that is known
 * @property {Record<string, string>} calls what running tool calls say of themselves
 * @property {boolean} running whether the answer is still being written
 * @typedef {{element: HTMLElement, update: (block: any, live: boolean, around: Around) => void}} BlockView
 */

/** @type {Around} */
const NOTHING = { thoughtMs: null, calls: {}, running: false };

const VIEWS = {
  text: () => new TextView(),
  reasoning: () => new ReasoningView(),
  tool_call: () => new ToolView(),
  tool_call_chunk: () => new ToolView(),
};

/** Shows a list of blocks that grows at its end; a block that is still the same object is left alone. */
export class BlockList {
  /** @type {{block: Block, live: boolean, around: string, view: BlockView}[]} */ #shown = [];
  #element;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {Block[]} content @param {boolean} running @param {Omit<Around, "running">} [given] */
  update(content, running, given = NOTHING) {
    const around = { ...given, running };
    const known = content.filter((block) => block.type in VIEWS);
    // Of several times that it thought only the sum is known.
    const thoughts = known.filter(({ type }) => type === "reasoning").length;
    const own = thoughts === 1 ? around : { ...around, thoughtMs: null };
    known.forEach((block, index) => this.#updateOne(index, block, running && index === known.length - 1, own));
    for (const { view } of this.#shown.splice(known.length)) view.element.remove();
  }

  /** @param {number} index @param {Block} block @param {boolean} live @param {Around} around */
  #updateOne(index, block, live, around) {
    const old = this.#shown[index];
    const key = keyOf(block, around);
    if (old?.block === block && old.live === live && old.around === key) return;
    const view = old && kindOf(old.block) === kindOf(block) ? old.view : VIEWS[/** @type {keyof typeof VIEWS} */ (block.type)]();
    if (!old) this.#element.append(view.element);
    else if (old.view !== view) old.view.element.replaceWith(view.element);
    view.update(block, live, around);
    this.#shown[index] = { block, live, around: key, view };
  }
}

/** What of it this block shows. @param {Block} block @param {Around} around */
function keyOf(block, { thoughtMs, calls, running }) {
  if (block.type === "tool_call_chunk") return `${running} ${calls[block.id] ?? ""}`;
  return block.type === "reasoning" ? `${thoughtMs}` : "";
}

/** @param {Block} block */
function kindOf(block) {
  return block.type === "tool_call_chunk" ? "tool_call" : block.type;
}

class TextView {
  #markdown = new MarkdownView();
  element = this.#markdown.element;

  /** @param {TextBlock} block @param {boolean} live */
  update(block, live) {
    this.#markdown.update(block.text, live);
  }
}
