// Parts of an answer that are more than HTML and keep a state of their own: code and formulas.

import { CodeView } from "./code_view.js";
import { MathView } from "./math_view.js";

/**
 * @typedef {object} Widget
 * @property {HTMLElement} element
 * @property {(source: Element, live: boolean) => boolean} take shows what the source says; false where it is of another kind
 */

/** @type {WeakMap<Element, Widget>} */
const widgets = new WeakMap();

/** @param {Element} element */
export function widgetOf(element) {
  return widgets.get(element);
}

/** @param {Element} source @returns {(() => Widget) | null} what makes its widget */
export function widgetFor(source) {
  if (source.tagName === "PRE") return () => known(new CodeView());
  if (source instanceof HTMLElement && source.dataset.math) return () => known(new MathView(source.dataset.math === "block"));
  return null;
}

/** @template {Widget} T @param {T} widget */
function known(widget) {
  widgets.set(widget.element, widget);
  return widget;
}
