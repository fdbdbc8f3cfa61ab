// Requests beside the socket: `/api/v1/`. An error is an ApiError whose message is for the user.

import { gettext } from "./gettext.js";

const ROOT = "/api/v1";
/** All that a browser sends for pages that are gone must fit into 64 KB. */
const SMALL_CHARS = 4_000;

export class ApiError extends Error {
  /** @param {number} status 0 where there was no answer @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @param {"GET" | "POST" | "PATCH" | "PUT" | "DELETE"} method
 * @param {string} path such as `/conversations/<id>`
 * @param {unknown} [body] sent as JSON; a FormData as it is
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>} what came, or null
 */
export async function request(method, path, body, { signal } = {}) {
  const isForm = body instanceof FormData;
  const headers = { "X-CSRFToken": csrfToken(), ...(body !== undefined && !isForm && { "Content-Type": "application/json" }) };
  const json = isForm || body === undefined ? "" : JSON.stringify(body);
  // What was done shows at once: a page that is left or loaded anew in that moment takes it along.
  const keepalive = method !== "GET" && !isForm && json.length <= SMALL_CHARS;
  const response = await reach(`${ROOT}${path}`, {
    method, headers, signal: signal ?? null, body: isForm ? body : json || null, keepalive,
  });
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new ApiError(response.status, answer?.code ?? "failed", answer?.message ?? gettext("That did not work. Try again."));
}

export function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

/** @param {string} url @param {RequestInit} options */
async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", gettext("The server cannot be reached. Try again."));
  }
}
