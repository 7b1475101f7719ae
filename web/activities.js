/** What is behind the numbers: every activity of a record, whether it counts, and the one reason; page by page. */

import { h, section } from "./dom.js";
import { PagedElement } from "./paged.js";
import { names } from "./people.js";

const PAGE = 20;

/**
 * `<rapport-activities>`: attributes of the others, and `filter` as a property: `{ reason, day, person, kind, direction, counted, name }`;
 * `kind`: a list; `counted`: what the figures count, in their window; `name`: in words, what this is about.
 */
export class ActivitiesElement extends PagedElement {
  #filter = {};
  #reasons = {};
  #asked = "";

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("rapport-show-activities", this.#onAsked);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("rapport-show-activities", this.#onAsked);
  }

  get filter() {
    return this.#filter;
  }

  set filter(filter) {
    this.#filter = filter ?? {};
    if (this.isConnected) this.refresh();
  }

  begin() {
    const asked = JSON.stringify(this.record);
    if (this.#asked && this.#asked !== asked) this.#filter = {};
    this.#asked = asked;
    super.begin();
  }

  question() {
    const { recordType, recordId, asOf } = this.record;
    const { reason, day, person, kind = [], direction, counted } = this.#filter;
    const query = { reason, day, person, kind: kind.join(","), direction, counted, inWindow: counted, asOf, limit: PAGE };
    return { segments: ["records", recordType, recordId, "activities"], query };
  }

  joined(before, page) {
    return { ...page, activities: [...before.activities, ...page.activities], withheld: before.withheld + page.withheld };
  }

  nodesOf(found) {
    if (!this.#filter.reason) this.#reasons = found.reasons;
    const { say } = this;
    const withheld = found.withheld > 0 && h("p", { class: "note" }, say.text("activities.withheld", { n: say.number(found.withheld) }));
    const parts = [this.#controls(found, say), table(found, say), withheld, this.moreButton(found)];
    return [section("activities", say.text("activities.title"), parts), this.envelope(found)];
  }

  #controls(found, say) {
    const counts = { counted: say.number(found.counted), total: say.number(found.total) };
    const only = this.#filter.day ? say.day(this.#filter.day, true) : (this.#filter.name ?? this.#filter.person);
    return h(
      "div",
      { class: "controls" },
      h("label", {}, `${say.text("activities.reason")} `, this.#choice(say)),
      only && h("span", { class: "flag" }, say.text("activities.only", { what: only })),
      only && this.button(say.text("activities.clear"), () => (this.filter = {}), "clear"),
      h("span", { class: "note", role: "status" }, say.text("activities.counted", counts)),
    );
  }

  #choice(say) {
    const all = Object.values(this.#reasons).reduce((sum, number) => sum + number, 0);
    const options = Object.entries(this.#reasons).map(([reason, number]) =>
      h("option", { value: reason, selected: reason === this.#filter.reason }, `${reasonText(reason, say)} (${say.number(number)})`));
    const change = (event) => (this.filter = { ...this.#filter, reason: event.target.value });
    return h("select", { "data-focus": "reason", onchange: change }, h("option", { value: "" }, say.text("activities.all", { n: say.number(all) })), options);
  }

  #onAsked = ({ detail: { recordType, recordId, filter } }) => {
    const mine = this.record;
    if (recordType !== mine.recordType || recordId !== mine.recordId) return;
    this.filter = filter;
    this.scrollIntoView({ block: "nearest" });
  };
}

const reasonText = (reason, say) => (say.has(`reason.${reason}`) ? say.text(`reason.${reason}`) : reason);

function table({ activities }, say) {
  if (activities.length === 0) return h("p", {}, say.text("activities.none"));
  const heads = ["when", "what", "who", "reason"].map((key) => h("th", { scope: "col" }, say.text(`activities.${key}`)));
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": say.text("activities.title") },
    h("table", { class: "ledger" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, activities.map((one) => row(one, say)))));
}

function row(one, say) {
  const through = one.people.filter(({ id }) => one.through.includes(id));
  const state = h("span", { class: one.counted ? "flag counted" : "flag" }, say.text(one.counted ? "activities.counts" : "activities.countsNot"));
  return h(
    "tr",
    { class: one.counted ? "is-counted" : null },
    h("td", {}, h("time", { datetime: one.at }, say.dateTime(one.at)), one.minutes > 0 && h("small", {}, say.minutes(one.minutes))),
    h("td", {}, say.text(`kind.${one.kind}`), ", ", say.text(`direction.${one.direction}`), " ", h("bdi", { class: "name", "data-activity": one.activityId })),
    h("td", {}, people(one.people, "internal", "ours", say), people(one.people, "external", "theirs", say)),
    h("td", {}, state, " ", reasonText(one.reason, say), through.length > 0 && [": ", names(through, say, 3)],
      one.counted && !one.inWindow && h("small", {}, say.text("activities.outside"))),
  );
}

function people(all, side, title, say) {
  const found = all.filter((one) => one.side === side);
  return found.length > 0 && h("div", {}, h("small", {}, `${say.text(title)}: `), names(found, say, 4));
}
