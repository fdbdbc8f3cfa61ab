// What the reader sees of the conversation, and where in it they are.

import { ApiError } from "./api.js";
import { byId, oncePerFrame } from "./dom.js";
import { Edges } from "./edges.js";
import { Follower } from "./follower.js";
import { gettext } from "./gettext.js";
import { MessageList } from "./message_list.js";
import { toast } from "./toast.js";
import { Windows } from "./windows.js";

export class Reading {
  /** @type {string | null} a message to bring into view as soon as it is drawn */ #wanted = null;
  /** @type {HTMLElement | undefined} */ #marked;
  #isDrawn = true;
  #drawMore = oncePerFrame(() => this.draw());
  #list = new MessageList(byId("messages"));
  #client;
  #thread;
  #windows;
  #follower;
  #edges;

  /**
   * @param {import("./conversation_client.js").ConversationClient} client
   * @param {import("./thread.js").Thread} thread
   */
  constructor(client, thread) {
    const scroller = byId("scroller");
    this.#client = client;
    this.#thread = thread;
    this.#windows = new Windows(client, thread);
    this.#follower = new Follower(scroller, byId("messages"), byId("jump"), {
      hasNewer: () => thread.hasNewer,
      jump: () => void this.jump(),
    });
    this.#edges = new Edges(scroller, { thread, windows: this.#windows, isDrawn: () => this.#isDrawn });
  }

  draw() {
    const items = this.#thread.items();
    this.#isDrawn = this.#follower.hold(() =>
      this.#list.show(items, this.#client.pending, this.#wanted));
    this.#showWanted();
    this.#follower.grown();
    if (this.#isDrawn) this.#edges.look();
    else this.#drawMore();
  }

  /** @param {Item} item one whose answer has grown */
  refresh(item) {
    this.#list.refresh(item);
  }

  grown() {
    this.#follower.grown();
  }

  /** Draws every message again, whether or not something is new to it. */
  expire() {
    this.#list.expire();
  }

  /** Another conversation is shown now. @param {string | null} message to begin at, null for the end */
  open(message) {
    this.#unmark();
    this.#wanted = message;
    this.#follower.following = message === null;
    this.draw();
  }

  /** To the end of the shown path, which may not be here yet. */
  async jump() {
    const { end } = this.#thread;
    if (this.#thread.hasNewer && end !== null) {
      if (!(await this.#arrives(() => this.#windows.around(end)))) return;
      this.#thread.pin(end);
    }
    this.#follower.following = true;
    this.draw();
  }

  /** To a message of this conversation, on whatever path it is. @param {string} message */
  async goTo(message) {
    if (!(await this.#arrives(() => this.#windows.around(message)))) return;
    this.#thread.choose(message);
    this.#thread.pin(message);
    this.open(message);
  }

  /** @param {string} message another version to show */
  async turnTo(message) {
    if (!(await this.#arrives(() => this.#windows.version(message)))) return;
    this.#thread.choose(message);
    this.draw();
  }

  /** @param {Message[]} newest what the page has after the line was down */
  async reloaded(newest) {
    // At the end the newest part is the one to see, whatever lies between.
    if (!this.#follower.following) await this.#windows.mend(newest);
    this.draw();
  }

  /** @param {() => Promise<boolean>} load @returns {Promise<boolean>} */
  async #arrives(load) {
    try {
      return await load();
    } catch (error) {
      toast(error instanceof ApiError ? error.message : gettext("The server cannot be reached. Try again."));
      return false;
    }
  }

  #showWanted() {
    const element = this.#wanted === null ? undefined : this.#list.elementOf(this.#wanted);
    if (!element) return;
    this.#wanted = null;
    this.#marked = element;
    element.setAttribute("data-marked", "");
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    this.#follower.goTo(element);
  }

  #unmark() {
    this.#marked?.removeAttribute("data-marked");
    this.#marked = undefined;
  }
}
