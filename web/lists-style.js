/** How lists and the pipeline chart look, beside what all elements share. */

export const LISTS = new CSSStyleSheet();

LISTS.replaceSync(`
fieldset { border: 0; min-inline-size: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3em 1em; }
legend { float: inline-start; padding: 0; margin-inline-end: 1em; color: var(--muted); }
.records { min-inline-size: 68em; }
.records th[scope="row"] { min-inline-size: 13em; }
.records td, .records thead th { white-space: nowrap; }
.records thead button { color: inherit; }
.records .number { padding-inline-end: 1em; }
.dot { display: inline-block; inline-size: .8em; block-size: .8em; border-radius: 50%; margin-inline-end: .4em; forced-color-adjust: none; }
.dot.good { background: var(--good); } .dot.fair { background: var(--fair); } .dot.poor { background: var(--poor); }
.dot.insufficient { border: 2px solid var(--muted); }
.chart { inline-size: 100%; min-inline-size: 44em; block-size: 28em; display: block; forced-color-adjust: none; }
.chart text { fill: var(--muted); font-size: .86em; }
.chart line { stroke: var(--line); }
.chart rect { fill: var(--raised); }
.bubble { cursor: pointer; fill-opacity: .75; stroke: var(--surface); }
.bubble.good { fill: var(--good); } .bubble.fair { fill: var(--fair); } .bubble.poor { fill: var(--poor); } .bubble.insufficient { fill: var(--muted); }
.bubble.hollow { fill: var(--surface); fill-opacity: .4; stroke-width: 2; }
.bubble.hollow.good { stroke: var(--good); } .bubble.hollow.fair { stroke: var(--fair); } .bubble.hollow.poor { stroke: var(--poor); } .bubble.hollow.insufficient { stroke: var(--muted); }
.bubble.computing { stroke: var(--text); stroke-dasharray: 3 3; }
.bubble:hover, .bubble:focus-visible { fill-opacity: 1; stroke: var(--text); stroke-width: 2; outline: none; }
.key.hollow { border: 2px solid var(--muted); border-radius: 50%; }
`);
