/** The smaller widgets: sentences, next and last, who initiated, hours, ratio, response, engagement. */

import { bar, figure, h, section } from "./dom.js";
import { names } from "./people.js";
import { besideSimilar } from "./similar.js";

export function summaryView({ widgets: { summary } }, say) {
  const told = summary.sentences.map(({ id, text, language }) =>
    h("li", { lang: language === say.base ? null : language, "data-id": id }, text ?? id),
  );
  const reason = `summary.${summary.reason ?? "insufficient"}`;
  return section("summary", say.text("summary.title"), told.length ? h("ul", {}, told) : h("p", {}, say.text(reason)));
}

const DAY_MS = 86_400_000;

export function momentsView({ asOf, widgets: { lastInteraction, nextInteraction } }, say, element) {
  const { last, current, quietSince, idleAfterDays } = lastInteraction;
  const now = element.hasAttribute("as-of") ? new Date(asOf).getTime() : Date.now();
  const idleDays = quietSince ? Math.floor((now - new Date(quietSince).getTime()) / DAY_MS) : 0;
  return section(
    "moments",
    say.text("moments.title"),
    idleAfterDays && idleDays >= idleAfterDays && h("p", { class: "alarm" }, say.text("moments.idle", { length: say.amount(idleDays, "day"), limit: say.amount(idleAfterDays, "day") })),
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

const COUNTED = ["email", "meeting", "call"];

/** A number that shows the activities behind it when it is pressed. */
function counted(shown, filter, what, element) {
  const show = () => element.showActivities({ counted: true, kind: COUNTED, ...filter, name: what });
  const { kind = [], direction = "" } = filter;
  return element.button(shown, show, `count-${kind}-${direction}`, { class: "link", "aria-label": `${what}: ${shown}` });
}

/** Rows of two values, ours and theirs, as bars of one scale; with a filter, the numbers show what is behind them. */
function comparison(rows, say, element) {
  const most = Math.max(...rows.flatMap(([, ours, theirs]) => [ours, theirs]).filter((value) => value !== null), 0);
  const cell = (name, value, kind, direction, filter) => {
    const linked = filter && value > 0;
    const what = `${name}, ${say.text(kind)}`;
    const shown = linked ? counted(say.number(value), { ...filter, direction }, what, element) : say.number(value);
    return h("td", {}, h("span", { class: "number" }, shown), value !== null && most > 0 && bar(value / most, kind));
  };
  return h(
    "table",
    { class: "comparison" },
    h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, say.text("ours")), h("th", { scope: "col" }, say.text("theirs")))),
    h("tbody", {}, rows.map(([name, ours, theirs, filter]) =>
      h("tr", {}, h("th", { scope: "row" }, name), cell(name, ours, "ours", "out", filter), cell(name, theirs, "theirs", "in", filter)),
    )),
  );
}

const KINDS = { emails: ["email"], meetings: ["meeting"], calls: ["call"], total: COUNTED };

export function initiatedView({ widgets: { customerInteractions: { ours, theirs }, similarWonOpportunities } }, say, element) {
  const rows = Object.entries(KINDS).map(([key, kind]) => [say.text(key), ours[key], theirs[key], { kind }]);
  const started = [say.text("initiated.conversations"), ours.conversations, theirs.conversations];
  return section("initiated", say.text("initiated.title"), comparison([...rows, started], say, element),
    besideSimilar(["activities", "emails", "meetings", "calls", "meetingsInitiated"], similarWonOpportunities, say));
}

/** What is to be known of a figure beside it. */
const marks = (flags, element) =>
  flags.length > 0 && h("ul", { class: "flags" }, flags.map((flag) => h("li", { class: "flag" }, element.flagText(flag))));

export function hoursView({ widgets: { timeSpent, similarWonOpportunities } }, say, element) {
  return section(
    "hours",
    say.text("hours.title"),
    comparison([[say.text("hours.title"), timeSpent.ourHours, timeSpent.theirHours]], say, element),
    h("p", {}, counted(say.text("hours.behind"), {}, say.text("hours.title"), element)),
    besideSimilar(["ourHours", "theirHours"], similarWonOpportunities, say),
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

export function ratioView({ widgets: { sentReceivedRatio: ratio } }, say, element) {
  const mails = (key, number, direction) => {
    const what = say.text(`ratio.${key}`);
    return figure(what, number > 0 ? counted(say.number(number), { kind: ["email"], direction }, what, element) : say.number(number));
  };
  return section(
    "ratio",
    say.text("ratio.title"),
    h(
      "dl",
      { class: "figures" },
      mails("sent", ratio.emailsSent, "out"),
      mails("received", ratio.emailsReceived, "in"),
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
