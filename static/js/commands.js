// What the palette and the list of shortcuts offer. A feature registers what it can do.

/**
 * @typedef {object} PageCommand
 * @property {string} label
 * @property {string[]} [keys] such as ["Ctrl", "Shift", "O"], where a shortcut does it as well
 * @property {() => void} [run] left out for what only the keys can do: it is listed, not offered
 * @property {() => boolean} [when] whether it can be done now; left out: always
 */

/** @type {PageCommand[]} */
const commands = [];

/** @param {PageCommand} command */
export function registerCommand(command) {
  commands.push(command);
}

/** @param {string} query @returns {(PageCommand & {run: () => void})[]} those that can be done now and have all of its words */
export function commandsFor(query) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  return commands.filter(isOffered).filter(({ label }) => words.every((word) => fold(label).includes(word)));
}

/** @returns {PageCommand[]} */
export function commandsWithKeys() {
  return commands.filter(({ keys }) => keys !== undefined);
}

/** @param {PageCommand} command @returns {command is PageCommand & {run: () => void}} */
function isOffered(command) {
  return command.run !== undefined && (command.when?.() ?? true);
}

/** @param {string} text */
function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
