// Messages form a tree by `parent`; a conversation shows one path of it.

/** @typedef {{id: string, parent: string | null}} Node */

/**
 * The children of every parent, in order of creation.
 * @template {Node} T
 * @param {Iterable<T>} messages in order of creation
 * @returns {Map<string | null, T[]>}
 */
export function childrenOf(messages) {
  const children = new Map();
  for (const message of messages) {
    const brothers = children.get(message.parent);
    if (brothers) brothers.push(message);
    else children.set(message.parent, [message]);
  }
  return children;
}

/**
 * The shown path: at every fork the chosen child, or the newest one.
 * @template {Node} T
 * @param {Iterable<T>} messages in order of creation
 * @param {Map<string | null, string>} chosen parent to child
 * @returns {T[]}
 */
export function shownPath(messages, chosen) {
  const children = childrenOf(messages);
  const path = [];
  // A parent is taken out when it is used, so that a loop in broken data ends.
  for (let at = pick(children, null, chosen); at; at = pick(children, at.id, chosen)) path.push(at);
  return path;
}

/**
 * Where a message stands among the versions of itself.
 * @template {Node} T
 * @param {Iterable<T>} messages in order of creation
 * @param {string} id
 * @returns {{index: number, ids: string[]}} index counts from 0, -1 for an unknown message
 */
export function siblingsOf(messages, id) {
  const all = [...messages];
  const parent = all.find((message) => message.id === id)?.parent;
  const ids = all.filter((message) => message.parent === parent).map((message) => message.id);
  return { index: ids.indexOf(id), ids: ids.includes(id) ? ids : [] };
}

/**
 * The choices that bring a message onto the shown path.
 * @template {Node} T
 * @param {Iterable<T>} messages
 * @param {string} id
 * @returns {Map<string | null, string>}
 */
export function choicesFor(messages, id) {
  const byId = new Map([...messages].map((message) => [message.id, message]));
  const choices = new Map();
  for (let at = byId.get(id); at && !choices.has(at.parent); at = byId.get(at.parent ?? "")) {
    choices.set(at.parent, at.id);
  }
  return choices;
}

/**
 * @template {Node} T
 * @param {Map<string | null, T[]>} children
 * @param {string | null} parent
 * @param {Map<string | null, string>} chosen
 * @returns {T | undefined}
 */
function pick(children, parent, chosen) {
  const among = children.get(parent);
  children.delete(parent);
  return among?.find((message) => message.id === chosen.get(parent)) ?? among?.at(-1);
}
