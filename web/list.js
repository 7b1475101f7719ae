/** Open records of a type by relationship: sorted, filtered, page by page. */

import { h, section } from "./dom.js";
import { LISTS } from "./lists-style.js";
import { PagedElement } from "./paged.js";
import { trend } from "./trend.js";

const GRADES = ["good", "fair", "poor", "insufficient"];
const TRENDS = ["improving", "steady", "declining", "notEnough"];
// Each column by the name under which the app sorts, and the order in which it is wanted first.
const COLUMNS = [
  ["name", "asc"], ["health", "desc"], ["trend", "asc"], ["attention", "asc"], ["last", "desc"], ["next", "asc"],
  ["waitingForUs", "desc"], ["hoursOurs", "desc"], ["hoursTheirs", "desc"], ["updated", "desc"],
];

// States of a score that say nothing about the relationship.
const UNCOMPUTED = { 5: "pipeline.computing", 6: "list.failed" };

/** `<rapport-list record-type="opportunity" owner="me">`: without `owner`, everybody's. A click opens a record. */
export class ListElement extends PagedElement {
  static observedAttributes = ["record-type", "base-url", "language", "owner"];
  #sort = "attention";
  #order = "asc";
  #grades = new Set();
  #trend = "";
  #mine = false;
  #type = "";

  constructor() {
    super();
    this.shadowRoot.adoptedStyleSheets.push(LISTS);
  }

