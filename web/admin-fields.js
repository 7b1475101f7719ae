/** Fields for a document by its schema: ranges, choices and shapes stand in the app's OpenAPI document and nowhere here. */

import { h } from "./dom.js";

const LOOSE_KEYS = {
  "alarms.idleDaysOfType": ["account", "contact", "lead", "opportunity", "case"],
  "similarDeals.weights": ["amount", "currency", "industry", "region", "product", "stage"],
};
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const recordType = (name) => `crmType.${name}`;
const field = (name) => `field.${name}`;
const points = (name) => `part.${name}`;
// Where the words of a choice are, and those of a part's names.
const CHOICES = { frequency: (name) => `pace.${name}`, recordType, attribute: field, noiseRules: (name) => `noise.${name}` };
const NAMES = { grades: (name) => `grade.${name}`, "alarms.idleDaysOfType": recordType, "similarDeals.weights": field, weights: (name) => `kind.${name}`, points, pointsWithBreadth: points };
// A schema sorts choices by name; here they are in their own order.
const PACES = ["daily", "weekly", "biweekly", "monthly", "quarterly"];
const HIDDEN = new Set(["points.breadth"]); // always 0: breadth belongs to pointsWithBreadth
const isPlace = (step) => /^\d+$/.test(String(step)); // of a row in a list

/**
 * The fields of one document. `schemas`: those of the OpenAPI document; `name`: the document's; `draft`: the document that
 * they show and change; `changed()` is called after every change.
 */
export class Fields {
  constructor({ schemas, name, draft, say, changed }) {
    Object.assign(this, { schemas, draft, say, changed, root: schemas[name] });
  }

  /** The names of the document's own parts. */
  get names() {
    return Object.keys(this.root.properties);
  }

  /** The field of a part of the document. */
  of(name) {
    return this.#field([name], this.root.properties[name]);
  }

  /** What a path of the document is called. */
  label(path) {
    const steps = path.filter((step) => !isPlace(step));
    const [whole, last] = [steps.join("."), steps.at(-1)];
    const keys = [`set.${whole}`, NAMES[steps.slice(0, -1).join(".")]?.(last), `set.${last}`];
    return this.say.text(keys.find((key) => key && this.say.has(key)) ?? last);
  }

  /** A value of the document in words. */
  words(path, value) {
    const { say } = this;
    if (value === null || value === undefined) return say.text("set.none");
    if (typeof value === "boolean") return say.text(value ? "set.on" : "set.off");
    if (typeof value === "number") return say.number(value, 4);
    if (Array.isArray(value)) return value.length ? value.map((one) => this.words(path, one)).join(", ") : say.text("set.none");
    if (typeof value === "object") return Object.entries(value).map(([key, one]) => `${this.label([...path, key])}: ${this.words([...path, key], one)}`).join("; ");
    return this.#choice(path, value);
  }

