/** The relationship pipeline: open opportunities as bubbles by days to close, health and revenue, with a table beside. */

import { h, section } from "./dom.js";
import { dot, listState, whyWithheld } from "./list.js";
import { LISTS } from "./lists-style.js";
import { PagedElement } from "./paged.js";

const GRADES = ["good", "fair", "poor", "insufficient"];
const LIMIT = 300; // bubbles drawn; the lanes count all
const [LEAST_RADIUS, LARGEST_RADIUS] = [5, 22]; // in pixels: what is smaller cannot be hit
// Where the chart's places lie, in percent of its width (from where reading begins) and of its height.
const ACROSS = { overdue: [1, 13], dated: [19, 85], undated: [89, 99] };
const UPWARDS = { scored: [10, 75], below: [83, 93] };
const STEPS = [7, 14, 30, 60, 90, 180, 365];
const KEYS = { Home: -Infinity, End: Infinity, PageUp: -10, PageDown: 10 };

/** `<rapport-pipeline owner="me">`, else everybody's: hover and focus tell, a click or Enter opens. */
export class PipelineElement extends PagedElement {
  static observedAttributes = ["base-url", "language", "owner"];

  constructor() {
    super();
    this.shadowRoot.adoptedStyleSheets.push(LISTS);
  }

  get isNamed() {
    return true;
  }

  question() {
    return { segments: ["pipeline"], query: { owner: this.getAttribute("owner"), limit: LIMIT } };
  }

  stateText(state) {
    return listState(this.say, state) ?? super.stateText(state);
  }

  nodesOf(found) {
    const { say } = this;
    const title = say.text("pipeline.title");
    const again = this.button(say.text("refresh"), () => this.refresh(), "refresh");
    if (found.bubbles.length === 0) return [section("pipeline", title, h("p", {}, say.text("list.none")), again)];
    const readout = h("p", { class: "readout", "aria-hidden": "true" }, "\u00a0");
    const counts = { n: say.number(found.bubbles.length), total: say.number(found.total ?? null) };
    const when = say.text("pipeline.asOf", { at: say.dateTime(found.asOf), zone: found.timeZone });
    return [section("pipeline", title, h("p", { class: "note" }, say.text("pipeline.help")), h("div", { class: "scroll" }, chart(found, readout, this)), readout, legend(say),
      h("p", { class: "note" }, say.text("pipeline.shown", counts), whyWithheld(found.reason, say), ` · ${when}`), again, this.#asTable(found))];
  }

  /** For those who listen, and those who want to read: built when it is opened. */
  #asTable({ bubbles }) {
    const { say } = this;
    const heads = ["list.name", "health.title", "pipeline.close", "pipeline.revenue"].map((key) => h("th", { scope: "col" }, say.text(key)));
    const row = (one) => h("tr", {}, h("th", { scope: "row" }, this.button(h("bdi", {}, one.name || one.record), () => this.openRecord(one.record), `row-${one.record}`, { class: "link" })),
      h("td", {}, dot(one.grade), healthOf(one, say)), h("td", {}, closing(one, say)), h("td", { class: "number" }, revenue(one, say)));
    const fill = ({ target }) => {
      if (target.open && !target.querySelector("table"))
        target.append(h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, bubbles.map(row))));
    };
    return h("details", { "data-key": "table", ontoggle: fill }, h("summary", { "data-focus": "table" }, say.text("pipeline.table")));
  }
}

function healthOf({ row, grade, score }, say) {
  if (row === "computing") return say.text("pipeline.computing");
  return score === null ? say.text(`grade.${grade}`) : `${say.text(`grade.${grade}`)} ${say.number(score)}`;
}

function closing({ days }, say) {
  if (days === null) return say.text("pipeline.undated");
  return days < 0 ? say.text("pipeline.late", { length: say.amount(-days, "day") }) : say.text("pipeline.in", { length: say.amount(days, "day") });
}

const revenue = (one, say) => (one.revenue === null ? say.text("pipeline.noAmount") : say.number(one.revenue, 0));

const told = (one, say) => [one.name || one.record, healthOf(one, say), closing(one, say), revenue(one, say)].join(" · ");

/** Time runs the way one reads; the score's axis does not turn, and neither do numbers. */
function chart({ bubbles, lanes }, readout, element) {
  const { say } = element;
  const flip = (percent) => `${say.direction === "rtl" ? 100 - percent : percent}%`;
  const until = Math.max(STEPS[0], ...bubbles.filter(({ column }) => column === "dated").map(({ days }) => days));
  const places = placed(bubbles, until).sort((a, b) => a.x - b.x || b.y - a.y);
  const circles = places.map((place, number) => circle(place, number === 0, flip, readout, element));
  const byDrawing = [...circles].sort((a, b) => b.getAttribute("r") - a.getAttribute("r")); // small ones stay on top
  return h(
    "svg",
    { class: "chart", role: "group", "aria-label": say.text("pipeline.help"), onkeydown: (event) => move(event, circles, say) },
    laneBoxes(lanes, say, flip),
    grid(until, say, flip),
    byDrawing,
  );
}

