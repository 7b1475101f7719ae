/** Whether the app is alive, which version runs, how far computing has come. */

import { h } from "./dom.js";
import { facts, number, part, progressBar, Section, table } from "./admin-section.js";
import { Refusal } from "./source.js";

export class OperationsSection extends Section {
  async read() {
    // Said apart: that the storage does not answer is what this part is looked at for.
    const health = await this.ask(["health"]).catch((error) => (error instanceof Refusal ? null : Promise.reject(error)));
    return { health, progress: health && (await this.ask(["settings", "progress"])), at: new Date() };
  }

  nodes({ health, progress, at }) {
    const again = h("div", { class: "controls" }, this.button("refresh", () => this.refresh()));
    const checked = h("p", { class: "note" }, this.text("alive.checked", { at: this.say.dateTime(at) }));
    if (!health) return [part("alive", this.text("alive.of"), h("p", { class: "word warn" }, this.text("alive.away")), h("p", {}, this.text("alive.awayText")), checked, again)];
    return [
      part(
        "alive",
        this.text("alive.of"),
        h("p", { class: "word" }, this.text("alive.ok")),
        facts([
          [this.text("alive.version"), h("bdi", {}, health.version)],
          [this.text("alive.python"), h("bdi", {}, health.python)],
          [this.text("alive.bytecode"), this.text(health.bytecode ? "alive.shipped" : "alive.compiled")],
        ]),
        checked,
        again,
      ),
      this.#computed(progress),
    ];
  }

  #computed({ version, total, done, failed, types }) {
    const { say } = this;
    const words = this.text("settings.computed", { done: say.number(done), total: say.number(total) });
    const rows = types.map((one) => [this.text(`crmType.${one.type}`), ...["total", "done", "failed"].map((name) => number(say.number(one[name])))]);
    const heads = ["type", "total", "done", "failed"].map((name) => this.text(`computed.${name}`));
    return part(
      "computed",
      this.text("computed.title", { n: say.number(version) }),
      h("p", {}, words),
      progressBar(words, total ? done / total : 1, say),
      failed > 0 && h("p", { class: "warn" }, this.text("settings.failed", { n: say.number(failed) })),
      table(this.text("computed.title", { n: say.number(version) }), heads, rows),
    );
  }
}
