/** How it looks. Every colour is a custom property that the form may set; light and dark follow `color-scheme`. */

export const SHEET = new CSSStyleSheet();

SHEET.replaceSync(`
:host {
  display: block;
  container-type: inline-size;
  --text: var(--rapport-text, light-dark(#1b1f24, #e6e9ec));
  --muted: var(--rapport-muted, light-dark(#545c66, #a9b2bc));
  --surface: var(--rapport-surface, light-dark(#ffffff, #1b1f24));
  --raised: var(--rapport-raised, light-dark(#f4f6f8, #262b31));
  --line: var(--rapport-line, light-dark(#d3d9df, #3d444d));
  --accent: var(--rapport-accent, light-dark(#0b57b7, #7db4ff));
  --good: var(--rapport-good, light-dark(#19703a, #4fc36f));
  --fair: var(--rapport-fair, light-dark(#8a5a00, #e0ac3a));
  --poor: var(--rapport-poor, light-dark(#b3261e, #ff8f80));
  --email: var(--rapport-email, light-dark(#2a66c8, #76aaff));
  --meeting: var(--rapport-meeting, light-dark(#7a45d1, #bd9bff));
  --call: var(--rapport-call, light-dark(#0d766a, #4cc4b2));
  color: var(--text);
  font: var(--rapport-font, 14px/1.45 "Segoe UI", system-ui, sans-serif);
}
:host([hidden]) { display: none; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([theme="auto"]) { color-scheme: light dark; }
* { box-sizing: border-box; }
.body { background: var(--surface); }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1em; }
h2, h3, h4 { margin: 0; line-height: 1.3; }
h2 { font-size: 1.3em; }
h3 { font-size: 1.05em; margin-block-end: .5em; }
h4 { font-size: 1em; margin-block: .7em .3em; }
p, ul, dl, dd { margin: 0; padding: 0; }
ul { list-style: none; }
p + p, section > p { margin-block: .4em; }
small, .note, .envelope { color: var(--muted); font-size: .86em; }
small { margin-inline-start: .4em; }
.grid { columns: 20em 3; column-gap: .8em; margin-block: .8em; }
.grid > .widget { break-inside: avoid; margin-block-end: .8em; }
.grid > .timeline, .grid > .people, .grid > .similar { column-span: all; }
.widget { border: 1px solid var(--line); border-radius: 6px; padding: .8em 1em; background: var(--surface); min-inline-size: 0; }
.envelope { margin-block: .4em; }
.flags, .legend { display: flex; flex-wrap: wrap; gap: .3em .6em; margin-block-start: .3em; }
.flag { display: inline-block; border: 1px solid var(--line); border-radius: .7em; padding: 0 .6em; background: var(--raised); color: var(--text); font-size: .86rem; font-weight: normal; }
th .flag, h4 .flag { margin-inline-start: .5em; }
.flag.counted { border-color: var(--good); color: var(--good); }
.flag.warn, .alarm { color: var(--poor); }
.alarm { font-weight: 600; }
button { font: inherit; color: var(--accent); background: var(--surface); border: 1px solid var(--line); border-radius: 4px; padding: .25em .8em; cursor: pointer; }
button.link { border: 0; padding: 0; background: none; text-align: start; text-decoration: underline; }
textarea { display: block; font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--muted); border-radius: 4px; inline-size: 100%; box-sizing: border-box; }
.ask .mail { white-space: pre-wrap; border-inline-start: 3px solid var(--line); padding-inline-start: .6em; overflow-wrap: anywhere; }
select { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--muted); border-radius: 4px; padding: .2em; max-inline-size: 100%; }
summary { cursor: pointer; color: var(--accent); margin-block: .5em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.headline { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2em .8em; }
.score { font-size: 2.4em; font-weight: 600; line-height: 1.1; }
.grade { font-weight: 600; }
.grade.good { color: var(--good); }
.grade.fair { color: var(--fair); }
.grade.poor { color: var(--poor); }
.grade.insufficient { color: var(--muted); }
.trend svg { inline-size: 1em; block-size: 1em; margin-inline-end: .3em; vertical-align: -.1em; fill: none; stroke: currentColor; stroke-width: 2; }
.trend:dir(rtl) svg { transform: scaleX(-1); }
.bar { display: flex; block-size: .5em; min-inline-size: 3em; border-radius: 2px; overflow: hidden; background: var(--raised); box-shadow: inset 0 0 0 1px var(--line); forced-color-adjust: none; }
.bar > span { background: var(--accent); }
.bar.stacked { block-size: 1em; }
.bar > .good { background: var(--good); } .bar > .fair { background: var(--fair); } .bar > .poor { background: var(--poor); }
.bar > .theirs { background: var(--meeting); }
.part0 { background: var(--email) !important; } .part1 { background: var(--meeting) !important; } .part2 { background: var(--call) !important; }
.part3 { background: var(--fair) !important; } .part4 { background: var(--poor) !important; }
.key { display: inline-block; inline-size: .8em; block-size: .8em; border-radius: 2px; margin-inline-end: .4em; forced-color-adjust: none; }
.key.email, .day .email { background: var(--email); } .key.meeting, .day .meeting { background: var(--meeting); } .key.call, .day .call { background: var(--call); }
table { border-collapse: collapse; inline-size: 100%; margin-block: .3em; }
caption { text-align: start; font-weight: 600; padding-block: .3em; }
caption small { font-weight: normal; }
th, td { text-align: start; vertical-align: top; padding: .25em .4em; border-block-end: 1px solid var(--line); font-weight: normal; overflow-wrap: anywhere; }
thead th { color: var(--muted); font-size: .86em; overflow-wrap: normal; }
tbody tr:last-child > * { border-block-end: 0; }
th:first-child, td:first-child { padding-inline-start: 0; }
.number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
.comparison .number { display: block; text-align: start; }
.parts th { hyphens: auto; }
.parts td { padding-inline-end: 0; }
.parts .bar { margin-block-start: .2em; }
.sum > * { font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5em, 1fr)); gap: .5em .8em; }
dt { color: var(--muted); font-size: .86em; }
.figures dd { font-weight: 600; overflow-wrap: anywhere; }
.figures dd small { font-weight: normal; display: block; margin: 0; }
.moments { display: grid; gap: .7em; }
.moments dd { font-weight: normal; }
.name { font-weight: 600; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15em), 1fr)); gap: 0 1.2em; }
.people .sides { display: flex; flex-wrap: wrap; }
.people .sides > * { flex: 1 1 min-content; inline-size: auto; }
.shares li { display: grid; grid-template-columns: 1fr 5em 3.5em; gap: .5em; align-items: center; padding-block: .15em; overflow-wrap: anywhere; }
.shares .whole { grid-column: 1 / -1; margin: 0; }
.known { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 16em), 1fr)); gap: .8em; }
.known .strong { color: var(--good); } .known .medium { color: var(--fair); } .known .weak { color: var(--poor); }
.meter { display: inline-flex; gap: 2px; forced-color-adjust: none; }
.meter span { inline-size: .5em; block-size: .9em; border: 1px solid currentColor; }
.meter .on { background: currentColor; }
.deals { min-inline-size: 46em; }
.deals th[scope="row"] { min-inline-size: 16em; }
.deals .whole { display: block; margin: 0; }
.averages .number { white-space: normal; }
.averages small { display: block; margin: 0; }
.graph { inline-size: 100%; min-inline-size: 32em; display: block; overflow: visible; forced-color-adjust: none; }
.graph text { fill: var(--text); paint-order: stroke; stroke: var(--surface); stroke-width: 4px; }
.graph circle { fill: var(--accent); }
.graph line { stroke: var(--line); }
.graph .far { stroke-dasharray: 4 4; }
.graph .near { stroke: var(--accent); }
.graph .strong { stroke: var(--good); } .graph .medium { stroke: var(--fair); } .graph .weak { stroke: var(--poor); }
input { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--muted); border-radius: 4px; padding: .25em .4em; max-inline-size: 100%; }
.summary li { padding-block: .25em; border-block-end: 1px solid var(--line); }
.summary li:last-child { border: 0; }
.days { display: flex; block-size: 9em; gap: 1px; forced-color-adjust: none; }
.day { flex: 1 1 0; min-inline-size: 2px; padding: 0; border: 0; border-radius: 1px; background: var(--raised); display: grid; grid-template-rows: 1fr 1px 1fr; }
.day:hover, .day:focus-visible { background: var(--line); outline-offset: 0; }
.day.unknown, .key.unknown { background: repeating-linear-gradient(45deg, var(--line) 0 2px, transparent 2px 5px); }
.day > span { display: flex; min-block-size: 0; }
.day .up { flex-direction: column-reverse; grid-row: 1; }
.day .down { flex-direction: column; grid-row: 3; opacity: .75; }
.axis { display: flex; justify-content: space-between; color: var(--muted); font-size: .86em; }
.readout { min-block-size: 1.5em; }
.scroll { overflow-x: auto; }
.ledger { min-inline-size: 44em; }
.ledger td { overflow-wrap: break-word; }
.ledger td:nth-child(-n + 2) { inline-size: 9em; }
.ledger td:nth-child(3) { overflow-wrap: anywhere; }
.ledger td:nth-child(4) { inline-size: 14em; }
.people { overflow-x: auto; }
.people th[scope="row"] { min-inline-size: 7em; }
.ledger tr:not(.is-counted) td { color: var(--muted); }
.ledger small { display: block; margin: 0; }
.ledger div small { display: inline; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: .4em 1em; }
.on-demand { margin-block: .8em; }
.state { border: 1px solid var(--line); border-radius: 6px; padding: 1em; background: var(--raised); }
.state.loading p { animation: wait 1.6s ease-in-out infinite alternate; }
@keyframes wait { to { opacity: .45; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`);
