// One file on its way to the server. `fetch` cannot tell how far an upload has come, so this is the
// older interface.

import { ApiError, csrfToken, request } from "./api.js";
import { gettext } from "./gettext.js";

const PATH = "/attachments";

/**
 * @param {File} file
 * @param {{progress: (part: number) => void, signal: AbortSignal}} options `part`: from 0 to 1
 * @returns {Promise<AttachmentData>} rejects with an ApiError
 */
export function upload(file, { progress, signal }) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.responseType = "json";
    sending.upload.addEventListener("progress", ({ loaded, total }) => progress(total > 0 ? loaded / total : 0));
    sending.addEventListener("load", () => {
      const { status, response } = sending;
      if (status === 201) resolve(response);
      else reject(new ApiError(status, response?.code ?? "failed", response?.message ?? reasonOf(status)));
    });
    sending.addEventListener("error", () => reject(new ApiError(0, "unreachable", gettext("The server cannot be reached."))));
    sending.addEventListener("abort", () => reject(new ApiError(0, "aborted", "")));
    signal.addEventListener("abort", () => sending.abort());
    sending.open("POST", `/api/v1${PATH}`);
    sending.setRequestHeader("X-CSRFToken", csrfToken());
    const form = new FormData();
    form.append("file", file);
    sending.send(form);
  });
}

/** @param {number} status of an answer that is not ours, such as a proxy's */
function reasonOf(status) {
  return status === 413 ? gettext("The file is too large for this server.") : gettext("The upload did not work.");
}

/** @param {string} id of a file that will not be sent */
export function discard(id) {
  // What stays behind is removed after a day.
  request("DELETE", `${PATH}/${id}`).catch(() => {});
}

/** @param {string} id @returns {Promise<AttachmentData | null>} null where it is gone; rejects with an ApiError */
export async function look(id) {
  try {
    return await request("GET", `${PATH}/${id}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
