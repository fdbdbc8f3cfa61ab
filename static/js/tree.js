// Messages form a tree by `parent`, of which a page holds a part: some messages, and of some more
// the ids. A conversation shows one path of it.

export class Tree {
  /** @type {Map<string, Message>} */ #messages = new Map();
  /** @type {Map<string | null, string[]>} in order of creation, loaded or not */ #children = new Map();
  /** @type {Map<string, string>} last message of a window to the end of the path below it */ #ends = new Map();
  /** @type {string | null} where the path ends that is shown first */ end = null;

  /** @returns {Message[]} */
  get messages() {
    return [...this.#messages.values()];
  }

  /** @param {string | null} id @returns {Message | undefined} */
  get(id) {
    return id === null ? undefined : this.#messages.get(id);
  }

  /** A message that is new: the newest version of itself. @param {Message} message */
  add(message) {
    const { id, parent } = message;
    this.#messages.set(id, message);
    this.end ??= id;
    const known = this.#childrenOf(parent);
    if (!known.includes(id)) this.#children.set(parent, [...known, id]);
  }

  /** A part of a path, as the server knows it. @param {MessageWindow} window */
  addWindow({ messages, newer, latest }) {
    for (const message of messages) {
      this.#messages.set(message.id, message);
      this.#know(message.parent, message.siblings ?? [message.id]);
    }
    const last = messages.at(-1);
    if (!last || !latest || newer.length === 0) return;
    this.#know(last.id, newer);
    this.#ends.set(last.id, latest);
  }

  /**
   * The shown path, as far as it is here without a hole: at every fork the chosen version, or else
   * the newest one that is here.
   * @param {Map<string | null, string>} chosen parent to child
   * @param {string | null} [anchor] a message in the part that is shown
   * @returns {Message[]}
   */
  path(chosen, anchor = null) {
    const top = this.#top(this.get(anchor) ?? this.get(this.end) ?? this.messages.at(-1));
    const path = new Set();
    for (let at = top && this.#pick(top.parent, chosen); at; at = this.#pick(at.id, chosen)) {
      // Broken data may hold a loop.
      if (path.has(at)) break;
      path.add(at);
    }
    return [...path];
  }

  /** @param {string} id the last one of a path that is here */
  goesOn(id) {
    return this.#childrenOf(id).length > 0;
  }

  /**
   * Where the shown path ends that goes through a message, here or not.
   * @param {string} id
   * @param {Map<string | null, string>} chosen
   */
  endBelow(id, chosen) {
    const seen = new Set();
    for (let at = id; !seen.has(at);) {
      seen.add(at);
      const next = this.#pick(at, chosen)?.id ?? this.#ends.get(at) ?? this.#childrenOf(at).at(-1);
      if (next === undefined) return at;
      at = next;
    }
    return id;
  }

  /**
   * Where a message stands among the versions of itself.
   * @param {Message} message
   * @returns {{index: number, ids: string[]}} index counts from 0
   */
  siblingsOf({ id, parent }) {
    const ids = this.#childrenOf(parent);
    return { index: ids.indexOf(id), ids };
  }

  /**
   * The choices that bring a message onto the shown path.
   * @param {string} id
   * @returns {Map<string | null, string>}
   */
  choicesFor(id) {
    const choices = new Map();
    for (let at = this.get(id); at && !choices.has(at.parent); at = this.get(at.parent)) {
      choices.set(at.parent, at.id);
    }
    return choices;
  }

  /** The first message above which there is a hole, or nothing. @param {Message | undefined} message */
  #top(message) {
    const seen = new Set();
    let top = message;
    for (let at = message; at && !seen.has(at.id); at = this.get(at.parent)) {
      seen.add(at.id);
      top = at;
    }
    return top;
  }

  /** @param {string | null} parent @param {Map<string | null, string>} chosen @returns {Message | undefined} */
  #pick(parent, chosen) {
    const wanted = this.get(chosen.get(parent) ?? null);
    if (wanted && wanted.parent === parent) return wanted;
    return this.get(this.#childrenOf(parent).findLast((id) => this.#messages.has(id)) ?? null);
  }

  /** @param {string | null} parent @param {string[]} ids all that the server knows */
  #know(parent, ids) {
    const since = this.#childrenOf(parent).filter((id) => !ids.includes(id));
    this.#children.set(parent, [...ids, ...since]);
  }

  /** @param {string | null} parent */
  #childrenOf(parent) {
    return this.#children.get(parent) ?? [];
  }
}
