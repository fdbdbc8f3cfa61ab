// Links in what a model writes: they open apart and tell nothing of this page, and a link whose text
// names one place while it leads to another says where it leads.

const DOMAIN = /(?:https?:\/\/)?(?:[^\s/@]*@)?((?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*)\.)+\p{L}{2,})/iu;
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
  const named = DOMAIN.exec(text)?.[1] ?? "";
  if (!named || FILES.test(named)) return "";
  return bare(hostOf(`https://${named}`)) === bare(host) ? "" : host;
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
