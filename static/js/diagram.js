// A diagram in place of its source, once that is complete and near the reader's eyes. It is shown as a
// picture: nothing in it can be clicked, run or fetched.

import { drawDiagram } from "./diagram_frame.js";
import { find } from "./dom.js";
import { gettext } from "./gettext.js";

/** @type {Record<string, string>} mermaid's names of colours, and our tokens for them */
const COLOURS = {
  background: "--surface",
  mainBkg: "--surface-raised",
  primaryColor: "--surface-raised",
  primaryTextColor: "--text",
  primaryBorderColor: "--line-strong",
  lineColor: "--text-muted",
  textColor: "--text",
  secondaryColor: "--surface-pressed",
  tertiaryColor: "--surface-sunk",
  edgeLabelBackground: "--surface",
  noteBkgColor: "--accent-soft",
  noteTextColor: "--text",
  noteBorderColor: "--accent",
};

/** @type {WeakMap<Element, Diagram>} */
const diagrams = new WeakMap();
const nearby = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    nearby.unobserve(target);
    void diagrams.get(target)?.draw();
  }
}, { rootMargin: "600px" });

export class Diagram {
  #figure;
  #source = "";

  /** @param {HTMLElement} figure of the code */
  constructor(figure) {
    this.#figure = figure;
    diagrams.set(figure, this);
    find(figure, '[data-action="diagram"]').addEventListener("click", () => this.#toggle());
  }

  /** @param {string} source that is complete */
  show(source) {
    if (this.#source === source) return;
    this.#source = source;
    nearby.observe(this.#figure);
  }

  async draw() {
    const source = this.#source;
    const drawn = await drawDiagram({ text: source, dark: isDark(), colours: coloursOfPage() });
    if (source !== this.#source) return;
    find(this.#figure, ".diagram-note").hidden = drawn !== null;
    if (drawn) this.#place(drawn);
  }

  /** @param {{svg: string, width: number, height: number}} drawn */
  #place({ svg, width, height }) {
    const image = document.createElement("img");
    const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    image.onload = image.onerror = () => URL.revokeObjectURL(url);
    image.width = Math.ceil(width);
    image.height = Math.ceil(height);
    image.alt = titleOf(this.#source);
    image.src = url;
    find(this.#figure, ".diagram").replaceChildren(image);
    find(this.#figure, '[data-action="diagram"]').hidden = false;
    if (!this.#figure.dataset.shows) this.#figure.dataset.shows = "diagram";
    this.#label();
  }

  #toggle() {
    this.#figure.dataset.shows = this.#figure.dataset.shows === "diagram" ? "source" : "diagram";
    this.#label();
  }

  #label() {
    const shown = this.#figure.dataset.shows === "diagram";
    find(this.#figure, '[data-action="diagram"]').setAttribute("aria-pressed", String(!shown));
  }
}

/** @param {string} source */
function titleOf(source) {
  const [, title = ""] = /^\s*(?:accTitle:|title:?)\s*(.+)$/m.exec(source) ?? [];
  return title ? `${gettext("Diagram")}: ${title}` : gettext("Diagram");
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** mermaid reads no modern colours, so a canvas tells them as numbers. */
function coloursOfPage() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const found = Object.entries(COLOURS).map(([name, token]) => {
    probe.style.color = `var(${token})`;
    return [name, canvas ? asHex(canvas, getComputedStyle(probe).color) : "#888888"];
  });
  probe.remove();
  return Object.fromEntries(found);
}

/** @param {OffscreenCanvasRenderingContext2D} canvas @param {string} colour */
function asHex(canvas, colour) {
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** Those that are drawn are drawn again in the other theme. */
function redraw() {
  for (const figure of document.querySelectorAll(".code[data-shows]")) nearby.observe(figure);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
