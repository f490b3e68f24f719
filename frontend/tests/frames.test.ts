// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { h } from "../src/shared/dom";
import { makeFrames } from "../src/shared/frames";

let look: (changes: { target: Element; isIntersecting: boolean }[]) => void;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "cancelAnimationFrame", "performance"],
  });
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(act: typeof look) {
        look = act;
      }
      observe() {}
      disconnect() {}
    },
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function part(stands: () => number) {
  const frames = makeFrames();
  const el = h("div");
  const drawn: number[] = [];
  const made = frames.add(el, () => {
    drawn.push(performance.now());
    return stands();
  });
  const show = (isIntersecting: boolean) => look([{ target: el, isIntersecting }]);
  return { frames, drawn, show, wake: made.wake };
}

describe("a picture", () => {
  it("that nobody can see is not drawn", () => {
    const { drawn, wake } = part(() => 0);
    wake();
    vi.advanceTimersByTime(1000);
    expect(drawn).toEqual([]);
  });

  it("that stands for good is drawn once, and costs no timer afterwards", () => {
    const { drawn, show } = part(() => Infinity);
    show(true);
    vi.advanceTimersByTime(5000);
    expect(drawn).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that moves is drawn with each frame", () => {
    const { drawn, show } = part(() => 0);
    show(true);
    vi.advanceTimersByTime(480);
    expect(drawn.length).toBeGreaterThan(25);
  });

  it("is drawn again when it has stood for as long as it said", () => {
    const { drawn, show } = part(() => 300);
    show(true);
    vi.advanceTimersByTime(1250);
    expect(drawn.length).toBeGreaterThanOrEqual(4);
    expect(drawn.length).toBeLessThanOrEqual(5);
  });

  it("that stands long waits a little for another, to be drawn along with it", () => {
    const { frames, drawn: slow, show, wake } = part(() => 1000);
    const quick = h("div");
    const other = frames.add(quick, () => 700);
    look([{ target: quick, isIntersecting: true }]);
    show(true);
    vi.advanceTimersByTime(50);
    expect(slow).toHaveLength(1);
    vi.advanceTimersByTime(1050); // it is due, and nothing else was drawn since
    expect(slow).toHaveLength(1);
    other.wake();
    vi.advanceTimersByTime(20);
    expect(slow).toHaveLength(2);
    wake(); // what has changed does not wait
    vi.advanceTimersByTime(20);
    expect(slow).toHaveLength(3);
  });

  it("is drawn soon after something has changed", () => {
    const { drawn, show, wake } = part(() => Infinity);
    show(true);
    vi.advanceTimersByTime(1000);
    wake(200);
    vi.advanceTimersByTime(150);
    expect(drawn).toHaveLength(1);
    vi.advanceTimersByTime(100);
    expect(drawn).toHaveLength(2);
  });

  it("is drawn when it comes into view again, and not while it is out of it", () => {
    const { drawn, show } = part(() => 0);
    show(true);
    vi.advanceTimersByTime(100);
    show(false);
    vi.advanceTimersByTime(20);
    const before = drawn.length;
    vi.advanceTimersByTime(1000);
    expect(drawn).toHaveLength(before);
    show(true);
    vi.advanceTimersByTime(20);
    expect(drawn).toHaveLength(before + 1);
  });

  it("is drawn no more after the end", () => {
    const { drawn, show, frames } = part(() => 0);
    show(true);
    vi.advanceTimersByTime(100);
    frames.end();
    const before = drawn.length;
    vi.advanceTimersByTime(1000);
    expect(drawn).toHaveLength(before);
  });
});
