// Keeps the newest text in view while the reader is at the end, and leaves a reader alone who scrolls
// up, selects text or opens something.

const NEAR_PX = 48;

export class Follower {
  #following = true;
  #top = 0;
  #height = 0;
  #scroller;
  #list;
  #button;
  #hasNewer;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} list what grows in it
   * @param {HTMLElement} button jumps to the end
   * @param {{hasNewer: () => boolean, jump: () => void}} page
   */
  constructor(scroller, list, button, { hasNewer, jump }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#button = button;
    this.#hasNewer = hasNewer;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    scroller.addEventListener("wheel", (event) => { if (event.deltaY < 0) this.letGo(); }, { passive: true });
    // Details that the reader opens would be pushed out of view by what arrives below them.
    list.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("summary")) this.letGo();
    });
    document.addEventListener("selectionchange", () => { if (this.#selects()) this.letGo(); });
    button.addEventListener("click", jump);
    // The text grows by images that load late and by a larger font as well.
    const observer = new ResizeObserver(() => this.grown());
    observer.observe(scroller);
    observer.observe(list);
  }

  get following() {
    return this.#following;
  }

  /** The browser's own anchoring and ours would pull at each other: only one of them is on. */
  set following(following) {
    this.#following = following;
    this.#scroller.toggleAttribute("data-following", following);
  }

  /** The content may be longer now. */
  grown() {
    if (this.following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#remember();
    this.#showButton();
  }

  /** One turn of the wheel must win over the text that arrives in the same moment. */
  letGo() {
    if (this.#scroller.scrollHeight > this.#scroller.clientHeight) this.following = false;
  }

  /** @param {HTMLElement} element to bring to the top of the view */
  goTo(element) {
    this.following = false;
    element.scrollIntoView({ block: "start" });
    this.#remember();
    this.#showButton();
  }

  /**
   * Changes the list, and leaves what the reader sees where it is.
   * @template T
   * @param {() => T} change
   * @returns {T}
   */
  hold(change) {
    if (this.following) return change();
    const seen = this.#firstInView();
    const before = seen?.getBoundingClientRect().top ?? 0;
    const result = change();
    const moved = seen?.isConnected ? seen.getBoundingClientRect().top - before : 0;
    if (moved !== 0) this.#scroller.scrollTop += moved;
    this.#remember();
    return result;
  }

  #look() {
    const { scrollTop, scrollHeight } = this.#scroller;
    const isUpwards = scrollTop < this.#top - 1 && scrollHeight >= this.#height;
    if (isUpwards) this.letGo();
    // The event of our own scrolling comes late: it must not undo what the reader did since.
    else if (scrollTop !== this.#top) this.following = this.#rest() < NEAR_PX && !this.#hasNewer();
    this.#remember();
    this.#showButton();
  }

  #remember() {
    this.#top = this.#scroller.scrollTop;
    this.#height = this.#scroller.scrollHeight;
  }

  #showButton() {
    this.#button.hidden = !this.#hasNewer() && (this.following || this.#rest() < NEAR_PX);
  }

  #rest() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Whether the reader holds some of the text selected. */
  #selects() {
    const selection = getSelection();
    return selection !== null && !selection.isCollapsed && this.#list.contains(selection.anchorNode);
  }

  #firstInView() {
    const { children } = this.#list;
    const edge = this.#scroller.getBoundingClientRect().top;
    let low = 0;
    for (let high = children.length; low < high;) {
      const middle = (low + high) >> 1;
      const bottom = children[middle]?.getBoundingClientRect().bottom ?? 0;
      if (bottom > edge) high = middle;
      else low = middle + 1;
    }
    return children[low];
  }
}
