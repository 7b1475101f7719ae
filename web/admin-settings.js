/** The organisation's settings: read, changed, tried out, published, followed, undone. */

import { h } from "./dom.js";
import { differences, Fields } from "./admin-fields.js";
import { previewNodes } from "./admin-preview.js";
import { facts, part, progressBar, Section } from "./admin-section.js";
import { Template } from "./admin-template.js";
import { Versions } from "./admin-versions.js";

const GROUPS = {
  health: ["showHealth", "weights", "frequency", "frequencyRules", "halfLifeDays", "grades", "points", "pointsWithBreadth"],
  alarms: ["alarms", "singleThreadPercent"],
  windows: ["rollingWindowDays", "timelineDays", "leadInDays", "twoYearRule", "accountUnion"],
  time: ["reportingTimeZone", "workingTime", "minutesToRead", "minutesToWrite", "longestMeetingHours"],
  counted: ["recipientLimit", "noiseRules", "internalDomains", "neverLog"],
  privacy: ["strictOwnSide", "emailEngagement", "exchangeKeepDays", "retention"],
  similar: ["similarDeals"],
  colleagues: ["lookupRole", "whoKnowsWhom", "introductions"],
};
const FOLLOW_MS = 2_000;

export class SettingsSection extends Section {
  #draft = null;
  #base = null; // the version that the draft began from
  #schemas = null;
  #tried = null;
  #timer = 0;
  #versions = new Versions(this);
  #template = new Template(this);
  #bar = h("div", { class: "controls" });
  #running = h("div", {});

  async read() {
    this.#schemas ??= (await this.ask(["openapi.json"])).components.schemas;
    const [inForce, versions, progress] = await Promise.all([this.ask(["settings"]), this.#versions.read(), this.ask(["settings", "progress"])]);
    this.#rebase(inForce);
    return { inForce, versions, progress };
  }

  /** The draft upon another version: what was changed here stays, the rest follows. */
  #rebase(inForce) {
    if (this.#base?.version === inForce.version) return;
    const changed = this.#base ? differences(this.#base.settings, this.#draft).map(({ path: [name] }) => [name, this.#draft[name]]) : [];
    this.#draft = { ...structuredClone(inForce.settings), ...Object.fromEntries(changed) };
    this.#base = inForce;
  }

  /** The settings in force. */
  get inForce() {
    return this.found.inForce;
  }

  nodes({ inForce, versions, progress }) {
    this.fields = new Fields({ schemas: this.#schemas, name: "OrganisationSettings", draft: this.#draft, say: this.say, changed: () => this.#changed() });
    const known = Object.values(GROUPS).flat();
    const groups = { ...GROUPS, further: this.fields.names.filter((name) => !known.includes(name)) }; // of a later app
    const comment = h("input", { type: "text", maxlength: 1000, dir: "auto", "data-focus": "comment", id: "comment" });
    this.#changed();
    this.#follow(progress);
    return [
      part("inForce", this.text("settings.inForce"), this.#about(inForce), this.#running),
      h(
        "form",
        { class: "stack", novalidate: true, onsubmit: (event) => this.#publish(event, comment) },
        Object.entries(groups).map(([group, names]) => this.#group(group, names)),
        this.#import(),
        h("label", {}, this.text("settings.comment"), comment),
        this.#bar,
      ),
      this.#tried && previewNodes(this.#tried, this),
      this.#template.nodes(),
      this.#versions.nodes(versions),
    ];
  }

  #about({ version, publishedAt, authorName, author, comment }) {
    return facts([
      [this.text("settings.version"), version ? this.say.number(version) : this.text("settings.defaults")],
      publishedAt && [this.text("settings.publishedAt"), this.say.dateTime(publishedAt)],
      author && [this.text("settings.author"), h("bdi", {}, authorName || author)],
      comment && [this.text("settings.comment"), h("bdi", {}, comment)],
    ]);
  }

  #group(group, wanted) {
    const names = wanted.filter((name) => this.fields.names.includes(name));
    if (names.length === 0) return null;
    return h(
      "details",
      { "data-key": `group-${group}`, class: "group" },
      h("summary", { "data-focus": `group-${group}` }, this.text(`group.${group}`)),
      h("div", { class: "fields" }, names.map((name) => this.fields.of(name))),
    );
  }

  /** What differs from the settings in force stands beside the buttons, and a point marks it. */
  #changed() {
    const changes = differences(this.inForce.settings, this.#draft);
    for (const field of this.content.querySelectorAll("[data-part]")) {
      const isChanged = changes.some(({ path }) => path.join(".") === field.dataset.part);
      field.classList.toggle("changed", isChanged);
    }
    const names = changes.map(({ path }) => this.fields.label(path));
    const focused = this.element.shadowRoot.activeElement?.dataset.focus;
    const none = changes.length === 0;
    this.#bar.replaceChildren(
      this.button("settings.preview", (event) => this.#try(event), { disabled: none }),
      h("button", { class: "primary", "data-focus": "publish", disabled: none }, this.text("settings.publish")),
      this.button("settings.discard", () => this.#start(this.inForce), { disabled: none }),
      h("span", { class: "note" }, none ? this.text("settings.unchanged") : this.text("settings.changed", { names: names.join(", ") })),
    );
    if (focused) this.#bar.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Begin anew from a version. */
  #start(inForce) {
    this.found.inForce = this.#base = inForce;
    this.#draft = structuredClone(inForce.settings);
    this.#tried = null;
    this.render();
  }

  #try(event) {
    this.#unmark();
    const refused = (error) => this.#mark(error);
    this.act(event, async () => {
      this.#tried = await this.tell("POST", ["settings", "preview"], { settings: this.#draft });
      this.render();
      this.content.querySelector(".widget.tried").focus();
    }, { refused });
  }

  #publish(event, comment) {
    event.preventDefault();
    this.#unmark();
    const content = { settings: this.#draft, comment: comment.value };
    const refused = (error) => this.#mark(error) || this.#overtaken(error);
    this.act(event, () => this.become(this.tell("PUT", ["settings"], content, this.condition)), { done: "settings.published", refused });
  }

  /** A change holds for the version that was read, by its number: pages of other origins do not see an answer's ETag. */
  get condition() {
    return { "If-Match": `"${this.inForce.version}"` };
  }

  /** Show a version that has just been published, and the list with it. */
  async become(publishing) {
    this.#start(await publishing);
    await this.refresh();
  }

  /** Somebody else has published meanwhile: what was changed here can be put upon that version. */
  #overtaken(error) {
    if (error.status !== 412) return false;
    const keep = async () => {
      await this.refresh();
      this.tellUser("settings.kept", { n: this.say.number(this.inForce.version) });
    };
    this.warn(`${this.text("refused.outdated")} `, this.button("settings.keep", keep));
    return true;
  }

  /** Put each complaint of the app at its field, and go to the first; false when it is about no field. */
  #mark({ errors, status }) {
    if (status !== 400 || !errors.length) return false;
    const marked = errors.map(({ path, detail }) => this.#complain(path, detail));
    if (!marked[0]) return false;
    this.warn(this.text("settings.wrong"));
    marked[0].focus();
    return true;
  }

  /** A complaint about the document as a whole begins with the name of the part that it is about. */
  #complain(path, detail) {
    const steps = path.replace(/^\$\.settings\.?/, "").replace(/\[(\d+)\]/g, ".$1").replace(/\[\.*\]/g, "").split(".").filter(Boolean);
    const [last] = steps.slice(-1);
    while (steps.length > 0) {
      const field = this.content.querySelector(`[data-path="${CSS.escape(steps.join("."))}"]`);
      if (field) return this.#showWrong(field, field.matches("textarea") ? this.#line(field, last) : "", detail);
      steps.pop();
    }
    const field = this.content.querySelector(`[data-path="${CSS.escape(detail.split(" ")[0])}"]`);
    return field && this.#showWrong(field, "", detail);
  }

  /** A line of a list, by its place among those that are not empty. */
  #line(area, place) {
    const line = area.value.split("\n").map((one) => one.trim()).filter(Boolean)[place];
    return line ? h("bdi", {}, line, " · ") : "";
  }

  #showWrong(field, line, detail) {
    const id = `${field.dataset.path}-wrong`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-errormessage", id);
    field.closest("details").open = true;
    field.closest("[data-part]").append(h("strong", { class: "wrong", id }, `${this.text("refused.invalid")} `, line, h("bdi", { lang: "en", dir: "ltr" }, detail)));
    return field;
  }

  #unmark() {
    for (const one of this.content.querySelectorAll(".wrong")) one.remove();
    for (const one of this.content.querySelectorAll("[aria-invalid]")) {
      one.removeAttribute("aria-invalid");
      one.removeAttribute("aria-errormessage");
    }
  }

