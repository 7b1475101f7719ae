/** What all elements share: attributes, the answer of their record, states in words, the stamp beside the numbers. */

import { h } from "./dom.js";
import { languageOf } from "./language.js";
import { activityNames, sourceOf } from "./source.js";
import { SHEET } from "./style.js";

const MINUTE_MS = 60_000;
// Served by the app itself at /api/web/, the script knows where the app is.
const HOME = import.meta.url.includes("/api/web/") ? import.meta.url.split("/api/web/")[0] : "";
const MAY_TRY_AGAIN = new Set(["unavailable", "signedOut"]);

/** Base of the elements. Attributes: record-type, record-id, base-url, language, as-of (RFC 3339), theme (light, dark, auto). */
export class RecordElement extends HTMLElement {
  static observedAttributes = ["record-type", "record-id", "base-url", "language", "as-of"];
  #leave = null;
  #pending = false;
  #clock = 0;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [SHEET];
    this.body = h("div", { class: "body" });
    this.shadowRoot.append(this.body);
  }

  connectedCallback() {
    this.#clock = setInterval(() => this.#minute(), MINUTE_MS);
    document.addEventListener("visibilitychange", this.#onReturn);
    this.#renew();
  }

  disconnectedCallback() {
    clearInterval(this.#clock);
    document.removeEventListener("visibilitychange", this.#onReturn);
    this.#leave?.();
    this.#leave = null;
  }

  attributeChangedCallback() {
    this.#renew();
  }

  /** The record and the question that the attributes name. */
  get record() {
    return {
      baseUrl: this.getAttribute("base-url") ?? HOME,
      recordType: (this.getAttribute("record-type") ?? "").trim().toLowerCase(),
      recordId: (this.getAttribute("record-id") ?? "").trim(),
      language: this.say.tag,
      asOf: this.getAttribute("as-of") ?? "",
    };
  }

  get say() {
    return languageOf(this.getAttribute("language"));
  }

  /** Ask the app again now. */
  refresh() {
    if (this.#leave) sourceOf(this.record).load();
  }

  // Attributes are often set one by one: only the last of them leads to a question.
  #renew() {
    if (this.#pending) return;
    this.#pending = true;
    queueMicrotask(() => {
      this.#pending = false;
      this.#leave?.();
      this.#leave = null;
      if (this.isConnected) this.begin();
    });
  }

  /** Follow the record; overridden by elements that ask for something else. */
  begin() {
    const { recordType, recordId } = this.record;
    this.prepare();
    if (!recordType || !recordId) return this.show(this.stateNode("loading"));
    const following = sourceOf(this.record).subscribe((source) => this.#changed(source));
    this.#leave = following;
  }

  prepare() {
    this.body.lang = this.say.tag;
    this.body.dir = this.say.direction;
  }

  #changed({ state, answer, detail }) {
    this.body.setAttribute("aria-busy", String(state === "loading"));
    const nodes = state === "ready" ? this.nodesOf(answer) : [this.stateNode(state, detail)];
    this.show(...nodes);
    this.dispatchEvent(new CustomEvent("rapport-state", { detail: { state, answer }, bubbles: true, composed: true }));
  }

  /** The nodes for an answer; elements override `view`. */
  nodesOf(answer) {
    const shown = this.view(answer, this.say) ?? this.stateNode("none");
    return [shown, this.envelope(answer)];
  }

  /** Replace what is shown; parts that the reader has opened, and the focus, stay where they are. */
  show(...nodes) {
    const open = new Set([...this.body.querySelectorAll("details[open]")].map((one) => one.dataset.key));
    const focused = this.shadowRoot.activeElement?.dataset.focus;
    this.body.replaceChildren(...nodes);
    for (const one of this.body.querySelectorAll("details")) if (open.has(one.dataset.key)) one.open = true;
    if (focused) this.body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    this.nameActivities();
  }

  /** Put the names of activities where the form gives them; the app itself stores none. */
  async nameActivities() {
    const places = [...this.body.querySelectorAll("[data-activity]")];
    const names = await activityNames([...new Set(places.map((place) => place.dataset.activity))]);
    for (const place of places) place.textContent = names[place.dataset.activity] ?? "";
  }

  stateNode(state, detail = "") {
    const words = this.stateText(state);
    const again = MAY_TRY_AGAIN.has(state) && this.button(this.say.text("retry"), () => this.refresh(), "retry");
    const told = state === "invalid" && detail ? h("bdi", { lang: "en" }, ` ${detail}`) : null;
    return h("div", { class: `state ${state}`, role: "status" }, h("p", {}, words, told), again);
  }

  stateText(state) {
    return this.say.text(`state.${state}`);
  }

  button(text, act, focus, more = {}) {
    return h("button", { type: "button", "data-focus": focus, onclick: act, ...more }, text);
  }

  /** Ask whoever shows activities (the element itself, else the page) for those of a day, a person or a reason. */
  showActivities(filter) {
    const detail = { ...this.record, filter };
    this.dispatchEvent(new CustomEvent("rapport-show-activities", { detail, bubbles: true, composed: true }));
  }

  /** Tell the form that the user wants to see another record (`opportunity:<id>`). */
  openRecord(record) {
    const [recordType, recordId] = record.split(":");
    this.dispatchEvent(new CustomEvent("rapport-open-record", { detail: { recordType, recordId }, bubbles: true, composed: true }));
  }

  /** When this was computed, for which instant, from which stretch of data, and with which reservations. */
  envelope(answer) {
    const { say } = this;
    return this.stamp(answer, [
      this.hasAttribute("as-of") && say.text("envelope.asOf", { at: say.dateTime(answer.asOf) }),
      answer.completeFrom && say.text("envelope.completeFrom", { at: say.dateTime(answer.completeFrom) }),
      answer.completeUpTo && say.text("envelope.completeUpTo", { at: say.dateTime(answer.completeUpTo) }),
      say.text("envelope.window", { at: say.date(answer.windowFrom) }),
    ]);
  }

  /** The part of the envelope that every answer has, and `further` texts. */
  stamp(answer, further = []) {
    const { say } = this;
    const computed = h("span", { "data-computed": answer.computedAt, title: say.dateTime(answer.computedAt) }, this.#age(answer));
    const version = say.text("envelope.params", { n: say.number(answer.paramsVersion) });
    const parts = [computed, ...further, version].filter(Boolean);
    const flags = answer.flags.map((flag) => h("li", { class: `flag ${flag}` }, this.flagText(flag)));
    return h(
      "footer",
      { class: "envelope" },
      h("p", {}, parts.flatMap((part, number) => (number ? [" · ", part] : [part]))),
      flags.length > 0 && h("ul", { class: "flags" }, flags),
    );
  }

  flagText(flag) {
    return this.say.has(`flag.${flag}`) ? this.say.text(`flag.${flag}`) : flag;
  }

  #age({ computedAt }) {
    return this.say.text("envelope.computed", { when: this.say.relative(computedAt) });
  }

  #minute() {
    for (const place of this.body.querySelectorAll("[data-computed]")) {
      place.textContent = this.#age({ computedAt: place.dataset.computed });
    }
  }

  #onReturn = () => {
    const isOld = this.#leave && Date.now() - sourceOf(this.record).loadedAt > MINUTE_MS;
    if (document.visibilityState === "visible" && isOld) this.refresh();
  };
}

/** An element class for one view `(answer, say, element) => node`; no node = the record has no such figures. */
export function elementOf(view) {
  return class extends RecordElement {
    view(answer, say) {
      return view(answer, say, this);
    }
  };
}
