// The data that the server puts on every chat page. Another conversation is opened by reading its
// page, so that there is one way only in which a conversation is loaded.

const ANSWER_MS = 5_000;
/** Browsers keep six connections to a host. */
const TRIES = 7;

/** @param {Document} page @returns {PageData | null} */
export function readPageData(page) {
  const text = page.getElementById("page-data")?.textContent;
  return text ? JSON.parse(text) : null;
}

/** @param {string | null} conversation @param {string | null} [message] one to open it at */
export function pathOf(conversation, message = null) {
  if (conversation === null) return "/";
  return `/c/${conversation}/${message === null ? "" : `?message=${message}`}`;
}

/** @param {string} search of an address @returns {string | null} */
export function messageAt(search) {
  return new URLSearchParams(search).get("message");
}

/** @param {string} path @returns {string | null} */
export function conversationAt(path) {
  return path.match(/^\/c\/([0-9a-f-]{36})\/$/)?.[1] ?? null;
}

/**
 * @param {string | null} conversation
 * @param {string | null} [message] one to open it at
 * @returns {Promise<PageData | null>} null when it cannot be had now
 */
export async function loadPageData(conversation, message = null) {
  try {
    const response = await fetchPage(pathOf(conversation, message));
    if (!response.ok) return null;
    return readPageData(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    return null;
  }
}

/**
 * After a sleep the browser may still hold several connections that nobody will ever answer; each
 * that is given up is one less.
 * @param {string} path
 */
async function fetchPage(path) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await fetch(path, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(ANSWER_MS) });
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === "TimeoutError";
      if (!isLate || tries === TRIES) throw error;
    }
  }
}
