// When to try again. For the first half minute no wait is longer than 1.5 s, because an answer that
// is running should go on within 2 s after a node can be reached; after that we spare a server that
// stays away. Half of every wait is chance, so that a thousand tabs do not come back at once.

const FIRST_SECONDS = 0.25;
const SOON_SECONDS = 1.5;
const LONGEST_SECONDS = 15;
const SOON_TRIES = 24;

/**
 * Seconds to wait before the next try.
 * @param {number} tries how many have failed since the line was last good
 * @param {() => number} random
 */
export function delaySeconds(tries, random) {
  const longest = tries < SOON_TRIES
    ? Math.min(SOON_SECONDS, FIRST_SECONDS * 2 ** tries)
    : Math.min(LONGEST_SECONDS, SOON_SECONDS * 2 ** (tries - SOON_TRIES + 1));
  return longest * (0.5 + 0.5 * random());
}

/**
 * Whether a closed line is worth another try: 4500–4999 mean that the server does not want us.
 * @param {number} code
 */
export function comesBack(code) {
  return code < 4500 || code > 4999;
}
