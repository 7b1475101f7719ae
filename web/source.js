/** What the app answers: one request for all widgets of a record, however many elements show it. */

const TIMEOUT_MS = 20_000;
const sources = new Map();
const waiting = new Set();
let configured = {};

/**
 * Settings for all elements of the page. `getToken({ baseUrl, refresh })` gives an access token, or a promise of one;
 * `refresh` is true when the app has just refused the last. `getActivityNames(ids)` gives an object from activity id
 * (`email:<id>`) to name, for those that the user may read.
 */
export function configure(settings) {
  configured = { ...configured, ...settings };
  for (const source of sources.values()) source.load();
  for (const ask of waiting) ask();
}

/** Have `ask` called whenever the page has configured the elements anew; gives the end of it. */
export function onConfigure(ask) {
  waiting.add(ask);
  return () => waiting.delete(ask);
}

/** Names of activities as the form gives them; none without such a form. */
export async function activityNames(ids) {
  const wanted = ids.filter(Boolean);
  if (!configured.getActivityNames || wanted.length === 0) return {};
  try {
    return (await configured.getActivityNames(wanted)) ?? {};
  } catch {
    return {};
  }
}

/**
 * A request that was not answered with what was asked for; `state` is what the element then shows, `status` the HTTP status (0:
 * no answer) and `errors` the places that are wrong, each `{ path, detail }`.
 */
export class Refusal extends Error {
  constructor(state, detail = "", { status = 0, errors = [] } = {}) {
    super(detail || state);
    Object.assign(this, { state, detail, status, errors });
  }
}

const STATES = { 400: "invalid", 401: "signedOut", 403: "noAccess", 404: "notFound" };

/** The address of a resource. Raises Refusal for an address to which no token may be sent. */
function addressOf(baseUrl, segments, query) {
  const url = new URL(`${baseUrl.replace(/\/$/, "")}/api/`, document.baseURI);
  const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere)) throw new Refusal("insecure");
  url.pathname += segments.map(encodeURIComponent).join("/");
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  return url;
}

/**
 * JSON of a resource, named by the segments of its path. The browser keeps the answer and asks again with its ETag (`private, no-cache`), so an
 * unchanged record costs an answer without a body. A refused token is renewed once. Raises Refusal.
 */
export async function ask(baseUrl, segments, query, signal) {
  const url = addressOf(baseUrl, segments, query);
  const first = await send(url, baseUrl, false, signal);
  const response = first.status === 401 ? await send(url, baseUrl, true, signal) : first;
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}

/** Tell the app something: JSON there and back, with `more` headers. Nothing is repeated but after a refused token. Raises Refusal. */
export async function tell(baseUrl, method, segments, content, more = {}, query = {}) {
  const url = addressOf(baseUrl, segments, query);
  const body = content === undefined ? { headers: more } : { body: JSON.stringify(content), headers: { "Content-Type": "application/json", ...more } };
  const first = await send(url, baseUrl, false, null, { method, ...body });
  const response = first.status === 401 ? await send(url, baseUrl, true, null, { method, ...body }) : first;
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}

async function send(url, baseUrl, refresh, signal, { headers = {}, ...more } = {}) {
  const token = await tokenFor(baseUrl, refresh);
  if (!token) throw new Refusal("signedOut");
  const until = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]);
  try {
    return await fetch(url, { ...more, headers: { ...headers, Authorization: `Bearer ${token}` }, credentials: "omit", signal: until });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal("unavailable");
  }
}

/** The page's own callback, else whoever answers the event `rapport-token` by `event.detail.respond(token)`. */
async function tokenFor(baseUrl, refresh) {
  try {
    if (configured.getToken) return await configured.getToken({ baseUrl, refresh });
    let given;
    const detail = { baseUrl, refresh, respond: (token) => (given = token) };
    document.dispatchEvent(new CustomEvent("rapport-token", { detail }));
    return await given;
  } catch {
    return undefined;
  }
}

async function refusalOf(response) {
  const problem = await response.json().catch(() => ({}));
  const { detail = "", errors = [] } = problem ?? {};
  return new Refusal(STATES[response.status] ?? "unavailable", String(detail), { status: response.status, errors });
}

/** The widgets of one record, shared by all elements that show it; `state`, and `answer` once there is one. */
class RecordSource {
  #listeners = new Set();
  #running = null;

  constructor(record) {
    this.record = record;
    this.state = "loading";
    this.answer = null;
    this.detail = "";
    this.loadedAt = 0;
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.load();
    else listener(this);
    return () => this.#leave(listener);
  }

  #leave(listener) {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#running?.abort();
    sources.delete(keyOf(this.record));
  }

  /** Ask anew. What was shown stays until the answer is there; an answer to an earlier question is dropped. */
  async load() {
    this.#running?.abort();
    const mine = (this.#running = new AbortController());
    if (!this.answer) this.#become("loading");
    const { baseUrl, recordType, recordId, language, asOf } = this.record;
    try {
      const answer = await ask(baseUrl, ["records", recordType, recordId, "widgets"], { language, asOf }, mine.signal);
      if (!mine.signal.aborted) this.#become("ready", answer);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Refusal)) console.error(error);
      this.#become(error.state ?? "unavailable", null, error.detail ?? "");
    }
  }

  #become(state, answer = null, detail = "") {
    Object.assign(this, { state, answer, detail, loadedAt: Date.now() });
    for (const listener of [...this.#listeners]) listener(this);
  }
}

const keyOf = (record) => JSON.stringify(record);

/** The source of `{ baseUrl, recordType, recordId, language, asOf }`, one for all who ask for the same. */
export function sourceOf(record) {
  const key = keyOf(record);
  if (!sources.has(key)) sources.set(key, new RecordSource(record));
  return sources.get(key);
}
