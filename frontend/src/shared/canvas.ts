// A canvas in the screen's own resolution, and the colours to draw in. Law of this file: colours come from the
// stylesheet, so that the drawing follows JupyterLab's theme.

const NAMES = [
  "ink",
  "faint",
  "line",
  "card",
  "leader",
  "leader-ink",
  "crown",
  "follower",
  "candidate",
  "stopped",
  "bad",
  "good",
  "unknown",
  "heartbeat",
  "replication",
  "election",
  "alive",
  "warn-ink",
] as const;

export type Colour = (typeof NAMES)[number];
export type Colours = Record<Colour | "font", string>;

/** The colours as they are now; `refresh` reads them again after a change of theme. */
export function makeColours(root: Element): { colours: Colours; refresh(): void } {
  const colours = { font: "" } as Colours;
  const refresh = () => {
    const style = getComputedStyle(root);
    for (const name of NAMES) colours[name] = style.getPropertyValue(`--rl-${name}`).trim();
    colours.font = style.fontFamily;
  };
  return { colours, refresh };
}

export type Pen = CanvasRenderingContext2D;

/** Gives the canvas this size in CSS pixels. What was drawn is gone. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): Pen {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser cannot draw on a canvas");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}

/** One line, from point to point. */
export function drawLine(pen: Pen, ...points: [x: number, y: number][]): void {
  pen.beginPath();
  for (const [index, [x, y]] of points.entries()) {
    if (index) pen.lineTo(x, y);
    else pen.moveTo(x, y);
  }
  pen.stroke();
}

/** An x whose arms reach `size` from its middle. */
export function drawX(pen: Pen, x: number, y: number, size: number): void {
  pen.beginPath();
  pen.moveTo(x - size, y - size);
  pen.lineTo(x + size, y + size);
  pen.moveTo(x + size, y - size);
  pen.lineTo(x - size, y + size);
  pen.stroke();
}
