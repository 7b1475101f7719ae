/** Who knows whom: colleagues who know the person, company or people of this record, strongest first. */

import { colleagueGraph } from "./colleague-graph.js";
import { h, section } from "./dom.js";
import { introductionPart } from "./introductions.js";
import { PagedElement } from "./paged.js";
import { nameOf, personName } from "./people.js";

const BARS = 6;

/**
 * `<rapport-colleagues>`: five at first, more on demand; as a list or as a graph. Also for an address or a company's mail domain
 * that the user types. Reading it is logged by the app, so forms show it when asked.
 */
export class ColleaguesElement extends PagedElement {
  #wanted = "";
  #isGraph = false;
  #found = null;
  #asked = "";

  begin() {
    const asked = JSON.stringify(this.record);
    if (this.#asked && this.#asked !== asked) this.#wanted = "";
    this.#asked = asked;
    super.begin();
  }

  question() {
    const { recordType, recordId } = this.record;
    const query = { language: this.say.tag };
    if (!this.#wanted) return { segments: ["who-knows-whom", recordType, recordId], query };
    return { segments: ["who-knows-whom"], query: { ...query, [this.#wanted.includes("@") ? "address" : "domain"]: this.#wanted } };
  }

  /** Whom one could be introduced to: the record, or the address that was asked for. */
  get target() {
    const { recordType, recordId } = this.record;
    return this.#wanted || `${recordType}:${recordId}`;
  }

  joined(before, page) {
    return { ...page, colleagues: [...before.colleagues, ...page.colleagues] };
  }

  stateNode(state, detail) {
    const node = super.stateNode(state, detail);
    if (this.#wanted && state !== "loading") node.append(this.#back());
    return node;
  }

  nodesOf(found) {
    this.#found = found;
    const { say } = this;
    const title = say.text("colleagues.title");
    const about = this.#wanted && h("p", { class: "controls" }, h("strong", {}, h("bdi", {}, found.name || this.#wanted)), this.#back());
    const none = found.colleagues.length === 0;
    const parts = none ? h("p", {}, say.text("colleagues.none")) : this.#listed(found);
    const others = found.alternatives ?? [];
    const beside = others.length > 0 && [h("h4", {}, say.text("colleagues.others")), h("ul", { class: "known" }, others.map((one) => colleague(one, say, this)))];
    return [section("colleagues", title, about, parts, beside, this.#search()), none ? null : this.stamp(found)].filter(Boolean);
  }

  #listed(found) {
    const { say } = this;
    const turn = () => {
      this.#isGraph = !this.#isGraph;
      this.show(...this.nodesOf(this.#found));
    };
    const list = h("ol", { class: "known" }, found.colleagues.map((one) => colleague(one, say, this)));
    const counts = { n: say.number(found.colleagues.length), total: say.number(found.total) };
    const shown = h("p", { class: "note", role: "status" }, say.text("people.shown", counts));
    const view = this.button(say.text(this.#isGraph ? "graph.list" : "graph.show"), turn, "view");
    return [h("div", { class: "controls" }, view), this.#isGraph ? colleagueGraph(found.colleagues, found.name, say) : list, shown, this.moreButton(found)];
  }

  #back() {
    return this.button(this.say.text("colleagues.back"), () => this.#ask(""), "back");
  }

  #search() {
    const search = (event) => {
      event.preventDefault();
      this.#ask(event.target.elements[0].value.trim());
    };
    return h("form", { class: "controls", autocomplete: "off", onsubmit: search },
      h("label", {}, `${this.say.text("colleagues.search")} `, h("input", { "data-focus": "search", dir: "ltr", maxlength: 320 })),
      h("button", { "data-focus": "find" }, this.say.text("colleagues.find")));
  }

  #ask(wanted) {
    this.#wanted = wanted;
    this.refresh();
  }
}

function colleague(one, say, element) {
  const { person, title, address, strength, bars, level, evidence, knows, through } = one;
  return h(
    "li",
    {},
    h("div", {}, h("strong", {}, personName(person, say)), title && h("small", {}, h("bdi", {}, title))),
    address && h("div", { class: "note" }, h("bdi", {}, address)),
    h("div", { class: level }, meter(bars), ` ${say.text(`level.${level}`)}`, strength !== null && ` (${say.number(strength)})`),
    h("div", { class: "note evidence" }, evidence.text ?? evidenceText(evidence, say)),
    knows && h("div", { class: "note" }, say.text("colleagues.knows", { name: nameOf(knows, say) })),
    through && h("div", { class: "note" }, say.text("colleagues.through", { name: nameOf(through, say) })),
    introductionPart(one, say, element),
  );
}

/** Six bars; the word beside them says the same. */
function meter(bars) {
  const one = (_, number) => h("span", { class: number < bars ? "on" : null });
  return h("span", { class: "meter", "aria-hidden": "true" }, Array.from({ length: BARS }, one));
}

function evidenceText({ emails, meetings, calls, twoWay, lastAgo }, say) {
  const counts = [["emails", emails], ["meetings", meetings], ["calls", calls]].filter(([, number]) => number > 0);
  const told = counts.map(([key, number]) => `${say.text(key)} ${say.number(number)}`);
  return [...told, twoWay && say.text("colleagues.twoWay"), say.ago(lastAgo)].filter(Boolean).join(" · ");
}