  #choice(path, value) {
    const key = CHOICES[path.findLast((step) => !isPlace(step))]?.(value);
    return key && this.say.has(key) ? this.say.text(key) : String(value);
  }

  get(path) {
    return path.reduce((found, step) => found?.[step], this.draft);
  }

  #set(path, value) {
    const parent = this.get(path.slice(0, -1));
    if (value === undefined) delete parent[path.at(-1)];
    else parent[path.at(-1)] = value;
    this.changed();
  }

  #resolved(schema) {
    const { nullable, ...found } = schema.anyOf ? { ...schema.anyOf.find((one) => one.type !== "null"), default: schema.default, nullable: true } : schema;
    const whole = found.$ref ? { ...this.schemas[found.$ref.split("/").at(-1)], default: found.default } : found;
    return { ...whole, nullable: Boolean(nullable) };
  }

  #field(path, given) {
    const schema = this.#resolved(given);
    const item = schema.items && this.#resolved(schema.items);
    if (schema.enum) return this.#select(path, schema);
    if (schema.type === "boolean") return this.#switch(path);
    if (schema.type === "integer" || schema.type === "number") return this.#number(path, schema);
    if (schema.type === "string") return this.#text(path, schema);
    if (schema.type === "array" && item.enum) return this.#choices(path, item);
    if (schema.type === "array" && item.type === "object") return this.#rows(path, item);
    if (schema.type === "array") return this.#lines(path);
    if (schema.properties) return this.#group(path, Object.entries(schema.properties));
    return schema.additionalProperties.type === "array" ? this.#hours(path) : this.#loose(path, schema.additionalProperties);
  }

  /** What a part is where a document leaves out everything. */
  #usual([name, ...rest]) {
    return rest.reduce((found, step) => found?.[step], this.root.properties[name].default);
  }

  #id(path) {
    return `set-${path.join("-")}`;
  }

  #labelled(path, control, note, kind = "") {
    const id = this.#id(path);
    const isBox = control.type === "checkbox";
    const parts = [isBox && control, this.label(path), !isBox && control];
    control.id = id;
    control.dataset.focus = id;
    control.dataset.path = path.join(".");
    if (note) control.setAttribute("aria-describedby", `${id}-note`);
    return h("div", { class: `field ${kind}`, "data-part": path.join(".") }, h("label", { for: id }, isBox ? parts : parts[1]), !isBox && control, note && h("small", { id: `${id}-note` }, note));
  }

  #group(path, properties) {
    const shown = properties.filter(([name]) => !HIDDEN.has([...path, name].join(".")));
    return this.#fieldset(path, shown.map(([name, schema]) => this.#field([...path, name], schema)));
  }

  #fieldset(path, fields, note) {
    return h("fieldset", { class: "field wide", "data-part": path.join("."), "data-path": path.join("."), tabindex: -1 }, h("legend", {}, this.label(path)), note && h("p", { class: "note" }, note), h("div", { class: "fields" }, fields));
  }

  #select(path, { enum: values, nullable }) {
    const present = this.get(path) ?? "";
    const sorted = values.toSorted((one, other) => PACES.indexOf(one) - PACES.indexOf(other));
    const options = [...(nullable ? [""] : []), ...sorted].map((value) => h("option", { value, selected: value === present }, value ? this.#choice(path, value) : this.say.text("set.any")));
    return this.#labelled(path, h("select", { onchange: ({ target }) => this.#set(path, target.value || null) }, options));
  }

  #switch(path) {
    return this.#labelled(path, h("input", { type: "checkbox", checked: this.get(path), onchange: ({ target }) => this.#set(path, target.checked) }));
  }

  #number(path, { type, minimum, maximum, exclusiveMinimum, nullable }, isLoose = false) {
    const absent = isLoose ? undefined : null; // a loose key that is empty is not in the document
    const low = minimum ?? exclusiveMinimum;
    const oninput = ({ target }) => this.#set(path, target.value === "" ? absent : target.valueAsNumber);
    const input = h("input", { type: "number", dir: "ltr", step: type === "integer" ? 1 : "any", min: low, max: maximum, value: this.get(path), oninput });
    const range = low !== undefined && maximum !== undefined && this.say.text("set.range", { low: this.say.number(low, 4), high: this.say.number(maximum, 4) });
    const usual = this.#usual(path);
    const given = typeof usual === "number" && this.say.text("set.default", { value: this.say.number(usual, 4) });
    const empty = (nullable || isLoose) && this.say.text("set.mayBeEmpty");
    return this.#labelled(path, input, [range, given, empty].filter(Boolean).join(" · "));
  }

  #text(path, { maxLength }) {
    const isZone = path.at(-1) === "reportingTimeZone";
    const zones = isZone && h("datalist", { id: "zones" }, Intl.supportedValuesOf("timeZone").map((value) => h("option", { value })));
    const input = h("input", { type: "text", maxlength: maxLength, dir: "auto", list: isZone && "zones", value: this.get(path), oninput: ({ target }) => this.#set(path, target.value) });
    const field = this.#labelled(path, input);
    if (zones) field.append(zones);
    return field;
  }

  #lines(path) {
    const area = h("textarea", { rows: 4, dir: "ltr", spellcheck: "false", oninput: ({ target }) => this.#set(path, target.value.split("\n").map((one) => one.trim()).filter(Boolean)) });
    area.value = this.get(path).join("\n");
    return this.#labelled(path, area, this.say.text(path.at(-1) === "holidays" ? "set.dates" : "admin.onePerLine"));
  }

  #choices(path, { enum: values }) {
    const box = (value) => {
      const onchange = ({ target }) => this.#set(path, values.filter((one) => (one === value ? target.checked : this.get(path).includes(one))));
      return h("label", {}, h("input", { type: "checkbox", "data-focus": `${this.#id(path)}-${value}`, checked: this.get(path).includes(value), onchange }), this.#choice(path, value));
    };
    return this.#fieldset(path, values.map(box));
  }

  #loose(path, schema) {
    return this.#fieldset(path, (LOOSE_KEYS[path.join(".")] ?? Object.keys(this.get(path))).map((key) => this.#number([...path, key], this.#resolved(schema), true)));
  }

  /** Working hours of a day as text: `08:00-12:00, 13:00-17:00`; nothing is a day off. */
  #hours(path) {
    const format = new Intl.DateTimeFormat(this.say.locale, { weekday: "long", timeZone: "UTC" });
    const fields = DAYS.map((day, number) => {
      const place = [...path, day];
      const id = this.#id(place);
      const oninput = ({ target }) => this.#set(place, intervals(target.value));
      const value = (this.get(place) ?? []).map((one) => one.join("-")).join(", ");
      const input = h("input", { type: "text", dir: "ltr", id, "data-focus": id, "data-path": place.join("."), value, oninput });
      // 1 January 2024 was a Monday.
      return h("div", { class: "field", "data-part": place.join(".") }, h("label", { for: id }, format.format(Date.UTC(2024, 0, 1 + number))), input);
    });
    return this.#fieldset(path, fields, this.say.text("set.hoursNote", { example: "08:00-12:00, 13:00-17:00" }));
  }

  /** A list of objects as rows that can be added, moved up and taken out. */
  #rows(path, item) {
    const rows = this.get(path);
    const renew = (act) => () => {
      act();
      this.changed();
      place.replaceWith(this.#rows(path, item));
    };
    const button = (key, n, act) => h("button", { type: "button", "data-focus": `${this.#id([...path, n])}-${key}`, "aria-label": `${this.say.text(`set.${key}`)} (${n + 1})`, onclick: renew(act) }, this.say.text(`set.${key}`));
    const row = (_, n) =>
      h(
        "li",
        { class: "controls" },
        Object.entries(item.properties).map(([name, schema]) => this.#field([...path, n, name], schema)),
        n > 0 && button("up", n, () => rows.splice(n - 1, 2, rows[n], rows[n - 1])),
        button("remove", n, () => rows.splice(n, 1)),
      );
    const blank = () => Object.fromEntries(Object.entries(item.properties).map(([name, one]) => [name, "default" in one ? one.default : this.#resolved(one).enum?.[0]]));
    const add = h("button", { type: "button", "data-focus": `${this.#id(path)}-add`, onclick: renew(() => rows.push({ ...blank(), ...(item.properties.frequency && { frequency: "weekly" }) })) }, this.say.text("set.add"));
    const place = this.#fieldset(path, [h("ol", { class: "rules wide" }, rows.map(row)), add], this.say.text(`set.${path.join(".")}.note`));
    return place;
  }
}

function intervals(text) {
  return text.split(",").map((one) => one.trim()).filter(Boolean).map((one) => one.split("-").map((clock) => clock.trim()));
}

/** Where two documents differ: paths of the smallest parts, lists as wholes. */
export function differences(before, after, path = []) {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const isPart = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isPart(before) || !isPart(after)) return [{ path, before, after }];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(before[name], after[name], [...path, name]));
}
