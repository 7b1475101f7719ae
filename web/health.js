/** Relationship health: score, grade, trend, the parts that add up to it, evidence, and what would change it. */

import { bar, figure, h, section } from "./dom.js";
import { nameOf, names } from "./people.js";
import { trend } from "./trend.js";

export function healthView({ flags, widgets: { health } }, say, element) {
  if (flags.includes("healthHidden")) return section("health", say.text("health.title"), h("p", {}, element.flagText("healthHidden")));
  return section(
    "health",
    say.text("health.title"),
    headline(health, say),
    health.alarm in ALARMS && h("p", { class: "alarm" }, alarmText(health, say)),
    health.score === null ? h("p", {}, say.text("health.insufficient")) : parts(health, say),
    evidence(health.evidence, say),
    health.score !== null && health.counterfactuals && whatIf(health.counterfactuals, say),
  );
}

const ALARMS = { cooling: 1, probably_lost: 1 };

function alarmText({ alarm, evidence: { silenceDays, usualGapDays } }, say) {
  return say.text(`alarm.${alarm}`, {
    silence: say.amount(silenceDays, "day"),
    gap: say.amount(usualGapDays, "day"),
  });
}

/** The score always runs from left to right, in every language. */
function headline(health, say) {
  const grade = h("span", { class: `grade ${health.grade}` }, say.text(`grade.${health.grade}`));
  if (health.score === null) return h("p", { class: "headline" }, grade);
  const label = say.text("health.outOf", { score: say.number(health.score) });
  return h(
    "div",
    {},
    h(
      "p",
      { class: "headline" },
      h("span", { class: "score", dir: "ltr", role: "img", "aria-label": label }, say.number(health.score)),
      grade,
      trend(health.trendName, say),
    ),
    h("div", { dir: "ltr" }, bar(health.score / 100, health.grade)),
  );
}

/** One bar to which all parts add up, and a row for each part. */
function parts({ contributions, score }, say) {
  const stacked = contributions.map((part, number) =>
    h("span", { class: `part${number}`, style: { "inline-size": `${part.score}%` } }),
  );
  const rows = contributions.map((part, number) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, say.text(`part.${part.name}`), bar(part.points ? part.score / part.points : 0, `part${number}`)),
      h("td", { class: "number" }, say.text("health.ofPoints", { score: say.number(part.score), points: say.number(part.points) })),
    ),
  );
  const sum = h(
    "tr",
    { class: "sum" },
    h("th", { scope: "row" }, say.text("health.sum")),
    h("td", { class: "number" }, say.text("health.ofPoints", { score: say.number(score), points: say.number(100) })),
  );
  return h(
    "div",
    {},
    h("h4", {}, say.text("health.parts")),
    h("div", { class: "bar stacked", "aria-hidden": "true" }, stacked),
    h("table", { class: "parts" }, h("tbody", {}, rows, sum)),
  );
}

function evidence(found, say) {
  const each = say.text("evidence.every", { length: say.amount(found.frequencyDays, "day") });
  const of = (met) => say.text("health.ofPoints", { score: say.number(met), points: say.number(found.periods) });
  return h(
    "details",
    { "data-key": "evidence" },
    h("summary", { "data-focus": "evidence" }, say.text("evidence.title")),
    h(
      "dl",
      { class: "figures" },
      figure(say.text("evidence.interactions"), say.number(found.interactions)),
      figure(say.text("evidence.signsFromThem"), say.number(found.signsFromThem)),
      figure(say.text("evidence.periods"), of(found.periodsMet), each),
      figure(say.text("evidence.periodsByThem"), of(found.periodsMetByThem)),
      figure(say.text("evidence.activeDays"), say.number(found.activeDays)),
      figure(say.text("evidence.usualGap"), say.amount(found.usualGapDays, "day")),
      figure(say.text("evidence.silence"), say.amount(found.silenceDays, "day")),
      found.signers.length > 0 && figure(say.text("evidence.signers"), names(found.signers, say)),
    ),
    found.influences.length > 0 && h("p", {}, say.text("evidence.influences")),
    found.influences.length > 0 &&
      h("ul", {}, found.influences.map((one) => h("li", {}, `${say.dateTime(one.at)}: ${say.number(one.points)}`))),
  );
}

function whatIf({ target, now, without, outlooks }, say) {
  const at = say.dateTime(target);
  const rows = [
    [say.text("whatIf.now"), now],
    [say.text("whatIf.without", { at }), without],
    ...outlooks.map(({ deed, person, score }) => [say.text(`whatIf.${deed}`, { name: nameOf(person, say) }), score]),
  ];
  return h(
    "details",
    { "data-key": "whatIf" },
    h("summary", { "data-focus": "whatIf" }, say.text("whatIf.title")),
    h("table", { class: "parts" }, h("tbody", {}, rows.map(([text, score]) => outlook(text, score, say)))),
  );
}

function outlook(text, score, say) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, text, score !== null && h("div", { dir: "ltr" }, bar(score / 100))),
    h("td", { class: "number" }, score === null ? say.text("grade.insufficient") : say.number(score)),
  );
}
