/** What settings would do, before they are published: shares per grade, what moves most, whether they would have told better. */

import { h } from "./dom.js";
import { data, number, part, table } from "./admin-section.js";

const GRADES = ["good", "fair", "poor", "insufficient"];

/** The nodes for a preview; `section` gives the language. */
export function previewNodes({ types, moves, foretelling }, section) {
  const { say } = section;
  const found = part("tried", say.text("tried.title"), shares(types, say), moved(moves, say), foretold(foretelling, say));
  found.tabIndex = -1;
  return found;
}

function shares(types, say) {
  const percent = (value) => (value === undefined ? "" : say.percent(value / 100));
  const heads = [say.text("tried.type"), say.text("tried.when"), say.text("tried.bar"), ...GRADES.map((grade) => [key(grade), say.text(`grade.${grade}`)]), say.text("tried.changed")];
  const rows = types.flatMap(({ type, open, computed, sampled, before, after, changed }) => {
    const counted = say.text(sampled ? "tried.sampled" : "tried.computed", { computed: say.number(computed), open: say.number(open) });
    const name = h("span", {}, say.text(`crmType.${type}`), h("small", {}, counted));
    const line = (head, when, grades, last) => [head, say.text(when), grades ? stacked(grades) : say.text("tried.none"), ...GRADES.map((grade) => number(percent(grades?.[grade]))), last];
    return [line(name, "tried.before", before, number("")), line("", "tried.after", after, number(say.number(changed)))];
  });
  return table(say.text("tried.shares"), heads, rows);
}

function key(grade) {
  return h("span", { class: `key ${grade}`, "aria-hidden": "true" });
}

function stacked(grades) {
  return h("div", { class: "bar stacked", "aria-hidden": "true" }, GRADES.map((grade) => h("span", { class: grade, style: { "inline-size": `${grades[grade]}%` } })));
}

function moved(moves, say) {
  if (moves.length === 0) return h("p", {}, say.text("tried.noMoves"));
  const score = (value, grade) => [value === null ? "" : `${say.number(value)} · `, say.text(`grade.${grade}`)].join("");
  const rows = moves.map((one) => [data(one.name || one.record), say.text(`crmType.${one.record.split(":")[0]}`), score(one.scoreBefore, one.gradeBefore), score(one.scoreAfter, one.gradeAfter)]);
  return table(say.text("tried.moves"), ["record", "type", "before", "after"].map((name) => say.text(`tried.${name}`)), rows);
}

/** Whether the change of the area under the curve can be told from chance decides the sentence. */
function foretold({ horizonDays, alive, ended, aucBefore, aucAfter, low, high, reason }, say) {
  const days = say.amount(horizonDays, "day");
  if (reason) return h("p", { class: "note" }, say.text(`foretold.${reason}`, { days, alive: say.number(alive), ended: say.number(ended) }));
  const verdict = low > 0 ? "better" : high < 0 ? "worse" : "same";
  const values = { days, before: say.number(aucBefore, 3), after: say.number(aucAfter, 3), low: say.number(low, 3), high: say.number(high, 3) };
  return h("p", {}, h("strong", {}, say.text(`foretold.${verdict}`)), " ", say.text("foretold.areas", values));
}
