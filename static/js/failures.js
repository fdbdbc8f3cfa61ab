// Why an answer failed, in the reader's language. A worker stores its sentence in English, for it knows
// no reader; the code beside it is what is translated.

import { gettext } from "./gettext.js";

const SENTENCES = /** @type {Record<string, string>} */ ({
  provider_unreachable: gettext("The model could not be reached. Please try again in a moment."),
  provider_auth: gettext("The model refused our access. Please tell your administrator."),
  provider_rate_limited: gettext("The model is busy just now. Please try again in a moment."),
  provider_error: gettext("The model had a problem. Please try again."),
  provider_bad_request: gettext("The model did not accept this message."),
  context_too_long: gettext(
    "This is too long for the model. Please shorten it, start a new chat or choose a model with more room.",
  ),
  provider_interrupted: gettext("The answer was cut off. Please try again."),
  provider_timeout: gettext("The model took too long to answer. Please try again."),
  provider_invalid_response: gettext("The model sent something that we could not read. Please try again."),
  model_misconfigured: gettext("This model is not set up correctly. Please tell your administrator."),
  runnable_failed: gettext("This model failed at the answer. Please try again, or tell your administrator."),
  moderation_unavailable: gettext("The rest of the answer could not be checked, so it is not shown. Please try again in a moment."),
  worker_lost: gettext("The answer was interrupted too often. Try again."),
  side_effects: gettext(
    "The answer was interrupted after a tool had already acted, so it was not started again by itself.",
  ),
  generation_timeout: gettext("The answer took too long and was ended. What had arrived is kept."),
  model_unavailable: gettext("This model is no longer available. Choose another one."),
  internal: gettext("Something went wrong on our side. Try again."),
});

/** @param {{code: string, message: string} | null | undefined} error */
export function failureText(error) {
  const stored = error?.message || gettext("The answer could not be finished.");
  return (error && SENTENCES[error.code]) ?? stored;
}
