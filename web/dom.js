/** Elements from data. Text becomes text nodes and nothing is ever parsed as HTML, so that no name can become markup. */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "circle", "line", "rect", "text"]);

/**
 * An element. `properties`: attributes (null, undefined and false are left out, true is empty), `onclick`-like functions as
 * listeners, and `style` as an object of CSS properties, set one by one because a strict Content-Security-Policy refuses
 * style attributes. `children`: nodes, texts, numbers, lists of them; null and false are left out.
 */
export function h(tag, properties, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [rule, text] of Object.entries(value)) element.style.setProperty(rule, text);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** A term and its value, for `dl.figures`. */
export function figure(term, value, note) {
  return h("div", {}, h("dt", {}, term), h("dd", {}, value, note && h("small", {}, note)));
}

/** A titled part of a record's page; `kind` names it for style and tests. */
export function section(kind, title, ...children) {
  const id = `title-${kind}`;
  return h("section", { class: `widget ${kind}`, "aria-labelledby": id }, h("h3", { id }, title), ...children);
}

/** A horizontal bar of `share` (0 to 1); what it says stands in words beside it. */
export function bar(share, kind = "") {
  const width = `${Math.min(Math.max(share, 0), 1) * 100}%`;
  return h("span", { class: "bar", "aria-hidden": "true" }, h("span", { class: kind, style: { "inline-size": width } }));
}
