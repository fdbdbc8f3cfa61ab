// Says when the line is down, and what can be done. A short break is not worth a word.

import { find, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";

const QUIET_MS = 1_000;
const SESSION_ENDED = 4501;

export class LineBanner {
  /** @type {LineState} */ #state = { name: "connecting" };
  /** @type {ReturnType<typeof setInterval> | undefined} */ #clock;
  #downSince = Date.now();
  #element;
  #retry;
  #signIn;
  #reload;

  /** @param {HTMLElement} element @param {() => void} tryNow */
  constructor(element, tryNow) {
    this.#element = element;
    this.#retry = find(element, ".line-retry");
    this.#signIn = /** @type {HTMLAnchorElement} */ (find(element, ".line-sign-in"));
    this.#reload = find(element, ".line-reload");
    this.#retry.addEventListener("click", tryNow);
    this.#reload.addEventListener("click", () => location.reload());
    addEventListener("offline", () => this.#render());
  }

  /** @param {LineState} state */
  update(state) {
    if (this.#state.name === "open" && state.name !== "open") this.#downSince = Date.now();
    this.#state = state;
    clearInterval(this.#clock);
    if (state.name === "waiting" || state.name === "connecting") {
      this.#clock = setInterval(() => this.#render(), 500);
    }
    this.#render();
  }

  #render() {
    const ended = this.#state.name === "ended" ? this.#state.code : 0;
    const text = this.#text();
    this.#element.hidden = text === "";
    setText(find(this.#element, ".line-text"), text);
    this.#retry.hidden = this.#state.name !== "waiting";
    this.#signIn.hidden = ended !== SESSION_ENDED;
    // The address may have changed since the page was loaded.
    this.#signIn.search = `?next=${encodeURIComponent(location.pathname)}`;
    this.#reload.hidden = ended === 0 || ended === SESSION_ENDED;
  }

  /** @returns {string} */
  #text() {
    const state = this.#state;
    if (state.name === "open") return "";
    if (state.name === "ended") return endedText(state.code);
    if (Date.now() - this.#downSince < QUIET_MS) return "";
    if (!navigator.onLine) return gettext("You are offline. What you write is kept.");
    const seconds = state.name === "waiting" ? Math.ceil((state.at - Date.now()) / 1000) : 0;
    return seconds > 1
      ? interpolate(gettext("Reconnecting… %(seconds)s s"), { seconds }) : gettext("Reconnecting…");
  }
}

/** @param {number} code */
function endedText(code) {
  if (code === SESSION_ENDED) return gettext("You have been signed out. Your draft is kept.");
  return gettext("The server has ended this connection.");
}
