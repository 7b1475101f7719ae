/** The administrator's page. Load this one file: `<script type="module" src="https://<app>/api/web/rapport-admin.js">`. */

import { MailboxesSection } from "./admin-mailboxes.js";
import { OperationsSection } from "./admin-operations.js";
import { OverviewSection } from "./admin-overview.js";
import { PrivacySection } from "./admin-privacy.js";
import { QualitySection } from "./admin-quality.js";
import { TEXTS as SETTINGS_TEXTS } from "./admin-settings-texts.js";
import { SettingsSection } from "./admin-settings.js";
import { ADMIN_SHEET } from "./admin-style.js";
import { TEXTS } from "./admin-texts.js";
import { h } from "./dom.js";
import { RecordElement } from "./element.js";
import { learn } from "./language.js";
import { onConfigure } from "./source.js";
import { SHEET } from "./style.js";

export { configure } from "./source.js";

learn({ ...TEXTS, ...SETTINGS_TEXTS });

const SECTIONS = {
  overview: OverviewSection,
  mailboxes: MailboxesSection,
  settings: SettingsSection,
  privacy: PrivacySection,
  quality: QualitySection,
  operations: OperationsSection,
};

/** `<rapport-admin>`: attributes base-url, language, theme, and `section`, the part that is shown first. */
class AdminElement extends RecordElement {
  #sections = {};
  #ended = null;

  constructor() {
    super();
    this.shadowRoot.adoptedStyleSheets = [SHEET, ADMIN_SHEET];
    this.chosen = "";
  }

  connectedCallback() {
    super.connectedCallback();
    this.#ended = onConfigure(() => this.refresh());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#ended();
  }

  begin() {
    this.prepare();
    const wanted = this.chosen || this.getAttribute("section");
    const name = wanted in SECTIONS ? wanted : "overview";
    this.panel = h("div", { role: "tabpanel", id: "panel", tabindex: 0 });
    this.tabs = h("div", { role: "tablist", "aria-label": this.say.text("admin.title"), onkeydown: (event) => this.#move(event) }, Object.keys(SECTIONS).map((one) => this.#tab(one)));
    this.body.replaceChildren(h("h2", {}, this.say.text("admin.title")), this.tabs, this.panel);
    this.choose(name);
  }

  /** Read the part that is shown anew. */
  refresh() {
    if (this.isConnected) this.#sections[this.chosen]?.refresh();
  }

  /** Show a part; what was typed in the others stays. */
  choose(name) {
    this.chosen = name;
    for (const tab of this.tabs.children) {
      const isChosen = tab.dataset.section === name;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${name}`);
    this.#sections[name] ??= new SECTIONS[name](this);
    this.panel.replaceChildren(this.#sections[name].root);
    this.#sections[name].refresh();
  }

  #tab(name) {
    const more = { role: "tab", id: `tab-${name}`, "data-section": name, "aria-controls": "panel" };
    return this.button(this.say.text(`section.${name}`), () => this.choose(name), `tab-${name}`, more);
  }

  /** Arrow keys go from tab to tab, as they look: to the left in a mirrored page is forward. */
  #move(event) {
    const tabs = [...this.tabs.children];
    const at = tabs.indexOf(event.target);
    const forward = this.say.direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const steps = { ArrowLeft: -1, ArrowRight: -1, [forward]: 1 };
    const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : at + (steps[event.key] ?? 0);
    if (at < 0 || to === at) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    this.choose(next.dataset.section);
    next.focus();
  }
}

customElements.define("rapport-admin", AdminElement);
