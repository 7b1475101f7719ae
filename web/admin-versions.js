/** Every published version of the settings: by whom, when, why, how it differs from the one in force, and going back to it. */

import { h } from "./dom.js";
import { differences } from "./admin-fields.js";
import { data, part, table } from "./admin-section.js";

/** The list in the section of settings. */
export class Versions {
  constructor(section) {
    this.section = section;
  }

  read(before) {
    return this.section.ask(["settings", "versions"], { before });
  }

  nodes(found) {
    const { section } = this;
    const { say } = section;
    this.compared = h("div", { role: "status" });
    const heads = ["version", "publishedAt", "author", "comment", "what"].map((name) => say.text(`settings.${name}`));
    const rows = [...found.versions.map((one) => this.#row(one)), !found.nextBefore && this.#defaults()].filter(Boolean);
    return part(
      "versions",
      say.text("settings.versions"),
      table(say.text("settings.versions"), heads, rows),
      found.nextBefore && section.button("more", (event) => this.#more(event, found)),
      this.compared,
    );
  }

  #row({ version, publishedAt, author, authorName, comment, restores }) {
    const { say } = this.section;
    const restored = restores !== null && say.text("settings.restored", { n: say.number(restores) });
    const why = [restored && h("div", {}, restored), comment && data(comment)];
    return [say.number(version), say.dateTime(publishedAt), data(authorName || author), h("span", {}, why), this.#moves(version)];
  }

  #defaults() {
    return [this.section.text("settings.defaults"), "", "", "", this.#moves(0)];
  }

  #moves(version) {
    const { section } = this;
    if (version === section.inForce.version) return h("span", { class: "flag counted" }, section.text("settings.isInForce"));
    const label = (key) => ({ "aria-label": `${section.text(key)} (${section.say.number(version)})`, "data-focus": `${key}-${version}` });
    return h(
      "div",
      { class: "controls" },
      section.button("settings.compare", (event) => this.#compare(event, version), label("settings.compare")),
      section.button("settings.undo", (event) => this.#undo(event, version), label("settings.undo")),
    );
  }

  #more(event, found) {
    this.section.act(event, async () => {
      const next = await this.read(found.nextBefore);
      this.section.found.versions = { ...next, versions: [...found.versions, ...next.versions] };
      this.section.render();
    });
  }

  #compare(event, version) {
    const { section } = this;
    section.act(event, async () => {
      const { settings } = await section.ask(["settings", "versions", String(version)]);
      const values = { n: section.say.number(version) };
      const changes = differences(settings, section.inForce.settings);
      const rows = changes.map(({ path, before, after }) => [path.map((_, n) => section.fields.label(path.slice(0, n + 1))).join(" · "), section.fields.words(path, before), section.fields.words(path, after)]);
      const heads = [section.text("settings.name"), section.text("settings.then", values), section.text("settings.now")];
      const title = section.text("settings.differences", values);
      this.compared.replaceChildren(rows.length ? table(title, heads, rows) : h("p", {}, section.text("settings.noDifference", values)));
    });
  }

  async #undo(event, version) {
    const { section } = this;
    const values = { n: section.say.number(version) };
    if (!(await section.confirm(section.text("settings.undo"), section.text("settings.undoText", values), section.text("settings.undo")))) return;
    const undone = () => section.become(section.tell("POST", ["settings", "undo"], { version }, section.condition));
    section.act(event, undone, { done: "settings.published" });
  }
}
