// The blocks of an answer: text, reasoning and tool calls, each with its own view.

import { clone, find, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { MarkdownView } from "./markdown.js";

/** @typedef {{element: HTMLElement, update: (block: any, live: boolean) => void}} BlockView */

const VIEWS = {
  text: () => new TextView(),
  reasoning: () => new ReasoningView(),
  tool_call: () => new ToolView(),
  tool_call_chunk: () => new ToolView(),
};

/** Shows a list of blocks that grows at its end; a block that is still the same object is left alone. */
export class BlockList {
  /** @type {{block: Block, live: boolean, view: BlockView}[]} */ #shown = [];
  #element;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {Block[]} content @param {boolean} running */
  update(content, running) {
    const known = content.filter((block) => block.type in VIEWS);
    known.forEach((block, index) => this.#updateOne(index, block, running && index === known.length - 1));
    for (const { view } of this.#shown.splice(known.length)) view.element.remove();
  }

  /** @param {number} index @param {Block} block @param {boolean} live */
  #updateOne(index, block, live) {
    const old = this.#shown[index];
    if (old?.block === block && old.live === live) return;
    const view = old && kindOf(old.block) === kindOf(block) ? old.view : VIEWS[/** @type {keyof typeof VIEWS} */ (block.type)]();
    if (!old) this.#element.append(view.element);
    else if (old.view !== view) old.view.element.replaceWith(view.element);
    view.update(block, live);
    this.#shown[index] = { block, live, view };
  }
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

class ReasoningView {
  element = /** @type {HTMLDetailsElement} */ (clone("reasoning"));
  #markdown = new MarkdownView();
  #label = find(this.element, ".thought-label");
  /** @type {number | null} */ #since = null;
  /** @type {{text: string, live: boolean}} */ #latest = { text: "", live: false };

  constructor() {
    find(this.element, ".thought-text").append(this.#markdown.element);
    this.element.addEventListener("toggle", () => this.#render());
  }

  /** @param {ReasoningBlock} block @param {boolean} live */
  update(block, live) {
    const wasLive = this.#latest.live;
    this.#latest = { text: block.reasoning, live };
    if (live) this.#since ??= Date.now();
    if (live) setText(this.#label, gettext("Thinking"));
    else if (wasLive || !this.#label.textContent) setText(this.#label, this.#thought());
    this.element.toggleAttribute("data-live", live);
    this.#render();
  }

  #thought() {
    if (this.#since === null) return gettext("Thought");
    const seconds = Math.max(1, Math.round((Date.now() - this.#since) / 1000));
    return interpolate(gettext("Thought for %(seconds)s s"), { seconds });
  }

  /** What is folded away costs nothing. */
  #render() {
    if (this.element.open) this.#markdown.update(this.#latest.text, this.#latest.live);
  }
}

class ToolView {
  element = clone("tool");

  /** @param {ToolCallBlock | ToolCallChunkBlock} block */
  update(block) {
    const running = block.type === "tool_call_chunk";
    const args = running ? block.args : JSON.stringify(block.args, null, 2);
    const error = running ? undefined : block.extras.error;
    const result = running ? undefined : block.extras.result;
    this.element.dataset.state = running ? "running" : error === undefined ? "done" : "failed";
    setText(find(this.element, ".tool-name"), inWords(block.name));
    setText(find(this.element, ".tool-target"), running ? "" : targetOf(block.args));
    setText(find(this.element, ".tool-state"), running ? gettext("Running") : error === undefined ? "" : gettext("Failed"));
    setText(find(this.element, ".tool-args"), args);
    setText(find(this.element, ".tool-result"), error ?? result ?? "");
    find(this.element, ".tool-outcome").hidden = !(error ?? result);
  }
}

/** @param {string} name such as `search_web` */
function inWords(name) {
  const words = name.replace(/[_-]+/g, " ").trim();
  return words ? words[0]?.toUpperCase() + words.slice(1) : gettext("Tool");
}

/** @param {Record<string, unknown>} args */
function targetOf(args) {
  const text = Object.values(args).find((value) => typeof value === "string");
  return typeof text === "string" ? text : "";
}