  /** Say how far the computing by the settings in force has come, until it is done or nobody looks any more. */
  #follow(progress) {
    clearTimeout(this.#timer);
    const { total, done, failed, finished } = progress;
    const { say } = this;
    const words = this.text("settings.computed", { done: say.number(done), total: say.number(total) });
    const wrong = failed > 0 && h("p", { class: "warn" }, this.text("settings.failed", { n: say.number(failed) }));
    const shown = finished ? h("p", { class: "note" }, this.text("settings.allComputed", { n: say.number(total) })) : [h("p", {}, words), progressBar(words, total ? done / total : 1, say)];
    this.#running.replaceChildren(...[shown, wrong].flat().filter(Boolean));
    if (!finished) this.#timer = setTimeout(() => this.#again(), FOLLOW_MS);
  }

  async #again() {
    if (!this.root.isConnected) return;
    const progress = await this.ask(["settings", "progress"]).catch(() => null);
    if (progress && this.root.isConnected) this.#follow(progress);
  }

  /** Weights as Dynamics 365 has them, by slider, into the draft. */
  #import() {
    const kinds = ["email", "meeting", "call", "task"];
    const inputs = kinds.map((kind) => h("input", { type: "number", min: -50, max: 50, step: 1, dir: "ltr", "data-focus": `import-${kind}`, value: 0 }));
    const take = (event) =>
      this.act(event, async () => {
        const sliders = Object.fromEntries(kinds.map((kind, n) => [kind, inputs[n].valueAsNumber || 0]));
        const { weights } = await this.tell("POST", ["settings", "weights", "import"], { sliders });
        this.#draft.weights = weights;
        this.render();
      }, { done: "import.done" });
    return h(
      "details",
      { "data-key": "import", class: "group" },
      h("summary", { "data-focus": "import" }, this.text("import.title")),
      h("p", { class: "note" }, this.text("import.text")),
      h("div", { class: "fields" }, kinds.map((kind, n) => h("label", { class: "field" }, `${this.text(`kind.${kind}`)} (%)`, inputs[n]))),
      h("div", { class: "controls" }, this.button("import.take", take)),
    );
  }
}
