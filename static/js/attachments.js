// The files that go with what is being written: one list for each conversation and for each message
// that is edited, so that an upload goes on while something else is shown. No DOM.

import { ApiError } from "./api.js";
import { blockOf, refusalOf } from "./files.js";
import { gettext, interpolate } from "./gettext.js";
import { uuid } from "./uuid.js";

/** @typedef {{file_mb: number, files: number}} FileLimits */

/**
 * @typedef {object} AttachmentTools
 * @property {(file: File, options: {progress: (part: number) => void, signal: AbortSignal}) => Promise<AttachmentData>} upload
 * @property {(id: string) => void} discard
 * @property {(id: string) => Promise<AttachmentData | null>} look
 * @property {{load: (place: string) => FileBlock[], save: (place: string, files: FileBlock[]) => void}} drafts
 * @property {() => void} changed the list that is shown is another, or has changed
 * @property {(sentence: string) => void} tell says politely what happened to a file
 */

/** @typedef {{place: string, entries: FileEntry[]}} Attached what is attached in one place, which may be renamed */

export class Attachments {
  /** @type {Map<string, Attached>} */ #lists = new Map();
  /** @type {Attached} */ #shown = { place: "", entries: [] };
  #limits;
  #tools;

  /** @param {FileLimits} limits @param {AttachmentTools} tools */
  constructor(limits, tools) {
    this.#limits = limits;
    this.#tools = tools;
  }

  /** @returns {readonly FileEntry[]} of what is shown */
  get entries() {
    return this.#shown.entries;
  }

  /** @returns {FileBlock[]} what would be sent now */
  get ready() {
    return readyOf(this.entries);
  }

  get isUploading() {
    return this.entries.some(({ state }) => state === "uploading");
  }

  /** Whether the user has to try again, or to do without, before a message can be sent. */
  get isStuck() {
    return this.entries.some(({ state, retryable }) => state === "failed" && retryable);
  }

  get hasFailed() {
    return this.entries.some(({ state }) => state === "failed");
  }

  /**
   * Shows the files of another place.
   * @param {string} place of a draft, or of a message that is edited
   * @param {FileBlock[]} [held] what the message has; a draft's own are kept in the browser
   */
  show(place, held) {
    this.#shown = this.#lists.get(place) ?? this.#begin(place, held);
    this.#tools.changed();
  }

