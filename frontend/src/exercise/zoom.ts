// Moving about in a drawing: drag, wheel, keys. Law of this file: by the drawing's viewBox, so that it stays sharp at
// every size; the nodes' names stay in sight.

import { h } from "../shared/dom";
import { clamp } from "../shared/format";
import { axisOf, type Box, fitView, type Size, viewAround, xOf, zoomView } from "./view";

const LOWEST = 430; // CSS pixels of height that a long drawing is given: there is room for it when one comes closer
const STEP = 0.1; // share of the window by which an arrow key moves
const CLOSER = 0.7;
const GLIDE = 250; // ms

interface Wanted {
  x: number;
  y: number;
  width: number;
}

interface Shown {
  svg: SVGSVGElement;
  full: Size;
  /** The window's height by its width. */
  shape: number;
  view: Box;
  names: { x: number; y: number; label: HTMLElement }[];
}

export function makeZoom(figure: HTMLElement, calm: () => boolean) {
  const lanes = h("div", { class: "rl-lanes", "aria-hidden": "true" });
  let shown: Shown | null = null;
  let held: DOMPoint | null = null;

  function adopt(svg: SVGSVGElement) {
    const { width, height } = svg.viewBox.baseVal;
    const room = figure.clientWidth || width;
    const high = Math.round(Math.max((height * room) / width, Math.min(height, LOWEST)));
    svg.style.height = `${high}px`;
    const names = [...svg.querySelectorAll("text.st-node")].map((label) => ({
      x: Number(label.getAttribute("x")),
      y: Number(label.getAttribute("y")) - 4,
      label: h("span", {}, label.lastChild?.textContent),
    }));
    lanes.replaceChildren(...names.map(({ label }) => label));
    const view = { x: 0, y: 0, width, height };
    shown = { svg, full: { width, height }, shape: high / room, view, names };
    show(view);
  }

  function show(wanted: Wanted) {
    if (!shown) return;
    const view = fitView(shown.full, shown.shape, wanted);
    shown.view = view;
    shown.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    for (const { x, y, label } of shown.names) {
      const place = (y - view.y) / view.height;
      label.hidden = view.x < x - 20 || place < 0.02 || place > 0.98;
      label.style.top = `${100 * place}%`;
    }
  }

  function glide(goal: Wanted) {
    if (!shown || calm()) {
      show(goal);
      return;
    }
    const from = { ...shown.view };
    const mine = shown;
    const begun = performance.now();
    const step = (now: number) => {
      if (mine !== shown) return;
      const part = clamp((now - begun) / GLIDE, 0, 1);
      const ease = part * (2 - part);
      const between = (name: keyof Wanted) => from[name] + (goal[name] - from[name]) * ease;
      show({ x: between("x"), y: between("y"), width: between("width") });
      if (part < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function zoom(factor: number, at?: DOMPoint) {
    if (!shown) return;
    const { view, full } = shown;
    show(zoomView(full, view, factor, at?.x ?? view.x + view.width / 2, at?.y ?? view.y + view.height / 2));
  }

  function move(right: number, down: number) {
    if (!shown) return;
    const { x, y, width, height } = shown.view;
    show({ x: x + right * width, y: y + down * height, width });
  }

  function go(time: number) {
    if (shown) glide(viewAround(shown.full, shown.shape, xOf(axisOf(shown.svg), time)));
  }

  const closer = () => zoom(CLOSER);
  const farther = () => zoom(1 / CLOSER);
  const all = () => {
    if (shown) glide({ x: 0, y: 0, width: shown.full.width });
  };

  // -- pointer and keys

  function pointOf(event: MouseEvent): DOMPoint | null {
    const matrix = shown?.svg.getScreenCTM();
    return matrix ? new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()) : null;
  }

  const wheel = (event: WheelEvent) => {
    if (!shown || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const turned = Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100);
    zoom(Math.exp(turned * 0.0025), pointOf(event) ?? undefined);
  };
  figure.addEventListener("wheel", wheel, { passive: false });
  figure.addEventListener("pointerdown", (event) => {
    held = pointOf(event);
    if (held) figure.setPointerCapture(event.pointerId);
  });
  figure.addEventListener("pointermove", (event) => {
    const at = held && pointOf(event);
    if (held && at && shown) show({ ...shown.view, x: shown.view.x + held.x - at.x, y: shown.view.y + held.y - at.y });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    figure.addEventListener(end, () => {
      held = null;
    });
  }

  const keys: Record<string, () => void> = {
    "+": closer,
    "=": closer,
    "-": farther,
    0: all,
    ArrowLeft: () => move(-STEP, 0),
    ArrowRight: () => move(STEP, 0),
    ArrowUp: () => move(0, -STEP),
    ArrowDown: () => move(0, STEP),
  };
  figure.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || !shown || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });

  return { lanes, adopt, closer, farther, all, go };
}
