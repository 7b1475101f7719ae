/** What is behind the numbers: every activity of a record, whether it counts, and the one reason; page by page. */

import { h, section } from "./dom.js";
import { RecordElement } from "./element.js";
import { names } from "./people.js";
import { ask, Refusal } from "./source.js";

const PAGE = 20;

/** `<rapport-activities>`: attributes of the others, and `filter` as a property: `{ reason, day, person, name }`. */
export class ActivitiesElement extends RecordElement {
  #filter = {};
  #reasons = {};
  #running = null;
  #asked = "";
  #queued = false;

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("rapport-show-activities", this.#onAsked);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("rapport-show-activities", this.#onAsked);
    this.#running?.abort();
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
    this.prepare();
    this.refresh();
  }

  // A new filter, another attribute and being put on the page often come together: one question for all of them.
  refresh() {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      const { recordType, recordId } = this.record;
      if (this.isConnected && recordType && recordId) this.#load();
    });
  }

  /** Ask for the first page, or for the one after `found`. */
  async #load(found = null) {
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    const { name, ...filter } = this.#filter;
    const query = { ...filter, asOf: this.record.asOf, limit: PAGE, page: found?.nextPage };
    this.body.setAttribute("aria-busy", "true");
    if (!this.body.firstChild) this.show(this.stateNode("loading"));
    try {
      const answer = await ask(this.record, "activities", query, signal);
      if (!signal.aborted) this.#ready({ ...answer, activities: [...(found?.activities ?? []), ...answer.activities] });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) console.error(error);
      this.show(this.stateNode(error.state ?? "unavailable", error.detail));
    }
    if (!signal.aborted) this.body.setAttribute("aria-busy", "false");
  }

  #ready(found) {
    if (!this.#filter.reason) this.#reasons = found.reasons;
    const { say } = this;
    const title = say.text("activities.title");
    this.show(section("activities", title, this.#controls(found, say), table(found, say), this.#more(found, say)), this.envelope(found));
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

  #more(found, say) {
    return found.nextPage && this.button(say.text("activities.more"), () => this.#load(found), "more");
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
