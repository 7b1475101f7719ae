/** Introductions: the mail as it would be sent, sending it or taking it along, and one's own requests. */

import { h, section } from "./dom.js";
import { PagedElement } from "./paged.js";
import { nameOf, personName } from "./people.js";
import { Refusal, ask, tell } from "./source.js";

const ASKABLE = /^(contact|lead):|@/;
const OPEN = new Set(["requested", "accepted"]);

/** What stands beside a colleague: a button that opens the mail, else why nobody may ask now; nothing where nobody can be met. */
export function introductionPart({ person, introduction, knows }, say, element) {
  const { recordType, recordId } = element.record;
  const record = `${recordType}:${recordId}`;
  const target = knows?.id ?? element.target;
  if (!ASKABLE.test(target)) return null;
  if (!introduction.possible) return whyNot(introduction, say);
  const wanted = { introducer: person.id, target, record: element.target === record && target !== record ? record : "", language: say.tag };
  const place = h("div", { class: "ask" });
  const begin = () => new Asking(place, wanted, say, element).preview();
  place.append(element.button(say.text("ask.button"), begin, `ask-${person.id}`));
  return place;
}

function whyNot({ reason, freeFrom }, say) {
  if (!reason) return null;
  const until = freeFrom && say.text("ask.freeFrom", { at: say.date(freeFrom) });
  return h("p", { class: "note" }, [say.text(`whyNot.${reason}`), until].filter(Boolean).join(" "));
}

/** One wish, from the preview to the request. What is sent is kept under an id first, so that nothing is sent twice. */
class Asking {
  constructor(place, wanted, say, element) {
    Object.assign(this, { place, wanted, say, element });
  }

  preview = () =>
    this.#try(async () => {
      const reason = this.place.querySelector("textarea")?.value ?? "";
      this.wanted = { ...this.wanted, reason };
      const mail = await this.#tell("POST", ["preview"], this.wanted);
      const { say } = this;
      const text = h("textarea", { rows: 2, maxlength: 500, "data-focus": "reason" });
      text.value = reason;
      this.#show(
        h("p", { class: "note" }, `${say.text("ask.to")}: `, h("bdi", {}, mail.to)),
        h("p", {}, h("strong", {}, h("bdi", {}, mail.subject))),
        h("p", { class: "mail", dir: "auto" }, mail.body),
        h("label", {}, say.text("ask.reason"), text),
        this.#button("ask.preview", this.preview),
        mail.canSend ? this.#button("ask.send", this.#send) : this.#button("ask.prepare", this.#prepare),
      );
    });

  #send = () => this.#try(async () => this.#told(await this.#tell("POST", [await this.#kept(), "send"])));

  /** Where the app may not send: the mail as a link for the asker's own program; then the asker says that it went. */
  #prepare = () =>
    this.#try(async () => {
      const id = await this.#kept();
      const mail = await ask(this.element.record.baseUrl, ["introductions", id, "mail"], {});
      const sent = () => this.#try(async () => this.#told(await this.#tell("PUT", [id, "state"], { state: "requested" })));
      const link = mail.mailto.startsWith("mailto:") && h("a", { href: mail.mailto }, this.say.text("ask.open"));
      this.#show(h("p", {}, link), this.#button("ask.sent", sent));
    });

  async #kept() {
    const reason = this.place.querySelector("textarea")?.value ?? this.wanted.reason;
    this.id ??= crypto.randomUUID();
    await this.#tell("PUT", [this.id], { ...this.wanted, reason });
    return this.id;
  }

  #tell(method, segments, content) {
    return tell(this.element.record.baseUrl, method, ["introductions", ...segments], content);
  }

  #told({ state }) {
    this.#show(h("p", { role: "status" }, this.say.text(`request.${state}`)));
    this.element.dispatchEvent(new CustomEvent("rapport-introduction", { detail: { state }, bubbles: true, composed: true }));
  }

  #button(key, act) {
    return this.element.button(this.say.text(key), act, key);
  }

  #show(...nodes) {
    this.place.replaceChildren(...nodes);
  }

  async #try(work) {
    for (const one of this.place.querySelectorAll("button")) one.disabled = true;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      const words = h("p", { role: "alert", class: "warn" }, this.say.text("ask.refused"), h("bdi", { lang: "en" }, ` ${error.detail ?? ""}`));
      this.#show(words, this.#button("retry", this.preview));
    }
  }
}

/** `<rapport-introductions>`: the signed-in user's own requests, newest first, with what can be done about them. */
export class IntroductionsElement extends PagedElement {
  get isNamed() {
    return true;
  }

  question() {
    return { segments: ["introductions"], query: { role: "asker" } };
  }

  nodesOf({ requests }) {
    const { say } = this;
    const title = say.text("introductions.title");
    if (requests.length === 0) return [section("introductions", title, h("p", {}, say.text("introductions.none")))];
    return [section("introductions", title, h("ul", { class: "known" }, requests.map((one) => this.#request(one))))];
  }

  #request({ id, state, introducer, target, createdAt, proposal }) {
    const { say } = this;
    const to = (next) => this.button(say.text(`move.${next}`), () => this.#move(id, next), `${next}-${id}`);
    const moves = [OPEN.has(state) && to("cancelled"), proposal === "done" && to("done"), state === "unclear" && [to("requested"), to("draft")]];
    return h(
      "li",
      {},
      h("div", {}, h("strong", {}, personName(target, say)), ` · ${say.text("introductions.by", { name: nameOf(introducer, say) })}`),
      h("div", { class: "note" }, `${say.text(`request.${state}`)} · ${say.date(createdAt)}`),
      moves,
    );
  }

  async #move(id, state) {
    try {
      await tell(this.record.baseUrl, "PUT", ["introductions", id, "state"], { state });
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
    }
    this.refresh();
  }
}
