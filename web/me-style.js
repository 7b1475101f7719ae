/** How the user's own page looks, beside what all elements share. */

export const ME = new CSSStyleSheet();

ME.replaceSync(`
.stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: .8em; margin-block: .8em; justify-items: start; }
.stack > * { inline-size: 100%; }
.stack > button { inline-size: auto; }
.targets { display: flex; flex-wrap: wrap; gap: .4em 1em; margin-block: .4em; }
.choices > div { margin-block-end: .7em; }
.choices label { font-weight: 600; }
.choices form label { font-weight: normal; }
.mail { white-space: pre-wrap; overflow-wrap: anywhere; }
.inbox button, .choices button { margin-block: .2em; }
`);
