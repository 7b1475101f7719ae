/** What the user chooses about being named and asked, and leaving the product altogether. */

import { figure, h, section } from "./dom.js";
import { CHOICES_CHANGED, MyElement } from "./me-part.js";
import { ask } from "./source.js";

/** `<rapport-choices>`: each change is in force when the app has answered. */
export class ChoicesElement extends MyElement {
  #choices = null;
  #leaving = false;

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener(CHOICES_CHANGED, this.#changed);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener(CHOICES_CHANGED, this.#changed);
  }

  question() {
    return { segments: ["me", "choices"], query: {} };
  }

  nodesOf(choices) {
    this.#choices = choices;
    const { say } = this;
    const title = say.text("choices.title");
    if (choices.optOut) return [section("choices", title, this.#gone())];
    return [section("choices", title, ["hideName", "doNotAsk"].map((key) => this.#box(key)), this.#targets(choices.doNotAskFor), this.#leave())];
  }

  #box(key) {
    const change = (event) => this.#choose({ [key]: event.target.checked });
    const note = `note-${key}`;
    return h("div", {}, h("label", {}, h("input", { type: "checkbox", checked: this.#choices[key], "aria-describedby": note, "data-focus": key, onchange: change }),
      ` ${this.say.text(`choice.${key}`)}`), h("p", { class: "note", id: note }, this.say.text(`choiceNote.${key}`)));
  }

  #targets(targets) {
    const { say } = this;
    const without = (target) => this.#choose({ doNotAskFor: targets.filter((one) => one !== target) });
    const remove = (target) => this.button(say.text("choices.remove"), () => without(target), `remove-${target}`, { "aria-label": say.text("choices.removeOne", { target }) });
    const add = (event) => {
      event.preventDefault();
      const wanted = event.target.elements[0].value.trim();
      if (wanted) this.#choose({ doNotAskFor: [...targets, wanted] });
    };
    return h("div", {}, h("h4", {}, say.text("choice.doNotAskFor")),
      targets.length > 0 && h("ul", { class: "targets" }, targets.map((target) => h("li", {}, this.#named(target), " ", remove(target)))),
      h("form", { class: "controls", autocomplete: "off", onsubmit: add }, h("label", {}, `${say.text("choices.target")} `, h("input", { "data-focus": "target", dir: "ltr", maxlength: 320 })),
        h("button", { "data-focus": "add" }, say.text("choices.add"))));
  }

  #named(target) {
    return this.say.has(`recordType.${target.split(":")[0]}`) ? this.recordLink(target) : h("bdi", {}, target);
  }

  #leave() {
    const { say } = this;
    const turn = (leaving) => {
      this.#leaving = leaving;
      this.show(...this.nodesOf(this.#choices));
      this.body.querySelector(leaving ? "[data-focus=leave-yes]" : "[data-focus=leave]").focus();
    };
    const heading = h("h4", {}, say.text("leave.title"));
    if (!this.#leaving) return h("div", {}, heading, h("p", { class: "note" }, say.text("leave.note")), this.button(say.text("leave.begin"), () => turn(true), "leave"));
    const leave = () => {
      this.#leaving = false;
      this.#choose({ optOut: true });
    };
    return h("div", { role: "group", "aria-label": say.text("leave.title") }, heading, h("p", { class: "alarm", role: "alert" }, say.text("leave.sure")),
      this.button(say.text("leave.yes"), leave, "leave-yes"), " ", this.button(say.text("leave.no"), () => turn(false), "leave-no"));
  }

  /** After opting out: how far the erasure has come, and the way back. */
  #gone() {
    const { say } = this;
    const place = h("div", {}, h("p", { role: "status" }, say.text("state.loading")));
    this.#receipt(place);
    return [h("p", {}, say.text("leave.gone")), place, this.button(say.text("leave.again"), () => this.refresh(), "again"), " ",
      this.button(say.text("leave.back"), () => this.#choose({ optOut: false }), "back")];
  }

  async #receipt(place) {
    const { say } = this;
    try {
      const { status, optedOutAt, completedAt, counts, id, signature } = await ask(this.record.baseUrl, ["me", "opt-out"], {});
      const told = Object.entries(counts).map(([key, number]) => figure(say.has(`erased.${key}`) ? say.text(`erased.${key}`) : key, say.number(number)));
      place.replaceChildren(
        h("p", { role: "status", class: status === "FAILED" ? "alarm" : null }, say.text(`receipt.${status}`)),
        h("dl", { class: "figures" }, figure(say.text("receipt.since"), say.dateTime(optedOutAt)), completedAt && figure(say.text("receipt.done"), say.dateTime(completedAt)), told),
        h("details", { "data-key": "receipt" }, h("summary", { "data-focus": "receipt" }, say.text("receipt.title")), h("p", { dir: "ltr", class: "mail" }, `${id}\n${signature}`)),
      );
    } catch {
      place.replaceChildren(h("p", { role: "status" }, say.text("state.unavailable")));
    }
  }

  async #choose(change) {
    const focused = this.shadowRoot.activeElement?.dataset.focus;
    for (const one of this.body.querySelectorAll("input, button")) one.disabled = true;
    const before = this.#choices;
    const chosen = await this.tried("PUT", ["me", "choices"], { ...before, ...change });
    const said = chosen ? h("p", { role: "status", class: "note" }, this.say.text("choices.saved")) : this.body.querySelector("[role=alert]");
    this.show(...[...this.nodesOf(chosen ?? before), said].filter(Boolean));
    if (focused) this.body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  #changed = () => this.refresh();
}
