/** Who knows whom: colleagues who know the person, company or people of this record, strongest first. */

import { h, section } from "./dom.js";
import { introductionPart } from "./introductions.js";
import { PagedElement } from "./paged.js";
import { nameOf, personName } from "./people.js";

const BARS = 6;

/** `<rapport-colleagues>`: five at first, more on demand. Reading it is logged by the app, so forms show it when asked. */
export class ColleaguesElement extends PagedElement {
  question() {
    const { recordType, recordId } = this.record;
    return { segments: ["who-knows-whom", recordType, recordId], query: { language: this.say.tag } };
  }

  joined(before, page) {
    return { ...page, colleagues: [...before.colleagues, ...page.colleagues] };
  }

  nodesOf(found) {
    const { say } = this;
    const title = say.text("colleagues.title");
    if (found.colleagues.length === 0) return [section("colleagues", title, h("p", {}, say.text("colleagues.none")))];
    const list = h("ol", { class: "known" }, found.colleagues.map((one) => colleague(one, say, this)));
    const counts = { n: say.number(found.colleagues.length), total: say.number(found.total) };
    const shown = h("p", { class: "note", role: "status" }, say.text("people.shown", counts));
    return [section("colleagues", title, list, shown, this.moreButton(found)), this.stamp(found)];
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
