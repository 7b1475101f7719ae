/** Words, numbers and dates of one language. Numbers and dates are Intl's; only the words are ours (texts.js). */

import { LANGUAGES, TEXTS } from "./texts.js";

const FALLBACK = "en";
const RIGHT_TO_LEFT = new Set(["ar"]);
const known = new Map();

/** Add the words of an entry that record forms do not load, such as lists: rows as those of texts.js, under keys of their own. */
export function learn(texts) {
  Object.assign(TEXTS, texts);
}

/** The language to speak: the wanted one, else the page's, else the browser's, else English; regions are kept for Intl. */
export function languageOf(wanted) {
  for (const tag of [wanted, document.documentElement.lang, ...navigator.languages]) {
    if (tag && LANGUAGES.includes(base(tag)) && isTag(tag)) return speak(tag);
  }
  return speak(FALLBACK);
}

const base = (tag) => tag.toLowerCase().split("-")[0];

function isTag(tag) {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

function speak(tag) {
  if (!known.has(tag)) known.set(tag, new Language(tag));
  return known.get(tag);
}

/** Formats of one language. Methods answer `unknown` for null: what is not known is never shown as 0. */
class Language {
  constructor(tag) {
    this.tag = tag;
    this.base = base(tag);
    this.direction = RIGHT_TO_LEFT.has(this.base) ? "rtl" : "ltr";
    // The app's sentences write Arabic with the digits 0 to 9; the figures beside them do the same.
    this.locale = this.base === "ar" ? new Intl.Locale(tag, { numberingSystem: "latn" }) : tag;
    this.column = LANGUAGES.indexOf(this.base);
  }

  /** The text of a key, with `{name}` filled in. A key without text is shown as itself: a mistake that is seen. */
  text(key, values = {}) {
    const found = TEXTS[key]?.[this.column] ?? TEXTS[key]?.[0] ?? key;
    return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  has(key) {
    return key in TEXTS;
  }

  number(value, digits = 1) {
    return this.#known(value, () => this.#numbers({ maximumFractionDigits: digits }).format(value));
  }

  percent(share) {
    return this.#known(share, () => this.#numbers({ style: "percent", maximumFractionDigits: 0 }).format(share));
  }

  /** A number with hours, minutes or days as its unit, in the plural form that fits. */
  amount(value, unit) {
    const options = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 1 };
    return this.#known(value, () => this.#numbers(options).format(value));
  }

  /** Minutes, from two hours on as hours. */
  minutes(value) {
    return value >= 120 ? this.amount(value / 60, "hour") : this.amount(value, "minute");
  }

  dateTime(instant) {
    return this.#known(instant, () => this.#dates({ dateStyle: "medium", timeStyle: "short" }).format(new Date(instant)));
  }

  date(instant) {
    return this.#known(instant, () => this.#dates({ dateStyle: "medium" }).format(new Date(instant)));
  }

  /** A local date without a time (`2026-11-18`): the same day whatever the reader's time zone. */
  day(text, long = false) {
    const options = long ? { dateStyle: "full" } : { day: "numeric", month: "short" };
    return this.#dates({ ...options, timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
  }

  /** How long ago, or in how long, in the largest unit that fits. */
  relative(instant, now = Date.now()) {
    const seconds = (new Date(instant).getTime() - now) / 1000;
    const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
    const [unit, length] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
    return new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
  }

  /** `{ unit, n }` as the app gives it to those who may only know about when. */
  ago({ unit, n }) {
    return new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" }).format(-n, unit);
  }

  /** The parts of an enumeration, `{ type, value }`: the items are of type `element`, what stands between them is not. */
  joined(items) {
    return new Intl.ListFormat(this.locale, { type: "unit", style: "short" }).formatToParts(items);
  }

  #known(value, show) {
    return value === null || value === undefined ? this.text("unknown") : show();
  }

  #numbers(options) {
    return new Intl.NumberFormat(this.locale, options);
  }

  #dates(options) {
    return new Intl.DateTimeFormat(this.locale, options);
  }
}
