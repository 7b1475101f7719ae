/** The lists' page: open records of a type and the pipeline; a click opens the sample form. */

import { configure } from "/api/web/rapport-lists.js";
import { followView, getToken, openForm } from "./session.js";

const at = (id) => document.getElementById(id);

document.addEventListener("rapport-open-record", ({ detail }) => openForm(detail));
at("type").addEventListener("change", ({ target }) => at("list").setAttribute("record-type", target.value));
at("list").setAttribute("record-type", at("type").value);
followView([at("list"), at("pipeline")]);
configure({ getToken });
