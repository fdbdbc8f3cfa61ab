// Commands that must not be lost: each is sent again, with the same ids, until it is answered.

const FIRST_RETRY_MS = 2_000;
const GIVE_UP_MS = 60_000;

export class Outbox {
  /** @type {Map<string, OutboxEntry>} */ #entries = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #storage;
  #send;
  #changed;

  /**
   * @param {object} options
   * @param {(command: KeptCommand) => boolean} options.send false while there is no line
   * @param {() => void} options.changed
   * @param {OutboxStorage} options.storage keeps messages over a reload of the page
   */
  constructor({ send, changed, storage }) {
    this.#send = send;
    this.#changed = changed;
    this.#storage = storage;
    for (const command of storage.load()) this.#entries.set(command.id, entryOf(command));
  }

  /** @returns {OutboxEntry[]} in the order in which they were written */
  get entries() {
    return [...this.#entries.values()];
  }

  /** @param {KeptCommand} command */
  add(command) {
    const entry = entryOf(command);
    this.#entries.set(command.id, entry);
    this.#attempt(entry);
    this.#keep();
  }

  /** Sends all again: nobody knows what the last line has swallowed. */
  sendAll() {
    for (const entry of this.#entries.values()) this.#attempt(entry);
    this.#keep();
  }

  /**
   * Takes out a command that was answered, or that the user took back.
   * @param {string} id
   * @returns {KeptCommand | undefined}
   */
  settle(id) {
    const command = this.#entries.get(id)?.command;
    if (!this.#entries.delete(id)) return undefined;
    this.#keep();
    return command;
  }

  /**
   * Puts a refused command off. False when it is not ours, or has been tried for long enough.
   * @param {ErrorFrame} error
   */
  postpone(error) {
    const entry = this.#entries.get(error.id ?? "");
    if (!entry) return false;
    entry.since ??= Date.now();
    const wait = (error.retry_after ?? 0) * 1000 || FIRST_RETRY_MS * 2 ** entry.tries;
    entry.tries += 1;
    entry.reason = error.message;
    entry.due = Date.now() + wait;
    if (entry.due - entry.since > GIVE_UP_MS) return false;
    this.#keep();
    return true;
  }

  /** @param {OutboxEntry} entry */
  #attempt(entry) {
    if (entry.due > Date.now()) return;
    if (this.#send(entry.command)) entry.sent = true;
  }

  #sendDue() {
    for (const entry of this.#entries.values()) {
      if (entry.due > 0 && entry.due <= Date.now()) {
        this.#attempt(entry);
        entry.due = 0;
      }
    }
    this.#schedule();
  }

  #schedule() {
    clearTimeout(this.#timer);
    const dues = this.entries.map((entry) => entry.due).filter((due) => due > 0);
    if (dues.length === 0) return;
    this.#timer = setTimeout(() => this.#sendDue(), Math.max(0, Math.min(...dues) - Date.now()));
  }

  #keep() {
    this.#schedule();
    this.#storage.save(this.entries.map((entry) => entry.command).filter(isSubmit));
    this.#changed();
  }
}

/** @param {KeptCommand} command @returns {OutboxEntry} */
function entryOf(command) {
  return { command, sent: false, tries: 0, since: null, due: 0, reason: null };
}

/** @param {KeptCommand} command @returns {command is SubmitCommand} */
function isSubmit(command) {
  return command.type === "message.submit";
}
