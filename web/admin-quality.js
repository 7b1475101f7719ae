/** How well the score foretells, on the organisation's own past: in a sentence, in figures, beside plain rules. */

import { h } from "./dom.js";
import { number, part, Section, table } from "./admin-section.js";
import { Refusal } from "./source.js";

const OURS = "rapport";
const CHANCE = 0.5;

export class QualitySection extends Section {
  async read() {
    try {
      return { report: await this.ask(["quality"]) };
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return { report: null };
      throw error;
    }
  }

  nodes({ report }) {
    const again = this.button("quality.again", (event) => this.act(event, () => this.tell("POST", ["quality"]), { done: "quality.queued" }));
    const controls = h("div", { class: "controls" }, again, this.button("refresh", () => this.refresh()));
    if (!report) return [part("report", this.text("quality.title"), h("p", {}, this.text("quality.none")), controls)];
    const values = { at: this.say.dateTime(report.computedAt), n: this.say.number(report.paramsVersion) };
    return [part("report", this.text("quality.title"), h("p", {}, this.text("quality.what")), h("p", { class: "note" }, this.text("quality.computed", values)), controls), this.#ties(report.tieAlive), this.#deals(report.deals)];
  }

  #ties({ horizonDays, people, sampled, mails, scores, betterBaselines, reason }) {
    const { say } = this;
    const basis = { people: say.number(people), mails: say.number(mails), days: say.amount(horizonDays, "day") };
    const ours = scores.find(({ score }) => score === OURS);
    const rows = scores.map((one) => [this.#named(one.score), this.#area(one.auc), number(say.number(one.averagePrecision, 3)), number(say.number(one.calibrationError, 3)), number(say.number(one.brier, 3))]);
    const heads = ["score", "auc", "averagePrecision", "calibrationError", "brier"].map((name) => this.text(`quality.${name}`));
    return part(
      "foretellsTies",
      this.text("quality.ties"),
      h("p", { class: "note" }, this.text(sampled ? "quality.basisSampled" : "quality.basis", basis)),
      ours ? h("p", {}, h("strong", {}, this.text(`quality.${verdict(ours.auc)}`, { percent: say.percent(ours.auc) })), " ", this.#beaten(betterBaselines)) : h("p", {}, this.text("quality.tooShort"), reason && h("bdi", { lang: "en" }, ` ${reason}`)),
      rows.length > 0 && table(this.text("quality.ties"), heads, rows),
      rows.length > 0 && h("p", { class: "note" }, this.text("quality.help")),
    );
  }

  #deals(deals) {
    const { say } = this;
    const heads = ["before", "deals", "auc", "interval", "rules"].map((name) => this.text(`quality.${name}`));
    const rows = deals.map(({ daysBefore, won, lost, sampled, auc, low, high, aucDecay, aucRecency, reason }) => {
      const counted = this.text("quality.wonLost", { won: say.number(won), lost: say.number(lost) });
      const some = sampled && h("small", {}, this.text("quality.sampled"));
      if (auc === null) return [say.amount(daysBefore, "day"), [counted, some], this.text(reason ? `quality.${reason}` : "unknown"), "", ""];
      const interval = [low, high].map((one) => say.number(one, 2)).join(" – ");
      const rules = [["decay", aucDecay], ["recency", aucRecency]].map(([name, value]) => h("div", {}, this.#named(name), ": ", say.number(value, 3)));
      return [say.amount(daysBefore, "day"), [counted, some], this.#area(auc), h("bdi", { dir: "ltr" }, interval), h("span", {}, rules)];
    });
    return part("foretellsDeals", this.text("quality.dealsTitle"), h("p", {}, this.text("quality.dealsText")), rows.length ? table(this.text("quality.dealsTitle"), heads, rows) : h("p", {}, this.text("quality.noDeals")));
  }

  /** An area as a number and a line from chance to perfect. */
  #area(value) {
    const shown = this.say.number(value, 3);
    return h("span", {}, shown, h("meter", { min: CHANCE, max: 1, value, "aria-hidden": "true" }));
  }

  #named(score) {
    return this.say.has(`rule.${score}`) ? this.text(`rule.${score}`) : score;
  }

  #beaten(better) {
    if (better.length === 0) return this.text("quality.best");
    return this.text("quality.beaten", { names: better.map((one) => this.#named(one)).join(", ") });
  }
}

/** What an area under the curve is worth, in words. */
function verdict(auc) {
  return auc >= 0.8 ? "strong" : auc >= 0.65 ? "fair" : "weak";
}
