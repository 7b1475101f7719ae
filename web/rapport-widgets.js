/** The custom elements. Load this one file: `<script type="module" src="https://<app>/api/web/rapport-widgets.js">`. */

import { ActivitiesElement } from "./activities.js";
import { ColleaguesElement } from "./colleagues.js";
import { h } from "./dom.js";
import { elementOf, RecordElement } from "./element.js";
import { engagementView, hoursView, initiatedView, momentsView, ratioView, responseView, summaryView } from "./figures.js";
import { healthView } from "./health.js";
import { IntroductionsElement } from "./introductions.js";
import { coverView, peopleView } from "./people.js";
import { similarView } from "./similar.js";
import { timelineView } from "./timeline.js";

export { configure } from "./source.js";

/** One element a widget: `<rapport-health>`, `<rapport-summary>` and so on, in the order in which a record shows them. */
const VIEWS = {
  summary: summaryView,
  health: healthView,
  moments: momentsView,
  timeline: timelineView,
  people: peopleView,
  response: responseView,
  initiated: initiatedView,
  hours: hoursView,
  ratio: ratioView,
  engagement: engagementView,
  cover: coverView,
  similar: similarView,
};

/** `<rapport-relationship>`: everything about a record; its ledger and who knows whom on demand; the privacy notice. */
class RelationshipElement extends RecordElement {
  constructor() {
    super();
    this.activities = document.createElement("rapport-activities");
    this.colleagues = document.createElement("rapport-colleagues");
    this.introductions = document.createElement("rapport-introductions");
    this.addEventListener("rapport-show-activities", (event) => this.#showActivities(event.detail.filter));
  }

  nodesOf(answer) {
    const { say } = this;
    const views = Object.values(VIEWS).map((view) => view(answer, say, this)).filter(Boolean);
    const heading = h("h2", {}, h("span", {}, `${say.text("title")}: `), h("bdi", {}, answer.recordName));
    const again = this.button(say.text("refresh"), () => this.refresh(), "refresh");
    const onDemand = [this.#onDemand(this.colleagues, "colleagues"), this.#onDemand(this.introductions, "introductions"), this.#onDemand(this.activities, "activities")];
    return [h("header", {}, heading, again), this.envelope(answer), h("div", { class: "grid" }, views), onDemand, privacy(say)].flat();
  }

  /** These ask the app on their own, so they wait until somebody wants them; once open they stay. */
  #onDemand(element, key) {
    for (const name of RecordElement.observedAttributes) copyAttribute(this, element, name);
    const open = this.button(this.say.text(`${key}.show`), (event) => event.target.replaceWith(element), key);
    return h("div", { class: "on-demand" }, element.isConnected ? element : open);
  }

  #showActivities(filter) {
    if (this.activities.isConnected) return; // it listens itself
    this.activities.filter = filter;
    this.body.querySelector("[data-focus=activities]").replaceWith(this.activities);
  }
}

function copyAttribute(from, to, name) {
  const value = from.getAttribute(name);
  if (value === null) to.removeAttribute(name);
  else if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

function privacy(say) {
  return h("details", { class: "privacy", "data-key": "privacy" }, h("summary", { "data-focus": "privacy" }, say.text("privacy.title")), h("p", {}, say.text("privacy.text")));
}

for (const [name, view] of Object.entries(VIEWS)) customElements.define(`rapport-${name}`, elementOf(view));
customElements.define("rapport-activities", ActivitiesElement);
customElements.define("rapport-colleagues", ColleaguesElement);
customElements.define("rapport-introductions", IntroductionsElement);
customElements.define("rapport-relationship", RelationshipElement);
