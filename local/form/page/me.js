/** The signed-in user's own page. */

import { configure } from "/api/web/rapport-me.js";
import { followView, getToken, openForm } from "./session.js";

document.addEventListener("rapport-open-record", ({ detail }) => openForm(detail));
followView([document.getElementById("me")]);
configure({ getToken });
