/** Elements that ask for something of their own, page by page: what has been read stays, the next page is added to it. */

import { RecordElement } from "./element.js";
import { ask, onConfigure, Refusal } from "./source.js";

/**
 * Elements override `question()` (`{ segments, query }`), `joined(before, page)` and `nodesOf(answer)`; and `isNamed`, where they
 * ask about something else than a record.
 */
export class PagedElement extends RecordElement {
  #running = null;
  #queued = false;
  #ended = null;

  connectedCallback() {
    super.connectedCallback();
    this.#ended = onConfigure(() => this.refresh());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#ended();
    this.#running?.abort();
  }

  /** Whether the attributes say what to ask for. */
  get isNamed() {
    const { recordType, recordId } = this.record;
    return Boolean(recordType && recordId);
  }

  begin() {
    this.prepare();
    this.refresh();
  }

  // A new filter, another attribute and being put on the page often come together: one question for all of them.
  refresh() {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      if (this.isConnected && this.isNamed) this.#load();
    });
  }

  /** A button for the page after `found`; none after the last. */
  moreButton(found) {
    return found.nextPage && this.button(this.say.text("more"), () => this.#load(found), "more");
  }

  async #load(found = null) {
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    const { segments, query } = this.question();
    this.body.setAttribute("aria-busy", "true");
    if (!this.body.firstChild) this.show(this.stateNode("loading"));
    try {
      const page = await ask(this.record.baseUrl, segments, { ...query, page: found?.nextPage }, signal);
      if (!signal.aborted) this.show(...this.nodesOf(found ? this.joined(found, page) : page));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) console.error(error);
      this.show(this.stateNode(error.state ?? "unavailable", error.detail));
    }
    if (!signal.aborted) this.body.setAttribute("aria-busy", "false");
  }
}
