/** People of a record: who is in contact most, on both sides, and on whom the relationship hangs. */

import { bar, h, section } from "./dom.js";

/** The name of a person, or the address of one whom the CRM does not know. */
export function nameOf({ id, name }, say) {
  if (!name && !id) return say.text("people.withheld");
  return name || (id.startsWith("unknown:") ? say.text("unknown") : id);
}

export function personName(person, say) {
  return h("bdi", {}, nameOf(person, say));
}

/** Names in one line, joined as the language does; beyond `most`, their number. */
export function names(people, say, most = 8) {
  const shown = say.joined(people.slice(0, most).map((one) => nameOf(one, say))).map(({ type, value }) => (type === "element" ? h("bdi", {}, value) : value));
  const rest = people.length - most;
  return h("span", {}, shown, rest > 0 && ` ${say.text("moments.more", { n: say.number(rest) })}`);
}

export function peopleView({ widgets }, say, element) {
  return section(
    "people",
    say.text("people.title"),
    h(
      "div",
      { class: "sides" },
      side(widgets.mostContacted, say.text("people.customers"), say, element),
      side(widgets.mostContactedBy, say.text("people.colleagues"), say, element),
    ),
  );
}

function side({ people, total }, title, say, element) {
  if (people.length === 0) return h("div", {}, h("h4", {}, title), h("p", {}, say.text("people.none")));
  const heads = ["people.name", "people.number", "emails", "meetings", "calls", "people.last"];
  return h(
    "table",
    {},
    h("caption", {}, title, " ", h("small", {}, say.text("people.shown", { n: say.number(people.length), total: say.number(total) }))),
    h("thead", {}, h("tr", {}, heads.map((key, number) => h("th", { scope: "col", class: number && "number" }, say.text(key))))),
    h("tbody", {}, people.map((one) => row(one, say, element))),
  );
}

function row({ person, number, emails, meetings, calls, lastAt, onRecord }, say, element) {
  const label = say.text("people.showActivities", { name: nameOf(person, say) });
  const show = () => element.showActivities({ person: person.id, name: nameOf(person, say) });
  const link = element.button(personName(person, say), show, `person-${person.id}`, { class: "link", title: label });
  const mark = !onRecord && h("span", { class: "flag" }, say.text("people.notOnRecord"));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, link, mark),
    [number, emails, meetings, calls].map((value) => h("td", { class: "number" }, say.number(value))),
    h("td", { class: "number" }, say.date(lastAt)),
  );
}

export function coverView({ widgets: { coverRisk } }, say, element) {
  return section(
    "cover",
    say.text("cover.title"),
    h("div", { class: "sides" }, shares(coverRisk.ours, "ours", say), shares(coverRisk.theirs, "theirs", say)),
    coverRisk.ifLeaves && departure(coverRisk.ifLeaves, say),
    coverRisk.flags.map((flag) => h("p", { class: "note" }, element.flagText(flag))),
  );
}

function shares({ shares: rows, effectiveNumber, singleThreaded }, title, say) {
  return h(
    "div",
    {},
    h("h4", {}, say.text(title), singleThreaded && h("span", { class: "flag warn" }, say.text("cover.single"))),
    rows.length === 0 && h("p", {}, say.text("people.none")),
    h("ul", { class: "shares" }, rows.slice(0, 5).map(({ person, share }) =>
      h("li", {}, personName(person, say), bar(share), h("span", { class: "number" }, say.percent(share))),
    )),
    effectiveNumber !== null && h("p", { class: "note" }, say.text("cover.effective", { n: say.number(effectiveNumber) })),
  );
}

function departure({ person, scoreNow, scoreThen, gradeThen, handover }, say) {
  const score = (value) => (value === null ? say.text("grade.insufficient") : say.number(value));
  return h(
    "details",
    { "data-key": "departure" },
    h("summary", { "data-focus": "departure" }, say.text("cover.ifLeaves", { name: nameOf(person, say) })),
    h("p", {}, say.text("cover.nowThen", { now: score(scoreNow), then: score(scoreThen) }), ` (${say.text(`grade.${gradeThen}`)})`),
    handover.length > 0 && h("p", {}, `${say.text("cover.handover")}: `, names(handover, say, 20)),
  );
}
