/** @type {Record<string, string>} */
const MARKS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as HTML, also inside of an attribute. @param {string} text */
export function escape(text) {
  return text.replace(/[&<>"']/g, (mark) => MARKS[mark] ?? mark);
}
