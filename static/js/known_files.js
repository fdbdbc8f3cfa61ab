// What this tab knows of files that it has sent: a command carries their ids alone, and what it will
// look like is shown before the server has answered. No DOM.

const KEPT = 100;

export class KnownFiles {
  /** @type {Map<string, FileBlock>} */ #blocks;
  #storage;

  /** @param {FileStorage} [storage] keeps them over a reload, as the messages on their way are */
  constructor(storage = { load: () => [], save: () => {} }) {
    this.#storage = storage;
    this.#blocks = new Map(storage.load().map((block) => [block.file_id, block]));
  }

  /** @param {FileBlock[]} blocks */
  remember(blocks) {
    if (blocks.length === 0) return;
    for (const block of blocks) this.#blocks.set(block.file_id, block);
    this.#storage.save([...this.#blocks.values()].slice(-KEPT));
  }

  /** @param {string[]} [ids] @returns {FileBlock[]} */
  blocks(ids = []) {
    return ids.flatMap((id) => this.#blocks.get(id) ?? []);
  }
}
