// The settings of a chat in a few words.

import { gettext, interpolate, locale } from "./gettext.js";

/** @param {ChatSettings} settings @returns {string} empty where all is as the model comes */
export function summaryOf({ system_prompt: words, temperature, tools }) {
  const parts = [
    words.trim() && gettext("Own instructions"),
    temperature !== null && interpolate(gettext("Temperature %(value)s"), { value: temperature.toLocaleString(locale()) }),
    tools !== null && (tools.length > 0 ? gettext("Chosen tools") : gettext("No tools")),
  ];
  return parts.filter(Boolean).join(" · ");
}
