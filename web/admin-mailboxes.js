/** Whose mailboxes are read: choosing, previewing, enabling, Microsoft's consent page, switching off. */

import { consentWindow, sentByHand } from "./admin-consent.js";
import { h } from "./dom.js";
import { data, facts, part, Section, table } from "./admin-section.js";

const CAN_BE_SWITCHED_OFF = ["BACKFILL", "LIVE"];
const ENABLES = ["DISABLED", "AUTO_OFF"];
const STOPPED = ["DISABLED", "CRM_ONLY"];
const listed = (items, shown) => items.map((one, number) => [number > 0 && ", ", shown(one)]);
const lines = (text) => text.split("\n").map((one) => one.trim()).filter(Boolean);

export class MailboxesSection extends Section {
  #choice = null;
  #preview = null;

  async read() {
    const asked = [this.ask(["settings", "status"], { language: this.say.tag }), this.ask(["consent", "roles"]), this.ask(["consent", "erasures"]), this.ask(["settings"])];
    const [status, { roles }, { receipts }, { settings }] = await Promise.all(asked);
    return { status, roles, receipts, keepDays: settings.exchangeKeepDays };
  }

  nodes({ status, roles, receipts, keepDays }) {
    this.#choice ??= { roles: status.roles, groups: status.groups, includeInactive: status.includeInactive };
    return [this.#scope(status, roles), this.#previewed(), this.#consent(status), this.#end(status, keepDays), this.#erasures(receipts)];
  }

  #scope(status, roles) {
    const isNew = ENABLES.includes(status.state);
    const inactive = h("input", { type: "checkbox", "data-focus": "inactive", checked: this.#choice.includeInactive, onchange: ({ target }) => (this.#choice.includeInactive = target.checked) });
    return part(
      "scope",
      this.text("mailboxes.whose"),
      h("p", {}, this.text("consent.now"), " ", h("strong", {}, this.text(`consent.${status.state}`))),
      h("p", { class: "note" }, this.text("mailboxes.whoseNote")),
      h(
        "form",
        { class: "stack", onsubmit: (event) => this.#enable(event) },
        this.#roles(roles),
        this.#groups(),
        h("label", {}, inactive, this.text("mailboxes.inactive")),
        h(
          "div",
          { class: "controls" },
          this.button("mailboxes.preview", (event) => this.#show(event)),
          h("button", { class: "primary", "data-focus": "enable" }, this.text(isNew ? "mailboxes.enable" : "mailboxes.change")),
        ),
      ),
    );
  }

  /** Roles that the CRM has told of, and those that were chosen though it does not know them (any more). */
  #roles(known) {
    const strangers = this.#choice.roles.filter((role) => !known.some(({ role: name, ids }) => name === role || ids.includes(role)));
    const box = (role, ids, note) => {
      const isChosen = this.#choice.roles.some((one) => one === role || ids.includes(one));
      const onchange = ({ target }) => {
        const others = this.#choice.roles.filter((one) => one !== role && !ids.includes(one));
        this.#choice.roles = target.checked ? [...others, role] : others;
      };
      return h("label", {}, h("input", { type: "checkbox", "data-focus": `role-${role}`, checked: isChosen, onchange }), data(role), h("small", {}, note));
    };
    const counted = ({ role, ids, users, inactiveUsers }) =>
      box(role, ids, this.text(inactiveUsers ? "mailboxes.usersAndInactive" : "mailboxes.users", { n: this.say.number(users), inactive: this.say.number(inactiveUsers) }));
    const boxes = [...known.map(counted), ...strangers.map((role) => box(role, [], this.text("mailboxes.unknownRole")))];
    return h(
      "fieldset",
      { class: "field" },
      h("legend", {}, this.text("mailboxes.roles")),
      boxes.length ? h("div", { class: "columns" }, boxes) : h("p", { class: "note" }, this.text("mailboxes.noRoles")),
    );
  }

  #groups() {
    const area = h("textarea", { rows: 2, "data-focus": "groups", dir: "ltr", spellcheck: "false", oninput: ({ target }) => (this.#choice.groups = lines(target.value)) });
    area.value = this.#choice.groups.join("\n");
    return h("label", { class: "field" }, this.text("mailboxes.groups"), area, h("small", {}, this.text("admin.onePerLine")));
  }

  #show(event) {
    this.act(event, async () => {
      this.#preview = await this.tell("POST", ["consent", "preview"], this.#choice);
      this.render();
    });
  }

  async #enable(event) {
    event.preventDefault();
    await this.act(event, async () => this.#become(await this.tell("POST", ["consent", "enable"], this.#choice)), { done: "mailboxes.saved" });
  }

  #become(status) {
    this.found = { ...this.found, status };
    this.#choice = null;
    this.render();
  }

  #previewed() {
    if (!this.#preview) return null;
    const { mailboxes, source, groupsListed, emptyRoles, volume, messageFields, eventFields, daysBack, limitedBy } = this.#preview;
    const { say } = this;
    const assumed = { messages: say.number(volume.messagesPerDay), events: say.number(volume.eventsPerDay) };
    const rows = mailboxes.map(({ address, name }) => [data(name || address), data(address)]);
    const title = this.text("preview.mailboxes", { n: say.number(mailboxes.length) });
    return part(
      "preview",
      this.text("preview.title"),
      facts([
        [this.text("preview.number"), say.number(mailboxes.length)],
        [this.text("preview.messages"), this.text("preview.about", { n: say.number(volume.messages) })],
        [this.text("preview.events"), this.text("preview.about", { n: say.number(volume.events) })],
        [this.text("preview.requests"), this.text("preview.about", { n: say.number(volume.requests) })],
        [this.text("preview.back"), say.amount(daysBack, "day")],
        [this.text("preview.limitedBy"), this.text(`limitedBy.${limitedBy}`)],
      ]),
      h("p", { class: "note" }, this.text("preview.assumed", assumed)),
      source === "crm" && h("p", {}, this.text("preview.ofCrm")),
      !groupsListed && h("p", {}, this.text("preview.noGroups")),
      emptyRoles.length > 0 && h("p", { class: "warn" }, `${this.text("preview.emptyRoles")} `, listed(emptyRoles, data)),
      rows.length === 0 ? h("p", { class: "warn" }, this.text("preview.nobody")) : h("details", { "data-key": "previewed", open: rows.length <= 20 }, h("summary", { "data-focus": "previewed" }, title), table(title, [this.text("preview.name"), this.text("mailbox.address")], rows)),
      this.#fields("preview.messageFields", messageFields),
      this.#fields("preview.eventFields", eventFields),
      h("p", { class: "note" }, this.text("preview.never")),
    );
  }

  #fields(key, names) {
    return h("p", {}, `${this.text(key)}: `, listed(names, (name) => h("code", { dir: "ltr" }, name)));
  }

  #consent({ state }) {
    if (ENABLES.includes(state)) return null;
    const area = h("textarea", { rows: 3, "data-focus": "answer", dir: "ltr", spellcheck: "false" });
    const returned = (answer) => this.#returned(answer);
    return part(
      "give",
      this.text("give.title"),
      h("p", {}, this.text("give.text")),
      h(
        "div",
        { class: "controls" },
        this.button("give.open", (event) => consentWindow(this, event, returned)),
        this.button("give.reconcile", (event) => this.act(event, async () => this.#become(await this.tell("POST", ["consent", "reconcile"])), { done: "give.reconciled" })),
      ),
      h(
        "details",
        { "data-key": "by-hand", class: "stack" },
        h("summary", { "data-focus": "by-hand" }, this.text("give.byHand")),
        h("label", {}, this.text("give.answer"), area),
        this.button("give.send", (event) => this.act(event, () => returned(sentByHand(area.value)), { done: "give.taken" })),
      ),
    );
  }

  async #returned(answer) {
    this.#become(await this.tell("POST", ["consent", "returned"], answer));
  }

  #end({ state, mailboxes }, keepDays) {
    const isHeld = mailboxes.held > 0 && STOPPED.includes(state);
    if (state === "DISABLED" && !isHeld) return null;
    const turn = (on) => this.button(on ? "end.on" : "end.off", (event) => this.#turn(event, on, keepDays), on ? {} : { class: "danger" });
    return part(
      "end",
      this.text("end.title"),
      h("p", {}, this.text("end.text")),
      h(
        "div",
        { class: "controls" },
        CAN_BE_SWITCHED_OFF.includes(state) && turn(false),
        state === "CRM_ONLY" && turn(true),
        state !== "DISABLED" && this.button("end.disable", (event) => this.#disable(event, keepDays), { class: "danger" }),
        isHeld && this.button("end.eraseNow", (event) => this.#eraseNow(event, state), { class: "danger" }),
      ),
    );
  }

  /** What ending means, and whether to wait with the erasure as long as the settings grant. */
  #asked(key, keepDays) {
    const later = this.text("end.erased", { days: this.say.amount(keepDays, "day") });
    return this.confirm(this.text(key), [this.text(`${key}.text`), later], this.text(key), this.text("end.atOnce"));
  }

  async #turn(event, on, keepDays) {
    const asked = on ? { chosen: false } : await this.#asked("end.off", keepDays);
    if (asked) this.#stop(event, ["switch"], { on, eraseNow: asked.chosen }, {}, on ? "end.isOn" : "end.isOff");
  }

  async #disable(event, keepDays) {
    const asked = await this.#asked("end.disable", keepDays);
    if (asked) this.#stop(event, ["disable"], undefined, { eraseNow: asked.chosen && "true" }, "end.isDisabled");
  }

  async #eraseNow(event, state) {
    if (!(await this.confirm(this.text("end.eraseNow"), this.text("end.eraseNowText"), this.text("end.eraseNow")))) return;
    if (state === "CRM_ONLY") this.#stop(event, ["switch"], { on: false, eraseNow: true }, {}, "end.isErasing");
    else this.#stop(event, ["disable"], undefined, { eraseNow: "true" }, "end.isErasing");
  }

  #stop(event, route, content, query, done) {
    this.act(event, async () => {
      await this.tell("POST", ["consent", ...route], content, {}, query);
      this.#choice = null;
      await this.refresh();
    }, { done });
  }

  #erasures(receipts) {
    if (receipts.length === 0) return null;
    const { say } = this;
    const heads = ["stoppedAt", "why", "state", "completedAt", "gone"].map((name) => this.text(`exchangeErasure.${name}`));
    const rows = receipts.map((one) => {
      const counts = Object.entries(one.counts).map(([name, n]) => h("div", {}, say.has(`gone.${name}`) ? this.text(`gone.${name}`) : name, ": ", say.number(n)));
      return [
        say.dateTime(one.stoppedAt),
        this.text(`stopped.${one.reason}`),
        this.text(`erasure.${one.status}`),
        one.completedAt ? say.dateTime(one.completedAt) : this.text("overview.notYet"),
        h("div", {}, counts, h("details", { "data-key": `erasure-${one.id}` }, h("summary", { "data-focus": `erasure-${one.id}` }, this.text("optOuts.signature")), h("code", { dir: "ltr" }, one.signature))),
      ];
    });
    const title = this.text("exchangeErasure.title");
    return part("erasures", title, table(title, heads, rows));
  }
}
