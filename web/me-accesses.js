/** Who read data about the user, when and what for. */

import { h, section } from "./dom.js";
import { MyElement, wide } from "./me-part.js";

const DAYS = [30, 90, 400];
const SHOWN = 20;

/** `<rapport-accesses>`: to the hour, newest first; the user's own readings are left out. */
export class AccessesElement extends MyElement {
  #days = DAYS[0];
  #shown = SHOWN;

  question() {
    return { segments: ["me", "accesses"], query: { days: this.#days } };
  }

  nodesOf({ accesses }) {
    const { say } = this;
    const choose = (event) => {
      [this.#days, this.#shown] = [Number(event.target.value), SHOWN];
      this.refresh();
    };
    const options = DAYS.map((days) => h("option", { value: days, selected: days === this.#days }, say.amount(days, "day")));
    const title = say.text("accesses.title");
    const more = () => {
      this.#shown += SHOWN;
      this.show(...this.nodesOf({ accesses }));
    };
    const heads = ["when", "who", "why", "what"].map((key) => say.text(`accesses.${key}`));
    const counts = { n: say.number(Math.min(this.#shown, accesses.length)), total: say.number(accesses.length) };
    return [
      section("accesses", title,
        h("div", { class: "controls" }, h("label", {}, `${say.text("accesses.days")} `, h("select", { "data-focus": "days", onchange: choose }, options)),
          h("span", { class: "note", role: "status" }, say.text("accesses.shown", counts))),
        accesses.length > 0 ? wide(title, heads, accesses.slice(0, this.#shown).map((one) => this.#row(one))) : h("p", {}, say.text("accesses.none")),
        accesses.length > this.#shown && this.button(say.text("more"), more, "more")),
    ];
  }

  #row({ at, reader, target, purpose }) {
    const { say } = this;
    const why = purpose.replaceAll(" ", "_");
    return h("tr", {}, h("td", {}, h("time", { datetime: at }, say.dateTime(at))), h("td", {}, h("bdi", {}, reader)),
      h("td", {}, say.has(`purpose.${why}`) ? say.text(`purpose.${why}`) : purpose), h("td", {}, this.recordLink(target)));
  }
}
