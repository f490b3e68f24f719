// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeCommands } from "../src/shared/commands";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function make(begun: number[] = []) {
  const sent: { do: string; id: number }[] = [];
  const queued: boolean[] = [];
  const commands = makeCommands<{ do: string }>(
    (message) => sent.push(message),
    (waiting) => queued.push(waiting),
    () => begun,
  );
  return { commands, sent, queued };
}

describe("commands", () => {
  it("are numbered one by one", () => {
    const { commands, sent } = make();
    commands.ask({ do: "heal" });
    commands.ask({ do: "heal" });
    expect((sent[1]?.id ?? 0) - (sent[0]?.id ?? 0)).toBe(1);
  });

  it("that a free kernel acknowledges are said nothing about", () => {
    const { commands, sent, queued } = make();
    commands.ask({ do: "heal" });
    vi.advanceTimersByTime(200);
    commands.acknowledge(sent[0]?.id ?? null);
    vi.advanceTimersByTime(10_000);
    expect(queued).not.toContain(true);
  });

  it("that a busy kernel leaves alone are said to wait, until it hears them", () => {
    const { commands, sent, queued } = make();
    commands.ask({ do: "heal" });
    vi.advanceTimersByTime(2100);
    expect(queued.at(-1)).toBe(true);
    commands.acknowledge(sent[0]?.id ?? null);
    expect(queued.at(-1)).toBe(false);
  });

  it("that are being carried out do not count as waiting, however long they take", () => {
    const begun: number[] = [];
    const { commands, sent, queued } = make(begun);
    commands.ask({ do: "start" });
    begun.push(sent[0]?.id ?? 0);
    vi.advanceTimersByTime(30_000);
    expect(queued).not.toContain(true);
  });

  it("need no timer while none waits", () => {
    const { commands, sent } = make();
    expect(vi.getTimerCount()).toBe(0);
    commands.ask({ do: "heal" });
    commands.acknowledge(sent[0]?.id ?? null);
    expect(vi.getTimerCount()).toBe(0);
    commands.ask({ do: "heal" });
    commands.end();
    expect(vi.getTimerCount()).toBe(0);
  });
});
