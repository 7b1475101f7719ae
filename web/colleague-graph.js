/** Who knows whom as a picture: the asker, colleagues, the one who is known; edges as strong as the tie. */

import { h } from "./dom.js";
import { nameOf } from "./people.js";

const ROW = 3.2; // in em, a colleague
const [ASKER, COLLEAGUE, TARGET] = [10, 45, 90]; // in percent across, from where reading begins
const TIE = 0.35; // how far along an edge its number stands

/** The graph of `colleagues` as listed; the list beside says the same in words. */
export function colleagueGraph(colleagues, targetName, say) {
  const across = (percent) => `${say.direction === "rtl" ? 100 - percent : percent}%`;
  const centre = colleagues.length / 2;
  const middle = `${centre * ROW}em`;
  const down = (number) => `${(number + 0.5) * ROW}em`;
  const along = (number) => `${(number + 0.5 + (centre - number - 0.5) * TIE) * ROW}em`;
  const line = (from, to, y, more) => h("line", { x1: across(from), y1: from === ASKER ? middle : y, x2: across(to), y2: to === TARGET ? middle : y, ...more });
  const node = (x, y, name, anchor = "middle") => [h("circle", { cx: across(x), cy: y, r: 6 }), h("text", { x: across(x), y, dy: "-.9em", "text-anchor": anchor }, name)];
  const edges = colleagues.map(({ bars, level, through, closeness }, number) => [
    line(ASKER, COLLEAGUE, down(number), { class: closeness || through ? "near" : "far" }),
    line(COLLEAGUE, TARGET, down(number), { class: level, "stroke-width": bars }),
    h("text", { class: "tie", x: across(COLLEAGUE + (TARGET - COLLEAGUE) * TIE), y: along(number), dy: ".35em", "text-anchor": "middle" }, say.text("graph.bars", { n: say.number(bars) })),
  ]);
  const nodes = [node(ASKER, middle, say.text("graph.you")), colleagues.map((one, number) => node(COLLEAGUE, down(number), nameOf(one.person, say))), node(TARGET, middle, targetName)];
  return h("div", { class: "scroll" }, h("svg", { class: "graph", role: "img", "aria-label": say.text("graph.label"), style: { "block-size": `${colleagues.length * ROW}em` } }, edges, nodes));
}
