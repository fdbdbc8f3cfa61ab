// Has diagrams drawn in a frame without an origin: mermaid is large, needs styles that this page forbids,
// and reads what a model wrote. What comes back is the text of a picture.

const PATIENCE_MS = 15_000;
const IDLE_MS = 60_000;

/** @type {HTMLIFrameElement | null} */
let frame = null;
/** @type {Promise<void> | null} */
let ready = null;
let newest = 0;
/** @type {Map<number, (answer: DiagramAnswer) => void>} */
const waiting = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let idle;

addEventListener("message", ({ source, data }) => {
  if (frame && source === frame.contentWindow) waiting.get(data?.id)?.(data);
});

/**
 * @param {{text: string, dark: boolean, colours: Record<string, string>}} wish
 * @returns {Promise<{svg: string, width: number, height: number} | null>} null where it cannot be drawn
 */
export async function drawDiagram(wish) {
  clearTimeout(idle);
  ready ??= open();
  const id = (newest += 1);
  try {
    await ready;
    const drawn = answerTo(id);
    frame?.contentWindow?.postMessage({ id, ...wish }, "*");
    const { svg, width, height } = await drawn;
    return typeof svg === "string" && Number.isFinite(width) && Number.isFinite(height)
      ? { svg, width: Number(width), height: Number(height) } : null;
  } catch {
    // It hangs; the next diagram gets a new frame.
    close();
    return null;
  } finally {
    clearTimeout(idle);
    idle = setTimeout(close, IDLE_MS);
  }
}

async function open() {
  frame = document.createElement("iframe");
  frame.src = "/diagram/";
  frame.sandbox.add("allow-scripts");
  frame.className = "diagram-frame";
  frame.title = "";
  frame.tabIndex = -1;
  frame.ariaHidden = "true";
  const opened = answerTo(0);
  document.body.append(frame);
  await opened;
}

function close() {
  frame?.remove();
  frame = null;
  ready = null;
}

/** @param {number} id @returns {Promise<DiagramAnswer>} */
function answerTo(id) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(id);
      reject(new Error("no answer"));
    }, PATIENCE_MS);
    waiting.set(id, (answer) => {
      clearTimeout(timer);
      waiting.delete(id);
      resolve(answer);
    });
  });
}