  begin() {
    if (this.#type !== this.record.recordType) this.body.replaceChildren(); // nothing of another type stays
    this.#type = this.record.recordType;
    super.begin();
  }

  get isNamed() {
    return Boolean(this.record.recordType);
  }

  question() {
    const query = {
      sort: this.#sort, order: this.#order, trend: this.#trend,
      grade: GRADES.filter((grade) => this.#grades.has(grade)).join(","), owner: this.#mine ? "me" : this.getAttribute("owner"),
    };
    return { segments: ["health", this.record.recordType], query };
  }

  joined(before, page) {
    return { ...page, rows: [...before.rows, ...page.rows] };
  }

  stateText(state) {
    return listState(this.say, state) ?? super.stateText(state);
  }

  /** A refused choice can be taken back. */
  stateNode(state, detail) {
    const clear = () => {
      this.#mine = false;
      this.refresh();
    };
    const node = super.stateNode(state, detail);
    if (this.#mine && state !== "loading") node.append(this.button(this.say.text("activities.clear"), clear, "clear"));
    return node;
  }

  nodesOf(found) {
    const { say } = this;
    const none = h("p", {}, say.text("list.none"));
    const parts = [this.#controls(found), found.rows.length ? this.#table(found) : none, this.#shown(found), this.moreButton(found)];
    return [section("list", say.text(`list.title.${found.type}`), parts)];
  }

  #shown({ rows, total, reason }) {
    const counts = { n: this.say.number(rows.length), total: this.say.number(total ?? null) };
    return h("p", { class: "note", role: "status" }, this.say.text("list.shown", counts), whyWithheld(reason, this.say));
  }

  #controls({ grades }) {
    const { say } = this;
    const change = (event) => {
      if (event.target.checked) this.#grades.add(event.target.value);
      else this.#grades.delete(event.target.value);
      this.refresh();
    };
    // Those of the grades that are not chosen are not known while others are.
    const number = (grade) => (grades && (this.#grades.size === 0 || this.#grades.has(grade)) ? ` (${say.number(grades[grade])})` : "");
    const boxes = GRADES.map((grade) =>
      h("label", {}, h("input", { type: "checkbox", value: grade, checked: this.#grades.has(grade), "data-focus": `grade-${grade}`, onchange: change }),
        dot(grade), say.text(`grade.${grade}`), number(grade)));
    const options = TRENDS.map((name) => h("option", { value: name, selected: name === this.#trend }, say.text(`trend.${name}`)));
    const choose = (event) => {
      this.#trend = event.target.value;
      this.refresh();
    };
    const onlyMine = (event) => {
      this.#mine = event.target.checked;
      this.refresh();
    };
    const mine = !this.hasAttribute("owner") &&
      h("label", {}, h("input", { type: "checkbox", checked: this.#mine, "data-focus": "mine", onchange: onlyMine }), ` ${say.text("list.mine")}`);
    return h(
      "div",
      { class: "controls" },
      mine,
      h("fieldset", {}, h("legend", {}, say.text("health.title")), boxes),
      h("label", {}, `${say.text("list.trend")} `, h("select", { "data-focus": "trend", onchange: choose }, h("option", { value: "" }, say.text("list.every")), options)),
      this.button(say.text("refresh"), () => this.refresh(), "refresh"),
    );
  }

  #table({ rows }) {
    const { say } = this;
    return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": say.text(`list.title.${this.#type}`) },
      h("table", { class: "records" }, h("thead", {}, h("tr", {}, COLUMNS.map((one) => this.#head(...one)))),
        h("tbody", {}, rows.map((one) => this.#row(one)))));
  }

  #head(name, first) {
    const sorted = this.#sort === name && (this.#order === "asc" ? "ascending" : "descending");
    const sort = () => {
      this.#order = this.#sort === name ? (this.#order === "asc" ? "desc" : "asc") : first;
      this.#sort = name;
      this.refresh();
    };
    const mark = sorted && h("span", { "aria-hidden": "true" }, sorted === "ascending" ? " ▲" : " ▼");
    return h("th", { scope: "col", "aria-sort": sorted }, this.button([this.say.text(`list.${name}`), mark], sort, `sort-${name}`, { class: "link" }));
  }

  #row({ record, name, state, grade, score, trendName, attention, lastAt, nextAt, idle, waitingForUs, hoursOurs, hoursTheirs, updatedAt }) {
    const { say } = this;
    const open = this.button(h("bdi", {}, name || record), () => this.openRecord(record), record, { class: "link" });
    const health = [dot(grade), say.text(UNCOMPUTED[state] ?? `grade.${grade}`), score !== null && h("span", { class: "note" }, ` ${say.number(score)}`)];
    const pressing = attention !== "none" && h("span", { class: "flag warn" }, say.text(`attention.${attention}`));
    const silence = idle && h("div", {}, h("span", { class: "flag warn idle" }, idleText(lastAt, say)));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, open),
      h("td", { class: "health" }, health),
      h("td", {}, trend(trendName, say)),
      h("td", {}, pressing),
      h("td", {}, lastAt === null ? say.text("moments.never") : say.date(lastAt), silence),
      h("td", {}, nextAt === null ? say.text("moments.notScheduled") : say.date(nextAt)),
      h("td", { class: "number" }, say.number(waitingForUs)),
      [hoursOurs, hoursTheirs].map((hours) => h("td", { class: "number" }, say.number(hours))),
      h("td", {}, updatedAt === null ? say.text("unknown") : say.relative(updatedAt)),
    );
  }
}

/** What lists say of a refusal, where a form would speak of its record. */
export function listState(say, state) {
  return state === "noAccess" || state === "none" ? say.text(`listState.${state}`) : null;
}

/** Why numbers of a whole list are withheld, in parentheses. */
export function whyWithheld(reason, say) {
  if (!reason) return null;
  return ` (${say.text(say.has(`listReason.${reason}`) ? `listReason.${reason}` : `flag.${reason}`)})`;
}

/** The grade as a dot; the word stands beside it. */
export function dot(grade) {
  return h("span", { class: `dot ${grade}`, "aria-hidden": "true" });
}

function idleText(lastAt, say) {
  if (lastAt === null) return say.text("list.neverIdle");
  const days = Math.floor((Date.now() - new Date(lastAt).getTime()) / 86_400_000);
  return say.text("list.idle", { length: say.amount(days, "day") });
}
