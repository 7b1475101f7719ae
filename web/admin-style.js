/** What the administrator's page looks like beside what all elements share. */

export const ADMIN_SHEET = new CSSStyleSheet();

ADMIN_SHEET.replaceSync(`
[role="tablist"] { display: flex; flex-wrap: wrap; gap: .3em; border-block-end: 1px solid var(--line); margin-block: .8em; }
[role="tab"] { border-block-end: 3px solid transparent; border-end-start-radius: 0; border-end-end-radius: 0; }
[role="tab"][aria-selected="true"] { color: var(--text); font-weight: 600; border-block-end-color: var(--accent); background: var(--raised); }
[role="tabpanel"] > div > div > * + * { margin-block-start: .8em; }
.notice:not(:empty) { border-inline-start: 4px solid var(--good); background: var(--raised); padding: .5em .8em; margin-block-end: .8em; }
.notice.warn { border-color: var(--poor); color: var(--text); }
.banner { border-inline-start: 4px solid var(--fair); background: var(--raised); padding: .6em .9em; }
.word { font-size: 1.5em; font-weight: 600; }
.progress { display: flex; align-items: center; gap: .6em; margin-block: .4em; }
progress { flex: 1; block-size: .9em; accent-color: var(--accent); min-inline-size: 6em; }
fieldset { border: 1px solid var(--line); border-radius: 6px; padding: .4em .8em .8em; margin: 0; min-inline-size: 0; }
legend { font-weight: 600; padding-inline: .3em; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17em), 1fr)); gap: .8em; align-items: start; }
.fields > .wide { grid-column: 1 / -1; }
.field > label, .stack > label, label.field { display: block; }
label.field > input, .stack > label > input[type="text"] { display: block; }
.stack > label > input[type="text"] { inline-size: min(100%, 30em); }
.fields > button { justify-self: start; }
.field small, .stack small { display: block; margin: 0; }
input { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--muted); border-radius: 4px; padding: .25em .4em; max-inline-size: 100%; }
input[type="checkbox"] { accent-color: var(--accent); margin-inline-end: .5em; }
input[type="number"] { inline-size: 8em; }
.field > input:not([type]), .field > input[type="text"], .field > input[type="email"] { inline-size: 100%; }
[aria-invalid="true"] { border-color: var(--poor); outline: 1px solid var(--poor); }
.wrong { color: var(--poor); display: block; }
.changed > label::after, .changed > legend::after { content: " •"; color: var(--accent); }
textarea { min-block-size: 4.5em; }
.controls { margin-block: .6em; }
button.primary { background: var(--accent); color: var(--surface); border-color: var(--accent); }
button.danger { color: var(--poor); border-color: var(--poor); }
button:disabled { opacity: .6; cursor: default; }
dialog { color: var(--text); background: var(--surface); border: 1px solid var(--muted); border-radius: 6px; max-inline-size: 34em; }
dialog::backdrop { background: #0008; }
.unseen { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
.mailboxes td:nth-child(n + 3):not(:last-child) { min-inline-size: 7em; }
meter { margin-inline-start: .6em; }
ol.rules { list-style-position: inside; margin: 0; padding: 0; }
.rules td, .rules th { vertical-align: middle; }
.rules select, .rules input { max-inline-size: 11em; }
code { overflow-wrap: anywhere; }
.key.good { background: var(--good); } .key.fair { background: var(--fair); } .key.poor { background: var(--poor); } .key.insufficient { background: var(--muted); }
.bar > .insufficient { background: var(--muted); }
.bar.stacked { min-inline-size: 8em; }
.columns { columns: 16em 3; }
`);
