// What the panels' scripts share: elements, icons, buttons. Law of this file: it knows no cluster and no exercise.
// `labs/panel/static/__init__.py` puts it in front of a panel's own script; the two are one ES module.

function make(space, tag, attributes = {}, ...children) {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}
const h = (tag, attributes, ...children) => make(null, tag, attributes, ...children);
const s = (tag, attributes, ...children) => make("http://www.w3.org/2000/svg", tag, attributes, ...children);

const text = (element, value) => { if (element.textContent !== value) element.textContent = value; };
const attribute = (element, name, value) => { if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value); };
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const seconds = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0)) + " s";

const ICONS = {
  start: "M5 3 13 8 5 13Z",
  resume: "M3 3h2.6v10H3ZM7.5 3 14 8 7.5 13Z",
  pause: "M4 3h3v10H4ZM9 3h3v10H9Z",
  stop: "M3.5 3.5h9v9h-9Z",
  kill: "M9 1 3 9h4l-1 6 7-9H9Z",
  crown: "M1.5 12.5 0 4l4.5 3.4L8 1.5l3.5 5.9L16 4l-1.5 8.5Z",
  cut: "M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8 14 12.6 12.6 14 8 9.4 3.4 14 2 12.6 6.6 8 2 3.4Z",
  step: "M3 3 10 8 3 13ZM11 3h2.5v10H11Z",
  rewind: "M13 3 6 8l7 5ZM2.5 3H5v10H2.5Z",
};
const icon = (name) => s("svg", { viewBox: "0 0 16 16", class: "rl-icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));

// A button that is never `disabled` (the keyboard could not reach it then, and nobody could read why it does
// nothing): where it cannot act it is dimmed, carries the reason as its title, and says it when pressed.
function button(label, { name, title = "", act, kind = "" }) {
  const el = h("button", { type: "button", class: `rl-button ${kind}` }, name ? icon(name) : null, h("span", {}, label));
  let reason = "";
  el.addEventListener("click", () => (reason ? el.dispatchEvent(new CustomEvent("rl-why", { bubbles: true, detail: reason })) : act()));
  const allow = (why = "") => {
    reason = why;
    attribute(el, "aria-disabled", String(Boolean(why)));
    attribute(el, "title", why || title);
  };
  allow();
  return { el, allow };
}

function copyButton(what) {
  const { el } = button("Copy", {
    title: "Copy to the clipboard",
    act: () => navigator.clipboard.writeText(what()).then(() => flash(el, "Copied"), () => flash(el, "Select it and press Ctrl+C")),
    kind: "rl-small",
  });
  return el;
}

function flash(el, message) {
  const label = el.querySelector("span");
  const before = label.textContent;
  label.textContent = message;
  setTimeout(() => (label.textContent = before), 1500);
}

const card = (title, className, ...children) =>
  h("section", { class: `rl-card ${className}`, "aria-label": title }, h("h3", {}, title), ...children);
