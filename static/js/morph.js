// Makes what is on the page like what it should be, and touches nothing that is so already: a
// selection, an open menu and the colours of code survive.

import { widgetFor, widgetOf } from "./widgets.js";

/**
 * @param {Element} old
 * @param {ParentNode & Node} wanted is taken apart
 * @param {{live: boolean, from?: number}} how `from`: children before this one are left alone
 */
export function morph(old, wanted, { live, from = 0 }) {
  let at = old.childNodes[from] ?? null;
  for (const node of [...wanted.childNodes]) {
    const next = at?.nextSibling ?? null;
    if (at === null) old.append(dress(node, live));
    else if (!matches(at, node, live)) at.replaceWith(dress(node, live));
    at = next;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Makes `old` like `wanted`, where it can be. @param {Node} old @param {Node} wanted @param {boolean} live */
function matches(old, wanted, live) {
  if (old instanceof Text && wanted instanceof Text) return setData(old, wanted.data);
  if (!(old instanceof Element) || !(wanted instanceof Element)) return false;
  const widget = widgetOf(old);
  if (widget) return widget.take(wanted, live);
  if (old.tagName !== wanted.tagName || widgetFor(wanted)) return false;
  copyAttributes(old, wanted);
  morph(old, wanted, { live });
  return true;
}

/** @param {Text} old @param {string} data */
function setData(old, data) {
  if (data === old.data) return true;
  if (data.startsWith(old.data)) old.appendData(data.slice(old.length));
  else old.data = data;
  return true;
}

/** @param {Element} old @param {Element} wanted */
function copyAttributes(old, wanted) {
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** What is new, with code and formulas in their own views. @param {Node} node @param {boolean} live @returns {Node} */
function dress(node, live) {
  if (!(node instanceof Element)) return node;
  const widget = widgetFor(node);
  if (widget) return made(widget(), node, live);
  for (const inner of node.querySelectorAll("pre, code[data-math]")) {
    const make = widgetFor(inner);
    if (make) inner.replaceWith(made(make(), inner, live));
  }
  return node;
}

/** @param {import("./widgets.js").Widget} widget @param {Element} source @param {boolean} live */
function made(widget, source, live) {
  widget.take(source, live);
  return widget.element;
}
