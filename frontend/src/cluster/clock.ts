// The cluster's time between two pieces of news. Law of this file: it knows no screen; the time that it tells never
// jumps but where the past has changed.

const FAR = 0.6; // seconds between guess and news from which on the guess is dropped
const GLIDE = 5; // seconds: a step of a halted simulation up to this length is shown as passing
const PULL = 0.15; // share of a small error that each piece of news corrects

export interface Clock {
  now(): number;
  /** News: it is `time`, and `rate` seconds pass in one (0: halted). `again`: the past has changed. */
  tell(time: number, rate: number, again?: boolean): void;
  /** Never 0: a halted simulation still shows its last step at the speed of real time. */
  readonly rate: number;
  readonly known: boolean;
  /** Whether time passes, or stands where it was last told. */
  readonly moving: boolean;
}

/** `wall` gives milliseconds. */
export function makeClock(wall: () => number = () => performance.now()): Clock {
  let base = 0;
  let since = wall();
  let rate = 1;
  let limit = Infinity;
  let known = false;

  const free = () => base + ((wall() - since) / 1000) * (rate || 1);
  const now = () => Math.min(limit, free());

  function tell(time: number, newRate: number, again = false) {
    if (again) known = false;
    const guess = now();
    const ahead = time - guess;
    if (newRate === 0) {
      // It glides to the time of the last step and stands there.
      base = known && ahead >= 0 && ahead < GLIDE ? guess : time;
      limit = time;
    } else {
      base = !known || rate !== newRate || Math.abs(ahead) > FAR ? time : guess + ahead * PULL;
      limit = Infinity;
    }
    since = wall();
    rate = newRate;
    known = true;
  }

  return {
    now,
    tell,
    get rate() {
      return rate || 1;
    },
    get known() {
      return known;
    },
    get moving() {
      return known && free() < limit;
    },
  };
}
