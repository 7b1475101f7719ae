/** Who has opted out, what is held about somebody, who read how much. */

import { h } from "./dom.js";
import { data, facts, number, part, Section, table } from "./admin-section.js";

const SPANS = [7, 30, 90, 400];

export class PrivacySection extends Section {
  #days = 30;
  #address = "";
  #shown = h("div", { role: "status" });

  async read() {
    const [{ receipts }, { readers }] = await Promise.all([this.ask(["opt-outs"]), this.ask(["accesses"], { days: String(this.#days) })]);
    return { receipts, readers };
  }

  nodes({ receipts, readers }) {
    return [this.#person(), this.#optOuts(receipts), this.#accesses(readers)];
  }

  #person() {
    const input = h("input", { type: "email", dir: "ltr", autocomplete: "off", required: true, "data-focus": "address", id: "address", value: this.#address, oninput: ({ target }) => (this.#address = target.value.trim()) });
    const given = (act) => (event) => input.reportValidity() && act(event);
    return part(
      "person",
      this.text("person.title"),
      h("p", {}, this.text("person.text")),
      h(
        "form",
        { class: "controls", onsubmit: (event) => (event.preventDefault(), this.#resolve(event)) },
        h("label", { for: "address" }, this.text("person.address")),
        input,
        h("button", { "data-focus": "resolve" }, this.text("person.resolve")),
        this.button("person.export", given((event) => this.#export(event))),
        this.button("person.optOut", given((event) => this.#optOut(event)), { class: "danger" }),
      ),
      this.#shown,
    );
  }

  #resolve(event) {
    this.act(event, async () => {
      const found = await this.tell("POST", ["people", "resolve"], { address: this.#address });
      const named = (people) => (people.length ? people.map((one, n) => [n > 0 && ", ", data(one.name || one.id)]) : this.text("person.none"));
      const steps = found.steps.map(({ rule, result }) => [data(rule), data(result)]);
      this.#shown.replaceChildren(
        facts([
          [this.text("person.side"), this.text(`side.${found.side}`)],
          [this.text("person.people"), named(found.people)],
          [this.text("person.accounts"), named(found.accounts)],
          found.company && [this.text("person.company"), data(found.company)],
          found.functional && [this.text("person.functional"), this.text("person.isFunctional")],
        ]),
        table(this.text("person.steps"), [this.text("person.rule"), this.text("person.result")], steps),
      );
    });
  }

  /** Everything that is held about somebody, page by page, into one file. */
  #export(event) {
    const address = this.#address;
    this.act(event, async () => {
      const pages = [];
      do {
        pages.push(await this.tell("POST", ["people", "data"], { address, page: pages.at(-1)?.nextPage ?? "" }));
        this.tellUser("person.exporting", { n: this.say.number(pages.length) });
      } while (pages.at(-1).nextPage);
      const file = new Blob([JSON.stringify(pages, null, 1)], { type: "application/json" });
      const link = h("a", { href: URL.createObjectURL(file), download: "rapport-person.json" }, this.text("person.download"));
      this.#shown.replaceChildren(h("p", {}, link));
      link.focus();
    }, { done: "person.exported" });
  }

  async #optOut(event) {
    const address = this.#address;
    const question = [this.text("person.optOutText"), h("strong", {}, data(address))];
    if (!(await this.confirm(this.text("person.optOut"), question, this.text("person.optOut")))) return;
    const done = await this.act(event, async () => {
      await this.tell("POST", ["opt-outs"], { address });
      this.#address = "";
      this.#shown.replaceChildren();
      await this.refresh();
    }, { done: "person.isOptedOut" });
    if (done) this.notice.scrollIntoView({ block: "nearest" });
  }

  #optOuts(receipts) {
    const { say } = this;
    const title = this.text("optOuts.title");
    if (receipts.length === 0) return part("optOuts", title, h("p", {}, this.text("optOuts.none")));
    const heads = ["id", "status", "optedOutAt", "completedAt", "erased"].map((name) => this.text(`optOuts.${name}`));
    const rows = receipts.map(({ id, status, optedOutAt, completedAt, counts, signature }) => {
      const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
      const each = Object.entries(counts).map(([name, n]) => h("div", {}, say.has(`gone.${name}`) ? this.text(`gone.${name}`) : name, ": ", say.number(n)));
      const details = h("details", { "data-key": `receipt-${id}` }, h("summary", { "data-focus": `receipt-${id}` }, say.number(all)), each, h("small", {}, this.text("optOuts.signature"), " ", h("code", { dir: "ltr" }, signature)));
      return [h("code", { dir: "ltr" }, id), this.text(`erasure.${status}`), say.dateTime(optedOutAt), completedAt ? say.dateTime(completedAt) : this.text("overview.notYet"), details];
    });
    return part("optOuts", title, h("p", { class: "note" }, this.text("optOuts.note")), table(title, heads, rows));
  }

  #accesses(readers) {
    const title = this.text("readings.title");
    const choose = ({ target }) => ((this.#days = Number(target.value)), this.refresh());
    const spans = SPANS.map((days) => h("option", { value: days, selected: days === this.#days }, this.say.amount(days, "day")));
    const rows = readers.map(({ reader, purpose, number: n }) => [data(reader), this.say.has(`readFor.${purpose}`) ? this.text(`readFor.${purpose}`) : data(purpose), number(this.say.number(n))]);
    const heads = ["reader", "purpose", "number"].map((name) => this.text(`readings.${name}`));
    return part(
      "accesses",
      title,
      h("p", { class: "note" }, this.text("readings.note")),
      h("label", {}, `${this.text("readings.days")} `, h("select", { "data-focus": "days", onchange: choose }, spans)),
      rows.length ? table(title, heads, rows) : h("p", {}, this.text("readings.none")),
    );
  }
}
