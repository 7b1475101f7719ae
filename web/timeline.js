/** Activities by day: ours upwards, theirs downwards. Days that were not read are drawn as unknown, not as empty. */

import { h, section } from "./dom.js";

const OURS = [["emailsSent", "email"], ["meetingsSent", "meeting"], ["callsMade", "call"]];
const THEIRS = [["emailsReceived", "email"], ["meetingsReceived", "meeting"], ["callsReceived", "call"]];
const STEPS = { Home: -Infinity, End: Infinity, PageUp: -7, PageDown: 7 };

export function timelineView({ widgets: { relationshipActivities } }, say, element) {
  const { days, timeZone } = relationshipActivities;
  const most = Math.max(1, ...days.flatMap((day) => [total(day, OURS), total(day, THEIRS)]));
  const readout = h("p", { class: "readout", "aria-hidden": "true" }, "\u00a0");
  const buttons = days.map((day, number) => dayButton(day, most, number === days.length - 1, readout, say, element));
  const chart = h("div", { class: "days", role: "group", "aria-label": say.text("timeline.help"), onkeydown: (event) => move(event, buttons, say) }, buttons);
  return section("timeline", say.text("timeline.title"), chart, axis(days, say), readout, legend(days, say), h("p", { class: "note" }, say.text("timeline.zone", { zone: timeZone })));
}

const total = (day, series) => series.reduce((sum, [key]) => sum + day[key], 0);

/** A day is a button: hover and focus tell its counts, Enter lists its activities. One of them is in the tab order. */
function dayButton(day, most, isLast, readout, say, element) {
  const told = tell(day, say);
  const tellHere = () => (readout.textContent = told);
  const stack = (series, side) =>
    h("span", { class: side }, series.map(([key, kind]) =>
      day[key] > 0 && h("span", { class: kind, style: { "block-size": `${(day[key] / most) * 100}%` } })));
  return h(
    "button",
    {
      type: "button",
      class: day.known ? "day" : "day unknown",
      tabindex: isLast ? 0 : -1,
      "aria-label": told,
      "data-focus": `day-${day.date}`,
      onfocus: tellHere,
      onmouseenter: tellHere,
      onclick: () => element.showActivities({ day: day.date }),
    },
    stack(OURS, "up"),
    stack(THEIRS, "down"),
  );
}

function tell(day, say) {
  const date = say.day(day.date, true);
  if (!day.known) return `${date}: ${say.text("timeline.unknown")}`;
  const counts = [...OURS, ...THEIRS].filter(([key]) => day[key] > 0).map(([key]) => `${say.text(`series.${key}`)} ${say.number(day[key])}`);
  return `${date}: ${counts.join(", ") || say.text("timeline.nothing")}`;
}

/** The way the arrow points is the way the focus goes, also where time runs from right to left. */
function move(event, buttons, say) {
  const forward = say.direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const step = event.key === "ArrowLeft" || event.key === "ArrowRight" ? (event.key === forward ? 1 : -1) : STEPS[event.key];
  const from = buttons.indexOf(event.target.closest("button"));
  if (step === undefined || from < 0) return;
  event.preventDefault();
  const to = Math.min(Math.max(from + step, 0), buttons.length - 1);
  buttons[from].tabIndex = -1;
  buttons[to].tabIndex = 0;
  buttons[to].focus();
}

function axis(days, say) {
  const shown = days.length ? [days[0], days[Math.floor((days.length - 1) / 2)], days[days.length - 1]] : [];
  return h("div", { class: "axis", "aria-hidden": "true" }, shown.map((day) => h("span", {}, say.day(day.date))));
}

function legend(days, say) {
  const entries = [["email", "emails"], ["meeting", "meetings"], ["call", "calls"]].map(([kind, key]) =>
    h("li", {}, h("span", { class: `key ${kind}` }), say.text(key)));
  const unknown = days.some((day) => !day.known) && h("li", {}, h("span", { class: "key unknown" }), say.text("timeline.unknown"));
  return h("ul", { class: "legend" }, entries, h("li", {}, `↑ ${say.text("ours")}`), h("li", {}, `↓ ${say.text("theirs")}`), unknown);
}
