// Whether it is worth drawing each picture: somebody points at the panel or uses its keys, or something has just
// happened. Law of this file: it decides nothing else.

const LASTS = 3000; // ms after the last reason
const SIGNS = ["pointermove", "pointerdown", "wheel", "keydown"];

export interface Attention {
  readonly lively: boolean;
  /** Something has happened. */
  stir(): void;
  end(): void;
}

/** `roused` is called when it begins; `wall` gives milliseconds. */
export function makeAttention(root: EventTarget, roused: () => void, wall = () => performance.now()): Attention {
  let until = -Infinity;

  function stir() {
    const asleep = wall() > until;
    until = wall() + LASTS;
    if (asleep) roused();
  }

  for (const sign of SIGNS) root.addEventListener(sign, stir, { passive: true });
  return {
    get lively() {
      return wall() <= until;
    },
    stir,
    end() {
      for (const sign of SIGNS) root.removeEventListener(sign, stir);
    },
  };
}
