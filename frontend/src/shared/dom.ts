// Elements made and changed. Law of this file: it knows no cluster and no exercise.

type Child = Node | string | null | undefined;
type Children = (Child | Child[])[];
type Attributes = Record<string, unknown>;

const SVG = "http://www.w3.org/2000/svg";

function fill<Made extends Element>(element: Made, attributes: Attributes, children: Children): Made {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

/** An HTML element. An attribute `onclick` and the like is a listener; one that is false or null is left out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Children
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Children
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// What stays as it is is not touched: focus, selection and screen readers are left in peace.

export function setText(element: Element, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}

export function setAttribute(element: Element, name: string, value: string | number | boolean): void {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

export function setAttributes(element: Element, attributes: Record<string, string | number | boolean>): void {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
}

/** Shows an element of SVG, or not (`hidden` is HTML's). */
export function setShown(element: SVGElement, shown: boolean): void {
  element.style.display = shown ? "" : "none";
}

/** A drawing that came as text. It was made by Python; scripts are taken out all the same. */
export function drawingOf(svg: string): SVGSVGElement {
  const drawing = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  for (const script of drawing.querySelectorAll("script")) script.remove();
  return document.importNode(drawing, true) as unknown as SVGSVGElement;
}

export const card = (title: string, className: string, ...children: Children): HTMLElement =>
  h("section", { class: `rl-card ${className}`, "aria-label": title }, h("h3", {}, title), ...children);
