// Fetches more of a long conversation before the reader reaches the edge of what is here.

import { byId } from "./dom.js";

/** How many heights of the view are kept ready beyond it. */
const AHEAD = 3;
const RETRY_MS = 2_000;

export class Edges {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #note = byId("edge-note");
  #scroller;
  #thread;
  #windows;
  #isDrawn;

  /**
   * @param {HTMLElement} scroller
   * @param {object} page
   * @param {import("./thread.js").Thread} page.thread
   * @param {import("./windows.js").Windows} page.windows
   * @param {() => boolean} page.isDrawn whether all that is here is on the page
   */
  constructor(scroller, { thread, windows, isDrawn }) {
    this.#scroller = scroller;
    this.#thread = thread;
    this.#windows = windows;
    this.#isDrawn = isDrawn;
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
  }

  look() {
    if (!this.#isDrawn() || this.#timer !== undefined) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const reserve = AHEAD * clientHeight;
    if (scrollTop < reserve && this.#thread.hasOlder) void this.#fetch(() => this.#windows.older());
    else if (scrollHeight - scrollTop - clientHeight < reserve && this.#thread.hasNewer) {
      void this.#fetch(() => this.#windows.newer());
    }
    this.#showNote();
  }

  /** @param {() => Promise<boolean>} fetch */
  async #fetch(fetch) {
    try {
      await fetch();
    } catch {
      this.#timer = setTimeout(() => this.#again(), RETRY_MS);
    }
  }

  #again() {
    this.#timer = undefined;
    this.look();
  }

  /** Only who is faster than the line sees it. */
  #showNote() {
    this.#note.hidden = !(this.#scroller.scrollTop < 1 && this.#thread.hasOlder);
  }
}
