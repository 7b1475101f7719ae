/** The smaller widgets: sentences, next and last, who initiated, hours, ratio, response, engagement, similar deals. */

import { bar, figure, h, section } from "./dom.js";
import { names } from "./people.js";

export function summaryView({ widgets: { summary } }, say) {
  const told = summary.sentences.map(({ id, text, language }) =>
    h("li", { lang: language === say.base ? null : language, "data-id": id }, text ?? id),
  );
  const reason = `summary.${summary.reason ?? "insufficient"}`;
  return section("summary", say.text("summary.title"), told.length ? h("ul", {}, told) : h("p", {}, say.text(reason)));
}

export function momentsView({ widgets: { lastInteraction, nextInteraction } }, say) {
  const { last, current } = lastInteraction;
  return section(
    "moments",
    say.text("moments.title"),
    h(
      "dl",
      { class: "moments" },
      current && moment("current", current, say),
      nextInteraction.next ? moment("next", nextInteraction.next, say) : figure(say.text("moments.next"), say.text("moments.notScheduled")),
      last ? moment("last", last, say) : figure(say.text("moments.last"), say.text("moments.never")),
    ),
  );
}

function moment(which, { kind, at, direction, people, activityId }, say) {
  const what = [say.text(`kind.${kind}`), direction && say.text(`direction.${direction}`)].filter(Boolean).join(", ");
  return h(
    "div",
    { class: which },
    h("dt", {}, say.text(`moments.${which}`)),
    h("dd", {}, h("time", { datetime: at }, say.dateTime(at)), h("small", {}, say.relative(at))),
    h("dd", {}, what, " ", h("bdi", { class: "name", "data-activity": activityId })),
    people.length > 0 && h("dd", { class: "note" }, names(people, say, 4)),
  );
}

/** Rows of two values, ours and theirs, as bars of one scale. `known` is false where nothing can be said. */
function comparison(rows, say) {
  const most = Math.max(...rows.flatMap(([, ...values]) => values).filter((value) => value !== null), 0);
  const cell = (value, shown, kind) =>
    h("td", {}, h("span", { class: "number" }, shown), value !== null && most > 0 && bar(value / most, kind));
  return h(
    "table",
    { class: "comparison" },
    h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, say.text("ours")), h("th", { scope: "col" }, say.text("theirs")))),
    h("tbody", {}, rows.map(([name, ours, theirs]) =>
      h("tr", {}, h("th", { scope: "row" }, name), cell(ours, say.number(ours), "ours"), cell(theirs, say.number(theirs), "theirs")),
    )),
  );
}

export function initiatedView({ widgets: { customerInteractions: { ours, theirs } } }, say) {
  const rows = ["emails", "meetings", "calls", "total"].map((key) => [say.text(key), ours[key], theirs[key]]);
  const started = [say.text("initiated.conversations"), ours.conversations, theirs.conversations];
  return section("initiated", say.text("initiated.title"), comparison([...rows, started], say));
}

/** What is to be known of a figure beside it. */
const marks = (flags, element) =>
  flags.length > 0 && h("ul", { class: "flags" }, flags.map((flag) => h("li", { class: "flag" }, element.flagText(flag))));

export function hoursView({ widgets: { timeSpent } }, say, element) {
  return section(
    "hours",
    say.text("hours.title"),
    comparison([[say.text("hours.title"), timeSpent.ourHours, timeSpent.theirHours]], say),
    h(
      "dl",
      { class: "figures" },
      figure(say.text("hours.face"), say.minutes(timeSpent.faceMinutes)),
      timeSpent.widerTeamMinutes > 0 && figure(say.text("hours.widerTeam"), say.minutes(timeSpent.widerTeamMinutes)),
      timeSpent.durationMissing > 0 && figure(say.text("hours.missing"), say.number(timeSpent.durationMissing)),
    ),
    marks(timeSpent.flags.filter((flag) => flag === "privacyFloor"), element),
  );
}

export function ratioView({ widgets: { sentReceivedRatio: ratio } }, say) {
  return section(
    "ratio",
    say.text("ratio.title"),
    h(
      "dl",
      { class: "figures" },
      figure(say.text("ratio.sent"), say.number(ratio.emailsSent)),
      figure(say.text("ratio.received"), say.number(ratio.emailsReceived)),
      ratio.byThem !== null && figure(say.text("ratio.byThem"), say.number(ratio.byThem, 2)),
      ratio.byUs !== null && figure(say.text("ratio.byUs"), say.number(ratio.byUs, 2)),
    ),
    ratio.reason && h("p", {}, say.text(`ratio.${ratio.reason}`)),
  );
}

