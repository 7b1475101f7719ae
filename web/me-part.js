/** What the parts of the user's own page share: they ask about the caller, and say so when the CRM does not know the caller. */

import { h } from "./dom.js";
import { ME } from "./me-style.js";
import { PagedElement } from "./paged.js";
import { Refusal, tell } from "./source.js";

/** Sent over `document` when the user's choices have changed elsewhere on the page. */
export const CHOICES_CHANGED = "rapport-choices-changed";

export class MyElement extends PagedElement {
  static observedAttributes = ["base-url", "language"];

  constructor() {
    super();
    this.shadowRoot.adoptedStyleSheets.push(ME);
  }

  get isNamed() {
    return true;
  }

  stateText(state) {
    return state === "noAccess" ? this.say.text("me.noUser") : super.stateText(state);
  }

  /** Tell the app something and give its answer; a refusal is said in the element, and then there is none. */
  async tried(method, segments, content) {
    try {
      return await tell(this.record.baseUrl, method, segments, content);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      this.body.append(h("p", { role: "alert", class: "warn" }, this.say.text("ask.refused"), h("bdi", { lang: "en" }, ` ${error.detail ?? ""}`)));
      return null;
    }
  }

  /** A button that opens the record, for an id such as `contact:5e2c`; other ids are shown as what they are. */
  recordLink(id, name = "") {
    const kind = id.split(":")[0];
    const isRecord = this.say.has(`recordType.${kind}`);
    if (!isRecord) return h("bdi", {}, name || this.say.text(this.say.has(`anchor.${kind}`) ? `anchor.${kind}` : "anchor.other"));
    return this.button([this.say.text(`recordType.${kind}`), name && [": ", h("bdi", {}, name)]], () => this.openRecord(id), null, { class: "link" });
  }
}

/** A table that may be wider than its place. */
export function wide(title, heads, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": title },
    h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, rows)));
}
