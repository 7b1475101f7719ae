/** The sample form: a record picker around the widgets. The token stays in this variable, in no attribute and no address. */

import { configure } from "/api/web/rapport-widgets.js";

const at = (id) => document.getElementById(id);
const elements = [at("relationship"), at("alone")];
let token;

configure({
  getToken: async ({ refresh }) => {
    if (!token || refresh) token = fetch("/session/token", { method: "POST" }).then((answer) => (answer.ok ? answer.json() : {}));
    return (await token).token;
  },
});

function open(type, id) {
  at("type").value = type;
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
  const { value: language } = at("language");
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  document.documentElement.dataset.theme = at("theme").value;
  const asOf = at("as-of").value;
  for (const element of elements) {
    element.setAttribute("language", language);
    if (asOf) element.setAttribute("as-of", new Date(asOf).toISOString());
    else element.removeAttribute("as-of");
  }
}

at("relationship").addEventListener("rapport-state", ({ detail: { state, answer } }) => {
  if (state !== "loading") at("name").textContent = answer ? answer.recordName : at("id").value;
});
at("sample").addEventListener("change", (event) => open(...event.target.value.split(":")));
at("picker").addEventListener("submit", (event) => {
  event.preventDefault();
  open(at("type").value, at("id").value.trim());
});
at("view").addEventListener("change", look);

const records = Object.entries(await (await fetch("/session/records")).json());
at("sample").append(...records.map(([type, id]) => new Option(`Sample ${type}`, `${type}:${id}`)));
look();
const first = records.find(([type]) => type === "opportunity") ?? records[0];
if (first) {
  at("sample").value = first.join(":");
  open(...first);
}
