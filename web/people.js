/** People of a record: who is in contact most, on both sides, and on whom the relationship hangs. */

import { bar, h, section } from "./dom.js";
import { ask, Refusal } from "./source.js";

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
      element.record.recordType !== "contact" && side("customers", widgets.mostContacted, say, element), // it is the contact
      side("colleagues", widgets.mostContactedBy, say, element),
    ),
  );
}

function side(name, { people, total, nextPage }, say, element) {
  const title = say.text(`people.${name}`);
  if (people.length === 0) return h("div", {}, h("h4", {}, title), h("p", {}, say.text("people.none")));
  const heads = ["people.name", "people.number", "emails", "meetings", "calls", "people.last"];
  const place = h("div", {});
  const more = () => following(place, name, { people, nextPage }, say, element);
  place.append(
    h(
      "table",
      {},
      h("caption", {}, title, " ", h("small", { role: "status" }, say.text("people.shown", { n: say.number(people.length), total: say.number(total) }))),
      h("thead", {}, h("tr", {}, heads.map((key, number) => h("th", { scope: "col", class: number && "number" }, say.text(key))))),
      h("tbody", {}, people.map((one) => row(one, name, say, element))),
    ),
  );
  if (people.length < total) place.append(element.button(say.text("more"), more, `more-${name}`));
  return place;
}

/** The next page of one side in the place of what is shown; the first begins with those that the widget shows. */
async function following(place, name, { people, nextPage = "" }, say, element) {
  const { baseUrl, recordType, recordId, asOf } = element.record;
  const button = place.lastChild;
  button.disabled = true;
  try {
    const page = await ask(baseUrl, ["records", recordType, recordId, "people"], { side: name, asOf, page: nextPage });
    const shown = side(name, { ...page, people: nextPage ? [...people, ...page.people] : page.people }, say, element);
    place.replaceWith(shown);
    (shown.querySelector("[data-focus^=more]") ?? shown.querySelector("button")).focus();
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    button.disabled = false;
    button.after(h("p", { role: "alert" }, say.text(`state.${error.state ?? "unavailable"}`)));
  }
}

function row({ person, number, emails, meetings, calls, lastAt, onRecord }, side, say, element) {
  const label = say.text("people.showActivities", { name: nameOf(person, say) });
  const show = () => element.showActivities({ person: person.id, name: nameOf(person, say) });
  const link = element.button(personName(person, say), show, `person-${person.id}`, { class: "link", title: label });
  const mark = !onRecord && h("span", { class: "flag" }, say.text("people.notOnRecord"));
  const add = !onRecord && side === "customers" && /^(contact|lead):/.test(person.id) &&
    element.button(say.text("people.add"), (event) => addStakeholder(event.target, person, say, element), `add-${person.id}`, { class: "link" });
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, link, mark, add && h("div", {}, add)),
    [number, emails, meetings, calls].map((value) => h("td", { class: "number" }, say.number(value))),
    h("td", { class: "number" }, say.date(lastAt)),
  );
}

/** Ask the form to put the person on the record; a form that does says so by `preventDefault`. */
function addStakeholder(button, person, say, element) {
  const { recordType, recordId } = element.record;
  const detail = { recordType, recordId, person: person.id, name: person.name };
  const nobody = element.dispatchEvent(new CustomEvent("rapport-add-stakeholder", { detail, bubbles: true, composed: true, cancelable: true }));
  button.replaceWith(h("span", { class: "note", role: "status" }, say.text(nobody ? "people.cannotAdd" : "people.added")));
}

export function coverView({ widgets: { coverRisk } }, say, element) {
  return section(
    "cover",
    say.text("cover.title"),
    h("div", { class: "sides" }, shares(coverRisk.ours, "ours", say, element),
      coverRisk.theirs.reason !== "isTheContact" && shares(coverRisk.theirs, "theirs", say, element)),
    coverRisk.ifLeaves && departure(coverRisk.ifLeaves, say),
    coverRisk.flags.map((flag) => h("p", { class: "note" }, element.flagText(flag))),
  );
}

function shares({ shares: rows, effectiveNumber, singleThreaded }, title, say, element) {
  const shown = (person) => {
    if (!person.id || person.id.startsWith("unknown:")) return personName(person, say);
    const show = () => element.showActivities({ person: person.id, name: nameOf(person, say) });
    return element.button(personName(person, say), show, `cover-${person.id}`, { class: "link" });
  };
  return h(
    "div",
    {},
    h("h4", {}, say.text(title), singleThreaded && h("span", { class: "flag warn" }, say.text("cover.single"))),
    rows.length === 0 && h("p", {}, say.text("people.none")),
    h("ul", { class: "shares" }, rows.slice(0, 5).map(({ person, share }) =>
      h("li", {}, h("span", {}, shown(person)), bar(share), h("span", { class: "number" }, say.percent(share))),
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