  /** A draft has got another place, as that of a new conversation does. @param {string} from @param {string} to */
  move(from, to) {
    const list = this.#lists.get(from);
    if (!list || this.#lists.has(to)) return;
    this.#lists.delete(from);
    this.#lists.set(to, list);
    this.#tools.drafts.save(from, []);
    list.place = to;
    this.#changed(list);
  }

  /** @param {string} place whose files are not wanted any more; what a message holds stays with it */
  forget(place) {
    for (const entry of this.#lists.get(place)?.entries ?? []) entry.abort?.abort();
    this.#lists.delete(place);
    this.#tools.drafts.save(place, []);
  }

  /** @param {Iterable<File>} files */
  add(files) {
    const list = this.#shown;
    for (const file of files) {
      const entry = entryOf(file);
      const reason = this.#isFull ? this.#tooMany() : refusalOf(file, this.#limits);
      list.entries.push(entry);
      if (reason) this.#refuse(entry, reason, false);
      else void this.#upload(list, entry);
    }
    this.#tools.changed();
  }

  /** Takes files back that were not sent after all. @param {FileBlock[]} blocks @param {string} [place] */
  putBack(blocks, place = this.#shown.place) {
    const list = this.#lists.get(place) ?? this.#begin(place);
    const known = new Set(readyOf(list.entries).map((block) => block.file_id));
    const entries = blocks.filter((block) => !known.has(block.file_id)).map(readyEntry);
    list.entries.unshift(...entries);
    for (const entry of entries) void this.#check(list, entry);
    this.#changed(list);
  }

  /** @param {string} key */
  retry(key) {
    const entry = this.entries.find((one) => one.key === key);
    if (entry?.file && entry.retryable) void this.#upload(this.#shown, entry);
  }

  /** @param {string} key */
  remove(key) {
    const entry = this.entries.find((one) => one.key === key);
    if (!entry) return;
    entry.abort?.abort();
    // What a message holds stays with it; of the rest the server need not keep anything.
    if (entry.block && !entry.held) this.#tools.discard(entry.block.file_id);
    this.#drop(this.#shown, entry);
  }

  /** Hands over what is ready, to be sent. @returns {FileBlock[]} */
  take() {
    const blocks = this.ready;
    this.#shown.entries = [];
    this.#changed(this.#shown);
    return blocks;
  }

  get #isFull() {
    return this.entries.filter(({ state, retryable }) => state !== "failed" || retryable).length >= this.#limits.files;
  }

  #tooMany() {
    return interpolate(gettext("A message holds at most %(most)s files."), { most: this.#limits.files });
  }

  /** @param {string} place @param {FileBlock[]} [held] @returns {Attached} */
  #begin(place, held) {
    const entries = (held ?? this.#tools.drafts.load(place)).map(readyEntry);
    const list = { place, entries };
    this.#lists.set(place, list);
    for (const entry of entries) {
      entry.held = held !== undefined;
      if (!entry.held) void this.#check(list, entry);
    }
    return list;
  }

  /** A draft may be older than what the server keeps, or have been sent from another tab. @param {Attached} list @param {FileEntry} entry */
  async #check(list, entry) {
    try {
      const data = await this.#tools.look(entry.block?.file_id ?? "");
      if (data?.sent) return this.#drop(list, entry);
      if (data) entry.reads = data.reads;
      else this.#refuse(entry, gettext("The file is no longer there. Attach it again."), false);
    } catch (error) {
      // Nobody can tell now; the server will when it is sent.
      if (!(error instanceof ApiError)) throw error;
    }
    return this.#changed(list);
  }

  /** @param {Attached} list @param {FileEntry} entry */
  async #upload(list, entry) {
    const abort = new AbortController();
    Object.assign(entry, { state: "uploading", progress: 0, reason: "", abort });
    this.#changed(list);
    try {
      const progress = (/** @type {number} */ part) => { entry.progress = part; this.#tools.changed(); };
      const data = await this.#tools.upload(/** @type {File} */ (entry.file), { progress, signal: abort.signal });
      const { key, preview } = entry;
      Object.assign(entry, { ...readyEntry(blockOf(data)), key, preview, reads: data.reads });
      this.#say(gettext("%(name)s is attached."), entry);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (abort.signal.aborted) return;
      this.#refuse(entry, error.message, error.status === 0 || error.status >= 500);
    }
    this.#changed(list);
  }

  /** @param {FileEntry} entry @param {string} reason @param {boolean} retryable */
  #refuse(entry, reason, retryable) {
    Object.assign(entry, { state: "failed", reason, retryable, block: null, abort: null });
    this.#say(gettext("%(name)s is not attached: %(reason)s"), entry);
  }

  /** @param {string} sentence @param {FileEntry} entry */
  #say(sentence, { name, reason }) {
    this.#tools.tell(interpolate(sentence, { name, reason }));
  }

  /** @param {Attached} list @param {FileEntry} entry */
  #drop(list, entry) {
    list.entries = list.entries.filter((one) => one !== entry);
    this.#changed(list);
  }

  /** @param {Attached} list */
  #changed(list) {
    this.#tools.drafts.save(list.place, readyOf(list.entries));
    if (list === this.#shown) this.#tools.changed();
  }
}

/** @param {readonly FileEntry[]} entries */
function readyOf(entries) {
  return entries.flatMap(({ state, block }) => (state === "ready" && block ? [block] : []));
}

/** @param {File} file @returns {FileEntry} */
function entryOf(file) {
  const preview = /^image\/(png|jpeg|webp|gif)$/.test(file.type) ? URL.createObjectURL(file) : null;
  return {
    key: uuid(), name: file.name, isImage: preview !== null, size: file.size, state: "uploading", progress: 0,
    reason: "", retryable: false, reads: "whole", block: null, held: false, file, preview, abort: null,
  };
}

/** @param {FileBlock} block @returns {FileEntry} */
function readyEntry(block) {
  return {
    key: uuid(), name: block.extras.name, isImage: block.type === "image", size: block.extras.size, state: "ready", progress: 1,
    reason: "", retryable: false, reads: "whole", block, held: false, file: null, preview: null, abort: null,
  };
}
