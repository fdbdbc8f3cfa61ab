// What the browser keeps for the user: drafts, and messages that the server has not taken yet.
// Storage may be full or forbidden; the page works without it.

/** @param {Storage} storage @param {string} key @returns {string | null} */
function read(storage, key) {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {Storage} storage @param {string} key @param {string} value empty to forget */
function write(storage, key, value) {
  try {
    if (value) storage.setItem(key, value);
    else storage.removeItem(key);
  } catch {
    // Nothing is lost but the comfort: the text is still in the composer.
  }
}

/** @param {string | number} user */
export function draftsOf(user) {
  const key = (/** @type {string | null} */ conversation) => `draft:${user}:${conversation ?? "new"}`;
  return {
    /** @param {string | null} conversation */
    load: (conversation) => read(localStorage, key(conversation)) ?? "",
    /** @param {string | null} conversation @param {string} text */
    save: (conversation, text) => write(localStorage, key(conversation), text),
  };
}

/**
 * Messages on their way belong to one tab, or two tabs would send them; and to one user.
 * @param {string | number} user
 * @returns {OutboxStorage}
 */
export function outboxOf(user) {
  const key = `outbox:${user}`;
  return {
    load: () => JSON.parse(read(sessionStorage, key) ?? "[]"),
    save: (commands) => write(sessionStorage, key, commands.length > 0 ? JSON.stringify(commands) : ""),
  };
}

/**
 * Messages that wait for an answer to end, of one tab as well.
 * @param {string | number} user
 */
export function queueOf(user) {
  const key = `queue:${user}`;
  return {
    /** @returns {QueuedMessage[]} */
    load: () => JSON.parse(read(sessionStorage, key) ?? "[]"),
    /** @param {QueuedMessage[]} items */
    save: (items) => write(sessionStorage, key, items.length > 0 ? JSON.stringify(items) : ""),
  };
}

/** Files that are attached to what is being written. @param {string | number} user */
export function draftFilesOf(user) {
  const key = (/** @type {string} */ place) => `files:${user}:${place}`;
  return {
    /** @param {string} place @returns {FileBlock[]} */
    load: (place) => JSON.parse(read(localStorage, key(place)) ?? "[]"),
    /** @param {string} place @param {FileBlock[]} files */
    save: (place, files) => write(localStorage, key(place), files.length > 0 ? JSON.stringify(files) : ""),
  };
}

/** @param {string | number} user @returns {FileStorage} */
export function knownFilesOf(user) {
  const key = `known-files:${user}`;
  return {
    load: () => JSON.parse(read(sessionStorage, key) ?? "[]"),
    save: (files) => write(sessionStorage, key, JSON.stringify(files)),
  };
}

/** @param {string} name */
export function preference(name) {
  return read(localStorage, `preference:${name}`);
}

/** @param {string} name @param {string} value */
export function setPreference(name, value) {
  write(localStorage, `preference:${name}`, value);
}
