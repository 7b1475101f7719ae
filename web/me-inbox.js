/** What colleagues ask of the user: introductions to accept, to decline, to tell that they have happened. */

import { h, section } from "./dom.js";
import { CHOICES_CHANGED, MyElement } from "./me-part.js";
import { personName } from "./people.js";
import { ask } from "./source.js";

const MOVES = { requested: ["accepted", "declined"], accepted: ["done"] };

/** `<rapport-inbox>`: requests to the user as introducer, newest first. Only the user sees how they ended. */
export class InboxElement extends MyElement {
  question() {
    return { segments: ["introductions"], query: { role: "introducer" } };
  }

  nodesOf({ requests, outcomes }) {
    const { say } = this;
    const title = say.text("inbox.title");
    if (requests.length === 0) return [section("inbox", title, h("p", {}, say.text("inbox.none")))];
    const ended = Object.entries(outcomes).filter(([, number]) => number > 0).map(([state, number]) => `${say.text(`request.${state}`)} ${say.number(number)}`);
    return [section("inbox", title, h("p", { class: "note" }, ended.join(" · ")), h("ul", { class: "known" }, requests.map((one) => this.#request(one))))];
  }

  #request({ id, state, asker, target, record, createdAt, requestedAt, expiresAt, proposal }) {
    const { say } = this;
    const move = (to) => this.button(say.text(`answer.${to}`), () => this.#act(["introductions", id, "state"], { state: to }), `${to}-${id}`);
    const until = state === "requested" && expiresAt && say.text("inbox.until", { at: say.date(expiresAt) });
    const notes = [say.text(`request.${state}`), say.date(requestedAt ?? createdAt), until].filter(Boolean);
    const never = () => this.#act(["me", "choices"], null, target.id);
    return h(
      "li",
      {},
      h("div", {}, h("strong", {}, personName(asker, say)), ` ${say.text("inbox.asks")} `, h("strong", {}, personName(target, say))),
      record && h("div", { class: "note" }, this.recordLink(record.id, record.name)),
      h("div", { class: "note" }, notes.join(" · ")),
      proposal === "done" && h("p", { class: "note" }, say.text("inbox.seen")),
      h("div", { class: "controls" }, (MOVES[state] ?? []).map(move), state in MOVES && this.button(say.text("inbox.never"), never, `never-${id}`)),
    );
  }

  /** Answer a request; or, with a target, choose not to be asked for it any more. */
  async #act(segments, content, target) {
    for (const one of this.body.querySelectorAll("button")) one.disabled = true;
    const wanted = target ? await this.#without(target) : content;
    const done = wanted && (await this.tried("PUT", segments, wanted));
    for (const one of this.body.querySelectorAll("button")) one.disabled = false;
    if (!done) return;
    if (target) document.dispatchEvent(new CustomEvent(CHOICES_CHANGED));
    if (target) this.body.append(h("p", { role: "status" }, this.say.text("inbox.chosen")));
    else this.refresh();
  }

  async #without(target) {
    const choices = await ask(this.record.baseUrl, ["me", "choices"], {}).catch(() => null);
    return choices && { ...choices, doNotAskFor: [...new Set([...choices.doNotAskFor, target])] };
  }
}
