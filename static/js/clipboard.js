/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/**
 * As it looks, for a text processor, and as it was written, for all else.
 * @param {Iterable<Element>} proses
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyRich(proses, text) {
  const html = [...proses].filter((prose) => !prose.closest(".thought")).map(richHtml).join("");
  try {
    const types = { "text/html": html, "text/plain": text };
    const blobs = Object.entries(types).map(([type, value]) => [type, new Blob([value], { type })]);
    await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
    return true;
  } catch {
    return copyText(text);
  }
}

/** What is on the page has been cleaned already; here its controls go too. @param {Element} prose */
function richHtml(prose) {
  const copy = /** @type {Element} */ (prose.cloneNode(true));
  for (const code of copy.querySelectorAll(".code")) {
    const pre = document.createElement("pre");
    pre.append(document.createElement("code"));
    pre.firstElementChild?.append(code.querySelector("code")?.textContent ?? "");
    code.replaceWith(pre);
  }
  for (const math of /** @type {NodeListOf<HTMLElement>} */ (copy.querySelectorAll(".math"))) {
    const marks = math.classList.contains("math-block") ? "$$" : "$";
    math.replaceWith(`${marks}${math.dataset.source}${marks}`);
  }
  for (const button of copy.querySelectorAll("button.footnote")) button.replaceWith(button.textContent ?? "");
  for (const element of copy.querySelectorAll("button")) element.remove();
  for (const element of copy.querySelectorAll("*")) {
    for (const name of ["class", "dir", "tabindex", "target", "data-note"]) element.removeAttribute(name);
  }
  return copy.innerHTML;
}

/**
 * Browsers offer `navigator.clipboard` on secure origins only.
 * @param {string} text
 */
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
