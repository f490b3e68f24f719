// Whose a key press is. Law of this file: what is pressed while something of the panel has the focus is the panel's, and
// never a command of the notebook around it ("x" would cut the panel's own cell).
//
// JupyterLab compares each key press with its shortcuts at the focused element first, and goes up from there until it
// meets an element with this attribute. The focused element itself must therefore carry it, whatever it is and whenever
// it was made. It gets it just before JupyterLab looks: JupyterLab listens at `document`, we at `window`.

const SUPPRESS = "data-lm-suppress-shortcuts";

/** Saving the notebook works from everywhere, as it does from an editor. */
const isSave = (event: KeyboardEvent): boolean => (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";

/** Keeps the key presses within `root` from the notebook. Returns how to end that. */
export function keepKeys(root: HTMLElement): () => void {
  root.tabIndex = -1; // a click between the controls focuses the panel, not the notebook's cell
  const listener = (event: KeyboardEvent) => {
    const target = event.target;
    if (target instanceof Element && root.contains(target)) target.toggleAttribute(SUPPRESS, !isSave(event));
  };
  window.addEventListener("keydown", listener, true);
  return () => window.removeEventListener("keydown", listener, true);
}

/** One stop of the Tab key for a whole group: arrow keys go from one of its items to the next, Home and End to the ends.
 * (The "roving tabindex" of the ARIA authoring practices.) Call the result when items were added. */
export function oneTabStop(group: Element, selector: string): () => void {
  const items = () => [...group.querySelectorAll<HTMLElement | SVGElement>(selector)];
  let current: Element | null = null;

  function refresh() {
    const all = items();
    if (!all.some((item) => item === current)) current = all[0] ?? null;
    for (const item of all) item.setAttribute("tabindex", item === current ? "0" : "-1");
  }

  group.addEventListener("focusin", (event) => {
    const item = (event.target as Element).closest(selector);
    if (item && item !== current) {
      current = item;
      refresh();
    }
  });
  group.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey } = event as KeyboardEvent;
    const all = items();
    const place = all.indexOf(event.target as HTMLElement);
    if (place < 0 || ctrlKey || metaKey || altKey) return;
    const last = all.length - 1;
    const next = {
      ArrowRight: place + 1,
      ArrowDown: place + 1,
      ArrowLeft: place - 1,
      ArrowUp: place - 1,
      Home: 0,
      End: last,
    };
    const goal = next[key as keyof typeof next];
    if (goal === undefined) return;
    event.preventDefault();
    all[(goal + all.length) % all.length]?.focus();
  });
  refresh();
  return refresh;
}
