// Pan and zoom by the SVG's viewBox: nothing is drawn anew, so it stays sharp at every size.
(() => {
  const figure = document.querySelector("figure");
  const svg = figure.querySelector("svg");
  const whole = svg.viewBox.baseVal;
  const all = { x: 0, y: 0, width: whole.width, height: whole.height };
  let view = { ...all };
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");

  const show = (next) => {
    const width = Math.min(all.width, Math.max(all.width / 400, next.width));
    const height = (width / all.width) * all.height;
    const within = (value, room) => Math.min(Math.max(value, 0), room);
    view = { width, height, x: within(next.x, all.width - width), y: within(next.y, all.height - height) };
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  };

  const glide = (goal) => {
    if (still.matches) return show(goal);
    const from = { ...view }, begun = performance.now();
    const step = (now) => {
      const part = Math.min(1, (now - begun) / 250), ease = part * (2 - part);
      const between = (name) => from[name] + (goal[name] - from[name]) * ease;
      show({ x: between("x"), y: between("y"), width: between("width") });
      if (part < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  };

  // The point (px, py) of the drawing stays where it is on the screen.
  const zoom = (factor, px = view.x + view.width / 2, py = view.y + view.height / 2) => {
    const width = Math.min(all.width, Math.max(all.width / 400, view.width * factor)), real = width / view.width;
    show({ x: px - (px - view.x) * real, y: py - (py - view.y) * real, width });
  };

  const inDrawing = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const move = (dx, dy) => show({ ...view, x: view.x + dx * view.width, y: view.y + dy * view.height });

  figure.addEventListener("wheel", (event) => {
    event.preventDefault();
    const at = inDrawing(event);
    zoom(Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100) * 0.0025), at.x, at.y);
  }, { passive: false });

  let held = null;
  figure.addEventListener("pointerdown", (event) => {
    held = inDrawing(event);
    figure.setPointerCapture(event.pointerId);
    figure.classList.add("moving");
  });
  figure.addEventListener("pointermove", (event) => {
    if (!held) return;
    const at = inDrawing(event);
    show({ ...view, x: view.x + held.x - at.x, y: view.y + held.y - at.y });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    figure.addEventListener(end, () => { held = null; figure.classList.remove("moving"); });
  }

  const actions = { in: () => zoom(0.7), out: () => zoom(1 / 0.7), all: () => glide(all) };
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => actions[button.dataset.do]());
  }
  const keys = {
    "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.all,
    ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, -0.1), ArrowDown: () => move(0, 0.1),
  };
  figure.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });

  const { start, end, left, right } = svg.dataset;
  for (const button of document.querySelectorAll("[data-time]")) {
    button.addEventListener("click", () => {
      const share = (button.dataset.time - start) / (end - start);
      const width = all.width / 4, x = Number(left) + share * (right - left) - width / 2;
      glide({ x, y: (all.height - all.height / 4) / 2, width });
      figure.scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
    });
  }
})();
