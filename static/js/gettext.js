// The page's language. The server puts the translations of these scripts on the page; a text that it
// does not know is shown as it is written here. The names are gettext's own, so that its tools find them.

/**
 * @typedef {object} Catalog
 * @property {Record<string, string | string[]>} catalog
 * @property {string | null} plural the rule as C writes it, such as `n != 1`
 */

/** @type {Catalog} */
const { catalog, plural } = read();
const pluralIndex = plural ? pluralRule(plural) : (/** @type {number} */ n) => (n === 1 ? 0 : 1);

/** @param {string} text */
export function gettext(text) {
  const found = catalog[text];
  return typeof found === "string" ? found : found?.[0] ?? text;
}

/** @param {string} one @param {string} many @param {number} count */
export function ngettext(one, many, count) {
  const found = catalog[one];
  if (Array.isArray(found)) return found[pluralIndex(count)] ?? many;
  return count === 1 ? one : many;
}

/**
 * @param {string} text with `%(name)s` where a value goes
 * @param {Record<string, string | number>} values
 */
export function interpolate(text, values) {
  return text.replace(/%\((\w+)\)s/g, (whole, name) => String(values[name] ?? whole));
}

/** The language of the page, for dates and numbers. */
export function locale() {
  return globalThis.document?.documentElement.lang || "en";
}

/** @returns {Catalog} */
function read() {
  const text = globalThis.document?.getElementById("translations")?.textContent;
  return text ? JSON.parse(text) : { catalog: {}, plural: null };
}

/**
 * The rules of the languages that we speak. A rule is code in C; to run it as code here would need
 * what the page's policy forbids.
 * @param {string} rule
 * @returns {(n: number) => number}
 */
function pluralRule(rule) {
  const zeroIsOne = rule.replace(/[\s()]/g, "").startsWith("n>1");
  return zeroIsOne ? (n) => (n > 1 ? 1 : 0) : (n) => (n === 1 ? 0 : 1);
}
