/** How the connection to the mailboxes stands: state, banner, coverage, each mailbox, what has happened so far. */

import { h } from "./dom.js";
import { data, facts, number, part, progressBar, Section, table } from "./admin-section.js";

const LATEST = 8;
const FOLLOWED = ["PENDING_CONSENT", "BACKFILL"]; // states that go on by themselves
const FOLLOW_MS = 5_000;

export class OverviewSection extends Section {
  #state = "";
  #timer = 0;

  async read() {
    const language = this.say.tag;
    const [status, mailboxes] = await Promise.all([this.ask(["settings", "status"], { language }), this.#mailboxes()]);
    return { status, mailboxes };
  }

  nodes({ status, mailboxes }) {
    this.#goOn(status);
    return [this.#connection(status), this.#coverage(status), this.#list(mailboxes), this.#history(status), this.#notice()];
  }

  #goOn({ state }) {
    clearTimeout(this.#timer);
    if (FOLLOWED.includes(state)) this.#timer = setTimeout(() => this.#follow(), FOLLOW_MS);
  }

  /** The connection anew, as long as somebody looks; the list of mailboxes stays as it is, and so does an open choice. */
  async #follow() {
    if (!this.root.isConnected) return;
    const asked = this.found;
    const status = await this.ask(["settings", "status"], { language: this.say.tag }).catch(() => asked.status);
    if (this.found !== asked) return;
    const isChoosing = this.element.shadowRoot.activeElement?.localName === "select";
    if (isChoosing || JSON.stringify(status) === JSON.stringify(asked.status)) return this.#goOn(asked.status);
    this.found = { ...asked, status };
    this.render();
  }

  #mailboxes(page = "") {
    return this.ask(["mailboxes"], { language: this.say.tag, state: this.#state, page });
  }

  #connection(status) {
    const { say } = this;
    const { day, daysLeft, bannerText } = status;
    return part(
      "connection",
      this.text("overview.connection"),
      h("p", { class: "word" }, this.text(`consent.${status.state}`)),
      h("p", {}, this.text(`consentMeans.${status.state}`)),
      bannerText && h("p", { class: "banner" }, bannerText),
      day !== null && progressBar(this.text("overview.daysPassed"), day / (day + daysLeft - 1), say),
      facts([
        day !== null && [this.text("overview.day"), this.text("overview.dayOf", { day: say.number(day), all: say.number(day + daysLeft - 1) })],
        day !== null && [this.text("overview.daysLeft"), say.amount(daysLeft, "day")],
        status.deadline && [this.text("overview.deadline"), say.dateTime(status.deadline)],
        status.enabledAt && [this.text("overview.enabledAt"), say.dateTime(status.enabledAt)],
        [this.text("overview.mode"), this.text(`mode.${status.mode}`)],
      ]),
      h("div", { class: "controls" }, this.button("refresh", () => this.refresh())),
    );
  }

  #coverage({ mailboxes, privateEvents }) {
    const { say } = this;
    const hidden = Object.values(privateEvents);
    return part(
      "coverage",
      this.text("overview.coverage"),
      mailboxes.progress !== null && h("p", {}, this.text("overview.backfill")),
      mailboxes.progress !== null && progressBar(this.text("overview.backfill"), mailboxes.progress, say),
      facts(["connected", "backfilled", "lagging", "failed", "held"].map((name) => [this.text(`coverage.${name}`), say.number(mailboxes[name])])),
      hidden.length > 0 && h("p", { class: "note" }, this.text("overview.private", { n: say.number(hidden.reduce((all, one) => all + one, 0)) })),
    );
  }

  #list(found) {
    const title = this.text("overview.mailboxes");
    const all = Object.values(found.states).reduce((sum, one) => sum + one, 0);
    if (all === 0) return part("list", title, h("p", {}, this.text("overview.noMailboxes")));
    const options = [["", all], ...Object.entries(found.states)].map(([state, n]) => {
      const words = `${this.text(state ? `mailboxState.${state}` : "overview.allStates")} (${this.say.number(n)})`;
      return h("option", { value: state, selected: state === this.#state }, words);
    });
    const choose = ({ target }) => ((this.#state = target.value), this.refresh());
    const heads = ["address", "state", "lastSynced", "readBackTo", "progress", "error"].map((name) => this.text(`mailbox.${name}`));
    return part(
      "list",
      title,
      h("div", { class: "controls" }, h("label", {}, `${this.text("mailbox.state")} `, h("select", { "data-focus": "states", onchange: choose }, options))),
      table(title, heads, found.mailboxes.map((one) => this.#row(one)), "mailboxes"),
      found.nextPage && this.button("more", (event) => this.#more(event, found)),
    );
  }

  #row(one) {
    const { say } = this;
    const error = one.error && [one.errorText, h("small", {}, data(one.error), one.retryAt && ` · ${this.text("mailbox.retryAt", { at: say.dateTime(one.retryAt) })}`)];
    return [
      data(one.address),
      this.text(`mailboxState.${one.state}`),
      [one.lastSynced ? h("span", { title: say.dateTime(one.lastSynced) }, say.relative(one.lastSynced)) : this.text("overview.notYet"), one.lagging && h("span", { class: "flag warn" }, this.text("mailbox.lagging"))],
      one.readBackTo ? say.date(one.readBackTo) : this.text("overview.notYet"),
      number(say.percent(one.progress)),
      h("span", {}, error || ""),
    ];
  }

  #more(event, found) {
    this.act(event, async () => {
      const next = await this.#mailboxes(found.nextPage);
      this.found.mailboxes = { ...next, mailboxes: [...found.mailboxes, ...next.mailboxes] };
      this.render();
    });
  }

  #history({ history }) {
    const title = this.text("overview.history");
    if (history.length === 0) return part("history", title, h("p", {}, this.text("overview.noHistory")));
    const heads = ["at", "step", "became", "by"].map((name) => this.text(`history.${name}`));
    const rows = history.toReversed().map(({ at, transition, before, after, by }) => {
      const step = this.say.has(`step.${transition}`) ? this.text(`step.${transition}`) : transition;
      const became = before === after ? "" : this.text(`consent.${after}`);
      const doer = this.say.has(`doer.${by}`) ? this.text(`doer.${by}`) : data(by);
      return [this.say.dateTime(at), h("span", { title: transition }, step), became, doer];
    });
    const rest = rows.splice(LATEST);
    const older = rest.length > 0 && h("details", { "data-key": "older" }, h("summary", { "data-focus": "older" }, this.text("history.older", { n: this.say.number(rest.length) })), table(title, heads, rest));
    return part("history", title, table(title, heads, rows), older);
  }

  #notice() {
    return h("details", { class: "privacy", "data-key": "privacy" }, h("summary", { "data-focus": "privacy" }, this.text("privacy.title")), h("p", {}, this.text("privacy.text")));
  }
}
