/** The mail by which an introduction is asked for: its words in each language, as the organisation wants them. */

import { h } from "./dom.js";
import { Refusal } from "./source.js";
import { LANGUAGES } from "./texts.js";

/** A part of the settings that is read when it is opened; what has been typed stays until it is saved. */
export class Template {
  #typed = {}; // by language

  constructor(section) {
    this.section = section;
  }

  nodes() {
    const { section } = this;
    const { say } = section;
    this.language ??= say.base;
    this.place = h("div", {});
    const named = new Intl.DisplayNames(say.locale, { type: "language" });
    const options = LANGUAGES.map((one) => h("option", { value: one, selected: one === this.language }, named.of(one)));
    const choose = ({ target }) => ((this.language = target.value), this.#show());
    return h(
      "details",
      { "data-key": "template", class: "group stack", ontoggle: ({ target }) => target.open && this.#show() },
      h("summary", { "data-focus": "template" }, section.text("template.title")),
      h("p", { class: "note" }, section.text("template.text")),
      h("label", {}, `${section.text("template.language")} `, h("select", { "data-focus": "template-language", onchange: choose }, options)),
      this.place,
    );
  }

  /** Quietly: what stands in the line above belongs to what the reader has done. */
  async #show() {
    const { section, language, place } = this;
    try {
      this.#typed[language] ??= await section.ask(["introductions", "template", language]);
      if (language === this.language) place.replaceChildren(this.#form(language, this.#typed[language]));
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      place.replaceChildren(section.element.stateNode("unavailable"));
    }
  }

  #form(language, draft) {
    const { section } = this;
    const typed = (name) => ({ dir: "auto", lang: language, "data-focus": `template-${name}`, oninput: ({ target }) => (draft[name] = target.value) });
    const subject = h("input", { type: "text", maxlength: 200, value: draft.subject, ...typed("subject") });
    const body = h("textarea", { rows: 12, maxlength: 4000, ...typed("body") });
    body.value = draft.body;
    const save = (event) =>
      section.act(event, async () => {
        this.#typed[language] = await section.tell("PUT", ["introductions", "template", language], draft);
        this.#show();
      }, { done: "template.saved" });
    return h(
      "div",
      { class: "stack" },
      h("label", {}, section.text("template.subject"), subject),
      h("label", {}, section.text("template.body"), body),
      h("div", { class: "controls" }, section.button("template.save", save), section.button("template.again", () => (delete this.#typed[language], this.#show()))),
    );
  }
}
