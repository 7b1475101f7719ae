/** The trend as an arrow and a word. */

import { h } from "./dom.js";

const ARROWS = { improving: "M3 13 13 3M6 3h7v7", steady: "M2 8h12M9 3l5 5-5 5", declining: "M3 3l10 10M13 6v7H6" };

export function trend(name, say) {
  const arrow = ARROWS[name] && h("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, h("path", { d: ARROWS[name] }));
  return h("span", { class: `trend ${name}` }, arrow, say.text(`trend.${name}`));
}
