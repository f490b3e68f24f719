// Commands on their way to Python. Law of this file: it knows no cluster and no exercise, and runs no timer while
// nothing waits.

const LATE = 1500; // ms without an acknowledgement after which the kernel is taken to be busy
const LOOK_EVERY = 500; // ms

export interface Commands<Command> {
  /** Returns the command's number. */
  ask(command: Command): number;
  /** Python has acknowledged the command of this number. */
  acknowledge(id: number | null): void;
  /** The view is closed. */
  end(): void;
}

/** `queue` is told whether a command waits for longer than a free kernel would take; `begun` are the numbers of those
 * that are being carried out. */
export function makeCommands<Command extends object>(
  send: (message: Command & { id: number }) => void,
  queue: (waiting: boolean) => void,
  begun: () => number[] = () => [],
): Commands<Command> {
  const sent = new Map<number, number>();
  let number = Math.floor(Math.random() * 1e6) * 1000; // another view of the same panel numbers its own
  let timer = 0;

  function look() {
    clearTimeout(timer);
    const now = performance.now();
    const known = new Set(begun());
    queue([...sent].some(([id, since]) => now - since >= LATE && !known.has(id)));
    if (sent.size) timer = window.setTimeout(look, LOOK_EVERY);
  }

  return {
    ask(command) {
      number += 1;
      sent.set(number, performance.now());
      send({ ...command, id: number });
      if (sent.size === 1) timer = window.setTimeout(look, LOOK_EVERY);
      return number;
    },
    acknowledge(id) {
      if (id !== null && sent.delete(id)) look();
    },
    end: () => clearTimeout(timer),
  };
}
