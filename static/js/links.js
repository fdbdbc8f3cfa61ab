// Links in what a model writes: they open apart and tell nothing of this page, and a link whose text
// names one place while it leads to another says where it leads.

const DOMAIN = /(?:[^\s/@]*@)?((?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*)\.)+\p{L}{2,})/giu;
const ADDRESS = /https?:\/\/[^\s<>"'()]+/gi;
const NUMBERS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;
/** Marks that turn the order of letters round, so that a text reads as no program does. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const DOTS = /[\u3002\uff61]/g;
/** Endings of files, which look like those of domains. */
const FILES = /\.(?:css|csv|html?|js|json|jsx|pdf|png|py|rb|rs|sh|sql|ts|tsx|txt|xml|ya?ml)$/i;

const MOST_LOOKED_AT = 300;

/** @param {HTMLAnchorElement} link */
export function guard(link) {
  openApart(link);
  const host = hostToShow(link.textContent ?? "", link.getAttribute("href") ?? "");
  if (host) link.append(hostNote(host));
}

/** @param {HTMLAnchorElement} link */
export function openApart(link) {
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}

/**
 * The host of a link whose text names another one, or whose host only looks like one that is known.
 * @param {string} text
 * @param {string} href
 * @returns {string} empty where the text does not mislead
 */
export function hostToShow(text, href) {
  const host = hostOf(href);
  if (!host) return "";
  // Too long to be looked through at every letter, and for a person too.
  if (text.length > MOST_LOOKED_AT) return host;
  // A name in foreign letters may look like any other; in this spelling it does not.
  if (host.split(".").some((label) => label.startsWith("xn--"))) return host;
  // Whatever is before an @ is no host, however much it looks like one.
  if (text.includes("@") && /^https?:/i.test(href) && hostOf(text.trim()) !== "") return host;
  if (TURNING.test(text)) return host;
  return named(asSeen(text)).some((one) => bare(one) !== bare(host)) ? host : "";
}

/** As a reader's eye takes it: browsers read such dots as dots too. @param {string} text */
function asSeen(text) {
  return text.replace(INVISIBLE, "").normalize("NFKC").replace(DOTS, ".");
}

/** @param {string} text @returns {string[]} the hosts that a text seems to name */
function named(text) {
  const addresses = [...text.matchAll(ADDRESS)].map(([address]) => address);
  const rest = text.replace(ADDRESS, " ");
  const domains = [...rest.matchAll(DOMAIN)].map(([, domain]) => domain ?? "").filter((one) => !FILES.test(one));
  const numbers = [...rest.matchAll(NUMBERS)].map(([number]) => number);
  return [...addresses, ...[...domains, ...numbers].map((one) => `https://${one}`)].map(hostOf);
}

/** @param {string} href @returns {string} */
export function hostOf(href) {
  try {
    const url = new URL(href);
    return /^https?:$/.test(url.protocol) ? url.hostname : "";
  } catch {
    return "";
  }
}

/** @param {string} host */
function bare(host) {
  return host.replace(/^www\./, "");
}

/** @param {string} host */
function hostNote(host) {
  const note = document.createElement("span");
  note.className = "link-host";
  note.textContent = ` (${host})`;
  return note;
}
