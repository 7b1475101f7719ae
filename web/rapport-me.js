/** The signed-in user's own page. Load this file: `<script type="module" src="https://<app>/api/web/rapport-me.js">`. */

import { h } from "./dom.js";
import { RecordElement } from "./element.js";
import { IntroductionsElement } from "./introductions.js";
import { learn } from "./language.js";
import { AccessesElement } from "./me-accesses.js";
import { ChoicesElement } from "./me-choices.js";
import { HeldElement } from "./me-held.js";
import { InboxElement } from "./me-inbox.js";
import { ME } from "./me-style.js";
import { TEXTS } from "./me-texts.js";

export { configure } from "./source.js";

/** `<rapport-me>`: what others ask of the user, the user's own choices, and what is held about the user. */
class MeElement extends RecordElement {
  static observedAttributes = ["base-url", "language"];
  #parts = ["rapport-inbox", "rapport-introductions", "rapport-choices", "rapport-accesses"].map((name) => document.createElement(name));
  #held = document.createElement("rapport-held");

  constructor() {
    super();
    this.shadowRoot.adoptedStyleSheets.push(ME);
  }

  begin() {
    const { say } = this;
    this.prepare();
    for (const part of [...this.#parts, this.#held]) this.#handOn(part);
    const show = (event) => event.target.replaceWith(this.#held);
    const held = this.#held.isConnected ? this.#held : this.button(say.text("held.show"), show, "held");
    const notice = h("details", { class: "privacy", "data-key": "privacy" }, h("summary", { "data-focus": "privacy" }, say.text("privacy.title")), h("p", {}, say.text("privacy.text")));
    this.show(h("h2", {}, say.text("me.title")), h("div", { class: "stack" }, this.#parts, held), notice);
  }

  #handOn(part) {
    for (const name of MeElement.observedAttributes) {
      if (this.hasAttribute(name)) part.setAttribute(name, this.getAttribute(name));
      else part.removeAttribute(name);
    }
  }
}

learn(TEXTS);
customElements.define("rapport-inbox", InboxElement);
customElements.define("rapport-introductions", IntroductionsElement);
customElements.define("rapport-choices", ChoicesElement);
customElements.define("rapport-accesses", AccessesElement);
customElements.define("rapport-held", HeldElement);
customElements.define("rapport-me", MeElement);
