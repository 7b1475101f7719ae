/** What is held about the user: page by page to read, or all of it as a file. */

import { figure, h, section } from "./dom.js";
import { MyElement, wide } from "./me-part.js";
import { ask, Refusal } from "./source.js";

const LISTS = ["acquaintances", "interactions", "copies"];

/** `<rapport-held>`: asked for when somebody wants it, because the app looks through everything. */
export class HeldElement extends MyElement {
  question() {
    return { segments: ["me", "data"], query: {} };
  }

  joined(before, page) {
    const lists = LISTS.map((name) => [name, [...before[name], ...page[name]]]);
    return { ...page, about: before.about, ...Object.fromEntries(lists) };
  }

  nodesOf(found) {
    const { say } = this;
    const count = (name) => `${say.text(`held.${name}`)} ${say.number(found[name].length)}`;
    const status = h("p", { class: "note", role: "status" }, LISTS.map(count).join(" · "), found.nextPage && ` · ${say.text("held.goesOn")}`);
    const save = this.button(say.text("held.save"), (event) => this.#save(event.target), "save");
    return [section("held", say.text("held.title"), h("p", { class: "note" }, say.text("held.note")), save, found.about && this.#about(found), status,
      LISTS.map((name) => found[name].length > 0 && this.#table(name, found[name])), this.moreButton(found))];
  }

  #about({ subject, about }) {
    const { say } = this;
    const texts = (list) => list.flatMap((text, number) => [number ? ", " : "", h("bdi", {}, text)]);
    const links = (ids) => h("ul", { class: "targets" }, ids.slice(0, 30).map((id) => h("li", {}, this.recordLink(id))));
    return h(
      "div",
      {},
      h("dl", { class: "figures" },
        figure(say.text("held.addresses"), texts([...new Set([...subject.addresses, ...about.registered])])),
        about.mailboxes.length > 0 && figure(say.text("held.mailboxes"), texts(about.mailboxes.map(({ address }) => address))),
        about.metWith.length > 0 && figure(say.text("held.metWith"), texts(about.metWith.map(({ colleague }) => colleague))),
        figure(say.text("held.introductions"), say.number(about.introductions.length))),
      about.namedBy.length > 0 && h("details", { "data-key": "named" }, h("summary", { "data-focus": "named" }, say.text("held.namedBy", { n: say.number(about.namedBy.length) })), links(about.namedBy)),
      about.rows.map((row) => this.#row(row)),
    );
  }

  /** A row of the CRM under the names that the CRM gives its attributes. */
  #row({ record, attributes }) {
    const values = Object.entries(attributes).map(([name, value]) => figure(h("bdi", {}, name), h("bdi", {}, typeof value === "object" ? JSON.stringify(value) : String(value))));
    return h("details", { "data-key": record }, h("summary", { "data-focus": record }, this.say.text("held.row"), ": ", h("bdi", {}, record)), h("dl", { class: "figures" }, values));
  }

  #table(name, rows) {
    const heads = HEADS[name].map((key) => this.say.text(key));
    return h("details", { "data-key": name, open: true }, h("summary", { "data-focus": name }, this.say.text(`held.${name}`)), wide(this.say.text(`held.${name}`), heads, rows.map((one) => h("tr", {}, this.#cells(name, one).map((cell) => h("td", {}, cell))))));
  }

  #cells(name, one) {
    const { say } = this;
    const when = () => say.dateTime(one.at);
    const kind = () => say.text(`kind.${one.kind}`);
    const role = () => say.text(say.has(`role.${one.role}`) ? `role.${one.role}` : "unknown");
    if (name === "acquaintances") {
      const counts = ["emails", "meetings", "calls"].filter((key) => one[key] > 0).map((key) => `${say.text(key)} ${say.number(one[key])}`);
      return [this.recordLink(one.target), say.number(one.strength), counts.join(" · "), say.date(one.lastAt)];
    }
    if (name === "copies") return [when(), kind(), say.text(`source.${one.source}`), role(), say.number(one.others)];
    const why = say.has(`reason.${one.reason}`) ? say.text(`reason.${one.reason}`) : one.reason;
    return [when(), kind(), this.recordLink(one.record, one.recordName), role(), `${say.text(one.counted ? "activities.counts" : "activities.countsNot")}: ${why}`];
  }

  /** All pages in one file. */
  async #save(button) {
    button.disabled = true;
    const pages = [];
    try {
      do pages.push(await ask(this.record.baseUrl, ["me", "data"], { page: pages.at(-1)?.nextPage }));
      while (pages.at(-1).nextPage);
      const address = URL.createObjectURL(new Blob([JSON.stringify(pages, null, 1)], { type: "application/json" }));
      h("a", { href: address, download: "rapport-my-data.json" }).click();
      URL.revokeObjectURL(address);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      button.after(h("p", { role: "alert", class: "warn" }, this.say.text("state.unavailable")));
    }
    button.disabled = false;
  }
}

const HEADS = {
  acquaintances: ["held.who", "held.strength", "held.with", "people.last"],
  interactions: ["activities.when", "activities.what", "accesses.what", "held.role", "activities.reason"],
  copies: ["activities.when", "activities.what", "held.source", "held.role", "held.others"],
};
