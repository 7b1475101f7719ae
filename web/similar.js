/** Won deals like this one: figures at the same age and over the whole life, beside this deal's, each mean with its n. */

import { bar, h, section } from "./dom.js";
import { Refusal, tell } from "./source.js";

const FORMATS = { responseRate: "percent" };
const COMPARED = ["activities", "ourHours", "theirHours", "responseHours", "responseRate"];

const shown = (key, value, say) => say[FORMATS[key] ?? "number"](value ?? null);

/** The view; null for records that are no opportunities. */
export function similarView({ record, flags, widgets: { similarWonOpportunities: similar } }, say, element) {
  if (!similar) return null;
  const canRenew = !element.hasAttribute("as-of") && !flags.includes("frozen"); // they are looked for as of now, for open deals
  const found = similar.foundAt && say.text("similar.found", { when: say.relative(similar.foundAt), n: say.number(similar.n) });
  return section(
    "similar",
    say.text("similar.title"),
    similar.reason && h("p", {}, say.text(`similar.${similar.reason}`)),
    similar.tooFew && h("p", {}, say.text("similar.tooFew", { n: say.number(similar.n) })),
    similar.averaged > 0 && similar.equalAge && averages(similar, COMPARED, say, true),
    similar.deals.length > 0 && deals(similar.deals, say, element),
    found && h("p", { class: "note" }, found),
    canRenew && element.button(say.text("similar.renew"), (event) => renew(event.target, record, element), "similar-renew"),
  );
}

/** For another widget: this deal's figures from its beginning on beside the means of similar won deals at the same age; null without. */
export function besideSimilar(keys, similar, say) {
  if (!similar?.equalAge || similar.averaged === 0) return null;
  const known = keys.filter((key) => similar.equalAge[key]);
  return known.length > 0 ? averages(similar, known, say, false) : null;
}

function averages({ thisDeal, equalAge, wholeLife, averaged }, keys, say, withWhole) {
  const mean = (averages, key) => {
    const found = averages?.[key];
    return h("td", { class: "number" }, shown(key, found?.mean, say), found && h("small", {}, say.text("similar.n", { n: say.number(found.n) })));
  };
  const heads = ["this", "others", withWhole && "whole"].filter(Boolean).map((key) => h("th", { scope: "col", class: "number" }, say.text(`similar.${key}`)));
  const rows = keys.map((key) => h("tr", {}, h("th", { scope: "row" }, say.text(`similar.${key}`)),
    h("td", { class: "number" }, shown(key, thisDeal[key], say)), mean(equalAge, key), withWhole && mean(wholeLife, key)));
  return h("table", { class: "averages" }, h("caption", {}, h("small", {}, say.text("similar.averaged", { n: say.number(averaged) }))),
    h("thead", {}, h("tr", {}, h("td", {}), heads)), h("tbody", {}, rows));
}

function deals(all, say, element) {
  const heads = ["deal", ...COMPARED].map((key, number) => h("th", { scope: "col", class: number && "number" }, say.text(`similar.${key}`)));
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": say.text("similar.title") },
    h("table", { class: "deals" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, all.map((deal) => dealRow(deal, say, element)))),
    h("p", { class: "note" }, say.text("similar.both")));
}

/** A deal: its name opens it where the form answers `rapport-open-record`. Its figures at this deal's age, and below at its closing. */
function dealRow(deal, say, element) {
  const named = (field) => (say.has(`field.${field}`) ? say.text(`field.${field}`) : field);
  const joined = (fields) => say.joined(fields.map(named)).map(({ value }) => value).join("");
  const fields = (key, found) => found.length > 0 && say.text(`similar.${key}`, { fields: joined(found) });
  const notes = [say.text("similar.closed", { at: say.date(deal.closedAt) }), fields("same", deal.matched), fields("differs", deal.differing)];
  const share = deal.similarityPercent / 100;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, element.button(h("bdi", {}, deal.name), () => element.openRecord(deal.record), `deal-${deal.record}`, { class: "link" }),
      " ", h("span", { class: "number" }, say.percent(share)), bar(share), h("small", { class: "whole" }, notes.filter(Boolean).join(" · "))),
    COMPARED.map((key) => h("td", { class: "number" }, shown(key, deal.equalAge?.[key], say), h("div", { class: "note" }, shown(key, deal.wholeLife[key], say)))),
  );
}

/** Have the app look for them now; it answers once a minute at most for each deal. */
async function renew(button, record, element) {
  button.disabled = true;
  const [recordType, recordId] = record.split(":");
  try {
    await tell(element.record.baseUrl, "POST", ["records", recordType, recordId, "similar", "refresh"]);
    element.refresh();
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    button.disabled = false;
    button.after(h("p", { role: "alert", class: "warn" }, element.say.text("ask.refused"), h("bdi", { lang: "en" }, ` ${error.detail ?? ""}`)));
  }
}
