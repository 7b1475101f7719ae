/** Lists and the pipeline chart. Load this file: `<script type="module" src="https://<app>/api/web/rapport-lists.js">`. */

import { learn } from "./language.js";
import { ListElement } from "./list.js";
import { TEXTS } from "./lists-texts.js";
import { PipelineElement } from "./pipeline.js";

export { configure } from "./source.js";

learn(TEXTS);
customElements.define("rapport-list", ListElement);
customElements.define("rapport-pipeline", PipelineElement);
