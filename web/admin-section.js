/** What the parts of the administrator's page share: reading, doing, and saying what became of it. */

import { h } from "./dom.js";
import { ask, Refusal, tell } from "./source.js";

const REFUSED = { 400: "invalid", 401: "signedOut", 403: "noAccess", 404: "notFound", 409: "conflict", 412: "outdated", 413: "tooLarge", 429: "tooMany" };

/**
 * One part of the page. `read()` gives what it shows, `nodes(found)` shows it. The line above the nodes tells what became of an
 * action and is never replaced, so that screen readers hear each change of it.
 */
export class Section {
  #round = 0;

  constructor(element) {
    this.element = element;
    this.found = null;
    this.notice = h("div", { class: "notice", role: "status" });
    this.content = h("div", {});
    this.root = h("div", {}, this.notice, this.content);
  }

  get say() {
    return this.element.say;
  }

  text(key, values) {
    return this.say.text(key, values);
  }

  ask(segments, query = {}) {
    return ask(this.element.record.baseUrl, segments, query);
  }

  tell(method, segments, content, headers, query) {
    return tell(this.element.record.baseUrl, method, segments, content, headers, query);
  }

  /** Read anew and show it; what was shown stays until then, and an answer to an earlier question is dropped. */
  async refresh() {
    const mine = ++this.#round;
    this.content.setAttribute("aria-busy", "true");
    if (!this.found) this.show(this.element.stateNode("loading"));
    try {
      const found = await this.read();
      if (mine !== this.#round) return;
      this.found = found;
      this.render();
    } catch (error) {
      if (mine !== this.#round) return;
      if (!(error instanceof Refusal)) console.error(error);
      this.show(h("div", { class: "state" }, h("p", { role: "status" }, this.#refusal(error)), this.button("retry", () => this.refresh())));
    }
    this.content.setAttribute("aria-busy", "false");
  }

  render() {
    if (this.found) this.show(...this.nodes(this.found));
  }

  /** Replace what is shown; opened parts, and the focus, stay where they are. */
  show(...nodes) {
    const open = new Set([...this.content.querySelectorAll("details[open]")].map((one) => one.dataset.key));
    const focused = this.element.shadowRoot.activeElement?.dataset.focus;
    this.content.replaceChildren(...nodes.flat().filter(Boolean));
    for (const one of this.content.querySelectorAll("details")) if (open.has(one.dataset.key)) one.open = true;
    if (focused && this.element.isConnected) this.content.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  /** A button by the key of its text; `more` attributes. */
  button(key, act, more = {}) {
    return this.element.button(this.text(key), act, more["data-focus"] ?? key, more);
  }

  /**
   * Do something that the app may refuse. While it is done `button` cannot be pressed again; `done` is the text that is said then.
   * Gives whether it was done; `refused(error)` may say a refusal in its own way, by answering true.
   */
  async act(event, work, { done = "", refused = () => false } = {}) {
    const button = event?.submitter ?? event?.currentTarget;
    if (button) button.disabled = true;
    this.tellUser("admin.working");
    try {
      await work();
      this.tellUser(done);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      if (!refused(error)) this.warn(this.#refusal(error));
      return false;
    } finally {
      if (button) button.disabled = false;
    }
  }

  /** Say something in the line above; an empty key clears it. */
  tellUser(key, values) {
    this.notice.className = "notice";
    this.notice.replaceChildren(...(key ? [h("p", {}, this.text(key, values))] : []));
  }

  /** Say that something went wrong: `words` are nodes or texts. */
  warn(...words) {
    this.notice.className = "notice warn";
    this.notice.replaceChildren(h("p", {}, words));
  }

  #refusal({ state, status, detail, errors = [] }) {
    const reason = state === "insecure" ? state : (REFUSED[status] ?? "unavailable");
    const told = [detail !== state && detail, ...errors.map((one) => one.detail)].filter(Boolean);
    return [this.text(`refused.${reason}`), [...new Set(told)].map((one) => h("bdi", { lang: "en", dir: "ltr" }, ` ${one}`))];
  }

  /**
   * Ask in a dialog before something that cannot be taken back: null, or `{ chosen }` when it was confirmed, of a box with the text
   * `option`. The safe answer has the focus.
   */
  confirm(title, text, yes, option = "") {
    return new Promise((decide) => {
      const box = h("input", { type: "checkbox" });
      const close = () => (dialog.remove(), decide(dialog.returnValue === "yes" ? { chosen: box.checked } : null));
      const dialog = h(
        "dialog",
        { "aria-labelledby": "dialog-title", onclose: close },
        h("h3", { id: "dialog-title" }, title),
        [text].flat().map((one) => h("p", {}, one)),
        option && h("p", {}, h("label", {}, box, option)),
        h(
          "form",
          { method: "dialog", class: "controls" },
          h("button", { value: "no", autofocus: true }, this.text("admin.cancel")),
          h("button", { value: "yes", class: "danger" }, yes),
        ),
      );
      this.root.append(dialog);
      dialog.showModal();
    });
  }
}

/** A table: `heads` are texts, `rows` lists of cells; the first cell of a row is its head, cells that are numbers stand at the end. */
export function table(caption, heads, rows, kind = "") {
  const isNumber = (number) => rows.some((row) => row[number]?.number !== undefined);
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 },
    h(
      "table",
      { class: kind },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, heads.map((head, number) => h("th", { scope: "col", class: isNumber(number) && "number" }, head)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell)))),
    ),
  );
}

function cell(content, place) {
  const isNumber = content?.number !== undefined;
  return h(place ? "td" : "th", { scope: !place && "row", class: isNumber && "number" }, isNumber ? content.number : content);
}

/** A cell of a table that holds a number. */
export const number = (text) => ({ number: text });

/** A text of the data's own, in its own direction. */
export const data = (text) => h("bdi", {}, text);

/** Words with what they stand for, `dl.figures`; pairs of term and value. */
export function facts(pairs) {
  return h("dl", { class: "figures" }, pairs.filter(Boolean).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

/** A titled part of a section. The caption of a table that says the title again is left to those who listen. */
export function part(kind, title, ...children) {
  const found = h("section", { class: `widget ${kind}`, "aria-labelledby": `part-${kind}` }, h("h3", { id: `part-${kind}` }, title), children);
  for (const caption of found.querySelectorAll("caption")) caption.classList.toggle("unseen", caption.textContent === title);
  return found;
}

/** How far something has come, for everybody: a bar that says its share. */
export function progressBar(label, share, say) {
  return h("div", { class: "progress" }, h("progress", { max: 1, value: share, "aria-label": label }), h("span", { class: "number" }, say.percent(share)));
}