/** Bubbles with their places. Where a lane says nothing about one direction, its bubbles stand side by side in it. */
function placed(bubbles, until) {
  const beside = {};
  for (const { column } of bubbles) beside[column] = { of: (beside[column]?.of ?? 0) + 1, now: 0 };
  return bubbles.map((one) => {
    const [from, to] = ACROSS[one.column];
    const share = one.column === "dated" ? one.days / until : (beside[one.column].now++ + 0.5) / beside[one.column].of;
    const [top, bottom] = one.row === "scored" ? UPWARDS.scored : UPWARDS.below;
    const down = one.row === "scored" ? 1 - one.score / 100 : 0.5;
    return { one, x: from + share * (to - from), y: top + down * (bottom - top) };
  });
}

function circle({ one, x, y }, isFirst, flip, readout, element) {
  const { say } = element;
  const text = told(one, say);
  const tell = () => (readout.textContent = text);
  return h("circle", {
    class: `bubble ${one.grade}${one.hollow ? " hollow" : ""}${one.row === "computing" ? " computing" : ""}`,
    cx: flip(x), cy: `${y}%`, r: Math.max(LEAST_RADIUS, one.radius * LARGEST_RADIUS), role: "button", tabindex: isFirst ? 0 : -1,
    "aria-label": text, "data-focus": `bubble-${one.record}`, onmouseenter: tell, onfocus: tell, onclick: () => element.openRecord(one.record),
  });
}

function laneBoxes(lanes, say, flip) {
  const number = (holds) => (lanes ? ` (${say.number(lanes.filter(holds).reduce((sum, { count }) => sum + count, 0))})` : "");
  const box = ([from, to], [top, bottom]) => h("rect", { x: say.direction === "rtl" ? flip(to + 1) : `${from - 1}%`, y: `${top - 3}%`, width: `${to - from + 2}%`, height: `${bottom - top + 6}%` });
  const label = (key, x, y, holds) => h("text", { x: flip(x), y: `${y}%` }, `${say.text(key)}${number(holds)}`);
  const tall = [UPWARDS.scored[0], UPWARDS.below[1]];
  return [
    box(ACROSS.overdue, tall), box(ACROSS.undated, tall), box(ACROSS.dated, UPWARDS.below),
    label("pipeline.overdue", 0.5, 4, ({ column }) => column === "overdue"),
    label("pipeline.undated", 88.5, 4, ({ column }) => column === "undated"),
    label("pipeline.unknownLane", 18.5, 79, ({ column, row }) => column === "dated" && row !== "scored"),
  ];
}

function grid(until, say, flip) {
  const [from, to] = ACROSS.dated;
  const [top, bottom] = UPWARDS.scored;
  const step = STEPS.find((days) => until / days <= 6) ?? Math.ceil(until / 6 / 365) * 365;
  const scores = [0, 20, 40, 60, 80, 100].map((score) => {
    const y = `${bottom - (score / 100) * (bottom - top)}%`;
    return [h("line", { x1: flip(from - 1), x2: flip(to + 1), y1: y, y2: y }), h("text", { x: flip(from - 2), y, dy: ".35em", "text-anchor": "end" }, say.number(score))];
  });
  const days = Array.from({ length: Math.floor(until / step) + 1 }, (_, number) => number * step).map((day) =>
    h("text", { x: flip(from + (day / until) * (to - from)), y: "99.5%", "text-anchor": "middle" }, say.number(day)));
  return [scores, days, h("text", { x: flip(to), y: "4%", "text-anchor": "end" }, say.text("pipeline.days"))];
}

/** Through the bubbles in the order of closing, the way the arrow points. */
function move(event, circles, say) {
  const from = circles.indexOf(event.target);
  if (from < 0) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    event.target.dispatchEvent(new MouseEvent("click"));
    return;
  }
  const forward = say.direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const step = event.key === "ArrowLeft" || event.key === "ArrowRight" ? (event.key === forward ? 1 : -1) : KEYS[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const to = Math.min(Math.max(from + step, 0), circles.length - 1);
  circles[from].setAttribute("tabindex", -1);
  circles[to].setAttribute("tabindex", 0);
  circles[to].focus();
}

function legend(say) {
  const grades = GRADES.map((grade) => h("li", {}, dot(grade), say.text(`grade.${grade}`)));
  return h("ul", { class: "legend" }, grades, h("li", {}, h("span", { class: "key hollow" }), say.text("pipeline.noAmount")), h("li", {}, say.text("pipeline.size")));
}
