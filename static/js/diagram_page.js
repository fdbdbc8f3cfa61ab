// The page in the frame: draws what its parent sends. It has no origin and nothing to lose.

import mermaid from "mermaid";

/** Keys that a diagram's own `%%{init}%%` cannot change. */
const OURS = [
  "secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "suppressErrorRendering",
  "htmlLabels", "flowchart", "theme", "themeCSS", "themeVariables", "fontFamily", "altFontFamily", "darkMode",
];

/** @param {MessageEvent<DiagramWish>} event */
async function draw({ source, data: { id, text, dark, colours } }) {
  if (source !== parent) return;
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    maxTextSize: 30_000,
    secure: OURS,
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    fontFamily: "system-ui, sans-serif",
    theme: "base",
    darkMode: dark,
    themeVariables: { darkMode: dark, fontFamily: "system-ui, sans-serif", fontSize: "15px", ...colours },
  });
  try {
    const { svg } = await mermaid.render(`diagram-${id}`, text);
    answer({ id, ...asFile(svg) });
  } catch (error) {
    answer({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

/** As a picture it must be XML, and have a size of its own. @param {string} svg */
function asFile(svg) {
  document.body.innerHTML = svg;
  const element = /** @type {SVGSVGElement} */ (document.body.querySelector("svg"));
  const { width, height } = element.viewBox.baseVal;
  element.setAttribute("width", String(width));
  element.setAttribute("height", String(height));
  element.style.removeProperty("max-width");
  const text = new XMLSerializer().serializeToString(element);
  document.body.replaceChildren();
  return { svg: text, width, height };
}

/** The parent is of another origin than this page, which has none. @param {DiagramAnswer} message */
function answer(message) {
  parent.postMessage(message, "*");
}

addEventListener("message", (event) => void draw(event));
answer({ id: 0 });