export function responseView({ widgets: { responseTime } }, say, element) {
  const { waitingForUs: waiting } = responseTime;
  const oldest = () =>
    say.text("response.oldest", { at: say.dateTime(waiting.oldestAt), hours: say.amount(waiting.oldestBusinessHours, "hour") });
  return section(
    "response",
    say.text("response.title"),
    h("div", { class: "sides" }, response("ours", responseTime.byUs, say, element), response("theirs", responseTime.byThem, say, element)),
    waiting.count > 0
      ? h("p", { class: "alarm" }, say.text("response.waiting", { n: say.number(waiting.count) }), ", ", oldest())
      : h("p", {}, say.text("response.noneWaiting")),
  );
}

function response(side, { replies, hours, businessHours, responseRate, answerable, flags }, say, element) {
  const count = say.text("engagement.count", { n: say.number(Math.round((responseRate ?? 0) * answerable)), total: say.number(answerable) });
  return h(
    "div",
    {},
    h("h4", {}, say.text(side)),
    h(
      "dl",
      { class: "figures" },
      figure(say.text("response.median"), say.amount(hours?.median, "hour")),
      figure(say.text("response.mean"), say.amount(hours?.mean, "hour")),
      figure(say.text("response.p90"), say.amount(hours?.p90, "hour")),
      figure(say.text("response.business"), say.amount(businessHours?.median, "hour")),
      figure(say.text("response.rate"), say.percent(responseRate), responseRate !== null && count),
      figure(say.text("response.replies"), say.number(replies)),
    ),
    marks(flags, element),
  );
}

export function engagementView({ widgets: { emailEngagement: mails } }, say, element) {
  const title = say.text("engagement.title");
  if (mails.followed === 0) return section("engagement", title, h("p", {}, say.text("engagement.none")), marks(mails.flags.filter((flag) => flag === "switchedOff"), element));
  const share = (key, rate, number, total) =>
    figure(say.text(`engagement.${key}`), say.percent(rate), say.text("engagement.count", { n: say.number(number), total: say.number(total) }));
  return section(
    "engagement",
    title,
    h(
      "dl",
      { class: "figures" },
      share("replied", mails.replyRate, mails.replied, mails.delivered),
      share("opened", mails.openRate, mails.opened, mails.delivered),
      share("clicked", mails.clickRate, mails.clicked, mails.withLinks),
      share("attachments", mails.attachmentRate, mails.attachmentsViewed, mails.attachments),
    ),
    marks(mails.flags, element),
  );
}

const COMPARED = [["activities", "number"], ["ourHours", "number"], ["responseHours", "number"], ["responseRate", "percent"]];

/** Won deals like this one; null for records that are no opportunities, and while the app does not give them. */
export function similarView({ widgets: { similarWonOpportunities: similar } }, say, element) {
  if (!similar) return null;
  const shown = (figures, key, format) => say[format](figures?.[key]?.mean ?? null);
  return section(
    "similar",
    say.text("similar.title"),
    similar.reason && h("p", {}, say.text(`similar.${similar.reason}`)),
    similar.tooFew && h("p", {}, say.text("similar.tooFew", { n: say.number(similar.n) })),
    similar.averaged > 0 && similar.equalAge &&
      h(
        "table",
        {},
        h("caption", {}, say.text("similar.averaged", { n: say.number(similar.averaged) })),
        h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, say.text("similar.this")), h("th", { scope: "col" }, say.text("similar.others")))),
        h("tbody", {}, COMPARED.map(([key, format]) =>
          h("tr", {}, h("th", { scope: "row" }, say.text(`similar.${key}`)), h("td", {}, say[format](similar.thisDeal[key])), h("td", {}, shown(similar.equalAge, key, format))),
        )),
      ),
    h("ul", { class: "shares" }, similar.deals.map((deal) => similarDeal(deal, say, element))),
  );
}

/** A deal: its name opens it where the form answers `rapport-open-record`. */
function similarDeal(deal, say, element) {
  const named = (field) => (say.has(`field.${field}`) ? say.text(`field.${field}`) : field);
  const joined = (fields) => say.joined(fields.map(named)).map(({ value }) => value).join("");
  const fields = (key, found) => found.length > 0 && say.text(`similar.${key}`, { fields: joined(found) });
  const notes = [say.text("similar.closed", { at: say.date(deal.closedAt) }), fields("same", deal.matched), fields("differs", deal.differing)];
  return h("li", {}, element.button(h("bdi", {}, deal.name), () => element.openRecord(deal.record), `deal-${deal.record}`, { class: "link" }),
    bar(deal.similarityPercent / 100), h("span", { class: "number" }, say.percent(deal.similarityPercent / 100)),
    h("small", { class: "whole" }, notes.filter(Boolean).join(" · ")));
}
