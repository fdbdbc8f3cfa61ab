// What an answer took: model, times, tokens and speed.

import { openDialog } from "./dialog.js";
import { find } from "./dom.js";
import { gettext, interpolate, locale } from "./gettext.js";

/** @param {Item | null} item */
export function showDetails(item) {
  if (!item?.snapshot) return;
  const rows = detailsOf(item.snapshot, item.message.created_at, item.models);
  find(openDialog("details"), "dl").append(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

/**
 * @param {Snapshot} snapshot @param {string} asked when @param {ModelChoice[]} models
 * @returns {[name: string, value: string][]} only what is known
 */
export function detailsOf({ model, usage, timings, attempt }, asked, models) {
  const output = numberOf(usage.output_tokens);
  const total = numberOf(timings.total_ms);
  const first = numberOf(timings.first_token_ms);
  const writing = total !== null && first !== null ? (total - first) / 1000 : null;
  /** @type {[string, string | null][]} */
  const rows = [
    [gettext("Model"), models.find(({ slug }) => slug === model)?.label ?? model],
    [gettext("Asked"), new Date(asked).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" })],
    [gettext("In the queue"), seconds(timings.queued_ms)],
    [gettext("Until the first word"), seconds(first)],
    [gettext("Thinking"), seconds(timings.reasoning_ms)],
    [gettext("In all"), seconds(total)],
    [gettext("Tokens read"), count(usage.input_tokens, usage.estimated)],
    [gettext("From the cache"), usage.cached === true ? gettext("yes, the model was not asked") : null],
    [usage.summarised === true ? gettext("Earlier messages summarised") : gettext("Earlier messages left out"), count(usage.left_out, false)],
    [gettext("Tokens written"), count(output, usage.estimated)],
    [gettext("Tokens per second"), output && writing ? format(output / writing, 1) : null],
    [gettext("Attempts"), attempt > 1 ? format(attempt) : null],
  ];
  return rows.flatMap(([name, value]) => (value ? [/** @type {[string, string]} */ ([name, value])] : []));
}

/** @param {unknown} value */
function numberOf(value) {
  return typeof value === "number" ? value : null;
}

/** @param {number} value @param {number} [digits] after the point */
function format(value, digits = 0) {
  return value.toLocaleString(locale(), { maximumFractionDigits: digits });
}

/** @param {unknown} ms */
function seconds(ms) {
  const value = numberOf(ms);
  return value === null ? null : interpolate(gettext("%(seconds)s s"), { seconds: format(value / 1000, value < 10_000 ? 2 : 1) });
}

/** @param {unknown} tokens @param {unknown} estimated */
function count(tokens, estimated) {
  const value = numberOf(tokens);
  if (!value) return null;
  return estimated ? interpolate(gettext("about %(number)s"), { number: format(value) }) : format(value);
}

/** @param {string} name @param {string} text */
function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
