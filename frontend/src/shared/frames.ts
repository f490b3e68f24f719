// When something is drawn. Law of this file: nothing is drawn that nobody can see, and nothing that has not changed. A
// part says after each drawing how long its picture will stand; a picture that stands for good costs nothing.

/** Milliseconds after which it wants to be drawn again: 0 with the next frame, Infinity when it is woken. */
export type Draw = (stamp: number) => number;

export interface Part {
  /** Something has changed: draw within so many milliseconds (0: with the next frame). */
  wake(within?: number): void;
}

export interface Frames {
  /** `draw` is called while `el` is in view. */
  add(el: Element, draw: Draw): Part;
  end(): void;
}

const ALONG = 30; // ms: what is due that soon is drawn along with what is due now
const LONG = 400; // ms: a picture that stands so long may stand a little longer, to be drawn along with another
const LONGER = 0.25; // share of its time

interface Entry {
  draw: Draw;
  visible: boolean;
  due: number;
  /** ms for which it can wait for another to be drawn. */
  slack: number;
}

export function makeFrames(): Frames {
  const entries = new Map<Element, Entry>();
  let frame = 0;
  let timer = 0;

  function schedule() {
    if (frame) return;
    clearTimeout(timer);
    let due = Infinity;
    for (const entry of entries.values()) if (entry.visible) due = Math.min(due, entry.due + entry.slack);
    if (due === Infinity) return;
    const wait = due - performance.now();
    const request = () => {
      frame = requestAnimationFrame(run);
    };
    if (wait <= 1) request();
    else timer = window.setTimeout(request, wait);
  }

  function run(stamp: number) {
    frame = 0;
    const now = performance.now();
    for (const entry of entries.values()) {
      if (!entry.visible || entry.due > now + ALONG) continue;
      entry.due = Infinity; // what wakes it while it draws counts
      entry.slack = 0;
      const stands = entry.draw(stamp);
      if (now + stands >= entry.due) continue;
      entry.due = now + stands;
      entry.slack = stands >= LONG ? stands * LONGER : 0;
    }
    schedule();
  }

  const sight = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const entry = entries.get(target);
      if (!entry) continue;
      entry.visible = isIntersecting;
      if (isIntersecting) entry.due = entry.slack = 0;
    }
    schedule();
  });

  return {
    add(el, draw) {
      const entry = { draw, visible: false, due: 0, slack: 0 };
      entries.set(el, entry);
      sight.observe(el);
      return {
        wake(within = 0) {
          const due = performance.now() + within;
          if (due < entry.due + entry.slack) {
            entry.due = Math.min(entry.due, due);
            entry.slack = due - entry.due;
          }
          schedule();
        },
      };
    },
    end() {
      sight.disconnect();
      entries.clear();
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}
