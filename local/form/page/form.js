/** The sample form: a record picker around the widgets. */

import { configure } from "/api/web/rapport-widgets.js";
import { followView, getToken } from "./session.js";

const at = (id) => document.getElementById(id);
const elements = [at("relationship"), at("alone")];

/** The open records of a type, those first that need attention, into the picker; the sample's own record is among them. */
async function list(type, chosen) {
  at("record").replaceChildren(new Option("…", ""));
  const headers = { Authorization: `Bearer ${await getToken({})}` };
  const answer = await fetch(`/api/health/${type}?limit=50`, { headers });
  const rows = answer.ok ? (await answer.json()).rows : [];
  if (at("type").value !== type) return; // another type was chosen meanwhile
  const options = rows.map(({ record, name }) => new Option(name, record.split(":")[1]));
  at("record").replaceChildren(new Option("…", ""), ...options);
  at("record").value = rows.some(({ record }) => record === `${type}:${chosen}`) ? chosen : "";
}

function open(type, id) {
  const isListed = at("type").value === type && at("record").length > 0;
  at("type").value = type;
  if (!isListed) list(type, id);
  at("record").value = id;
  at("id").value = id;
  for (const element of elements) {
    element.setAttribute("record-type", type);
    element.setAttribute("record-id", id);
  }
  at("shown-type").textContent = type;
  at("shown-id").textContent = id;
  at("kind").textContent = type;
  at("name").textContent = "…";
}

function look() {
  const asOf = at("as-of").value;
  for (const element of elements) {
    if (asOf) element.setAttribute("as-of", new Date(asOf).toISOString());
    else element.removeAttribute("as-of");
  }
}

at("relationship").addEventListener("rapport-state", ({ detail: { state, answer } }) => {
  if (state !== "loading") at("name").textContent = answer ? answer.recordName : at("id").value;
});
document.addEventListener("rapport-open-record", ({ detail: { recordType, recordId } }) => open(recordType, recordId));
at("type").addEventListener("change", (event) => list(event.target.value, ""));
at("record").addEventListener("change", (event) => event.target.value && open(at("type").value, event.target.value));
at("picker").addEventListener("submit", (event) => {
  event.preventDefault();
  open(at("type").value, at("id").value.trim());
});
at("as-of").addEventListener("change", look);

followView(elements);
configure({ getToken });
look();
const asked = new URLSearchParams(location.search);
const sample = asked.has("type") ? [] : Object.entries(await (await fetch("/session/records")).json());
const [type, id] = sample.find(([kind]) => kind === "opportunity") ?? [asked.get("type") ?? "opportunity", asked.get("id") ?? ""];
open(type, id);
