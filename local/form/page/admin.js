/** The administrator's page: one element, with tokens of an administrator. */

import { configure } from "/api/web/rapport-admin.js";
import { followView, tokensOf } from "./session.js";

followView([document.getElementById("admin")]);
configure({ getToken: tokensOf("Rapport.Admin") });
