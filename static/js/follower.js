// Keeps the newest text in view while the reader is at the end, and leaves a reader who scrolled up alone.

const NEAR_PX = 48;

export class Follower {
  #following = true;
  #scroller;
  #button;

  /** @param {HTMLElement} scroller @param {HTMLElement} button jumps to the end */
  constructor(scroller, button) {
    this.#scroller = scroller;
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    scroller.addEventListener("wheel", (event) => { if (event.deltaY < 0) this.#letGo(); }, { passive: true });
    button.addEventListener("click", () => this.jump());
    new ResizeObserver(() => this.grown()).observe(scroller);
  }

  /** The content may be longer now. */
  grown() {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#button.hidden = this.#following || this.#rest() < NEAR_PX;
  }

  jump() {
    this.#following = true;
    this.grown();
  }

  #look() {
    this.#following = this.#rest() < NEAR_PX;
    this.#button.hidden = this.#following;
  }

  /** One turn of the wheel must win over the text that arrives in the same moment. */
  #letGo() {
    if (this.#scroller.scrollTop > 0) this.#following = false;
  }

  #rest() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }
}
