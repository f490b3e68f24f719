import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, makeClock } from "../src/cluster/clock";
import { FADE, type Flights, HOLDBACK, makeFlights, SHORTEST, type Sight, WAIT } from "../src/cluster/flights";
import type { Family, News, Sent } from "../src/messages/cluster";

const whole = () => false;
const news = (more: Partial<News>): News => ({ type: "news", now: 0, rate: 1, ...more });
const sent = (id: string, time: number, family: Family = "heartbeat"): Sent => [
  id,
  family,
  "node-1",
  "node-2",
  "Heartbeat",
  time,
];

let wall = 0;
let clock: Clock;
let flights: Flights;

const pass = (milliseconds: number) => {
  wall += milliseconds;
};
const look = (delay = 0, calm = false): Sight[] => flights.sights(wall, delay, calm);

beforeEach(() => {
  wall = 0;
  clock = makeClock(() => wall);
  clock.tell(100, 1);
  flights = makeFlights(clock, () => wall);
});

describe("a message", () => {
  it("is seen a little after it was sent, on its way, and then no more", () => {
    flights.take(news({ messages: [sent("a", 100)], arrived: [["a", 100.002]] }), whole);
    expect(look()).toEqual([]);
    expect(flights.nextIn()).toBeCloseTo(1000 * HOLDBACK);

    pass(1000 * HOLDBACK);
    expect(look()[0]?.progress).toBeCloseTo(0);
    pass(SHORTEST / 2);
    expect(look()[0]?.progress).toBeCloseTo(0.5);
    pass(SHORTEST / 2);
    expect(look()).toEqual([]);
    expect(flights.count).toBe(0);
  });

  it("is seen where it is by now, where pictures are far apart", () => {
    for (let number = 0; number < 4; number++) {
      const time = 100 + number / 20;
      flights.take(news({ messages: [sent(`m${number}`, time)], arrived: [[`m${number}`, time + 0.002]] }), whole);
    }
    look();
    pass(220);
    const places = look().map(({ progress }) => Math.round(progress * SHORTEST));
    expect(places).toEqual([100, 50, 0]); // and not three at one place
  });

  it("flies as long as it really took, where that is longer", () => {
    flights.take(news({ messages: [sent("a", 100, "replication")] }), whole);
    pass(1000 * HOLDBACK);
    look(2000);
    pass(1000);
    expect(look(2000)[0]?.progress).toBeCloseTo(0.5);
  });

  it("waits at its goal for an answer, and is then shown as lost", () => {
    flights.take(news({ messages: [sent("a", 100)] }), whole);
    pass(1000 * HOLDBACK);
    look();
    pass(SHORTEST + WAIT - 10);
    expect(look()[0]).toMatchObject({ progress: 0.94 });
    expect(look()[0]?.fading).toBeUndefined();
    pass(10 + FADE / 2);
    expect(look()[0]?.fading).toBeCloseTo(0.5);
    pass(FADE);
    expect(look()).toEqual([]);
  });

  it("that the network lost ends as a cross in the middle", () => {
    flights.take(news({ lost: [sent("a", 100)] }), whole);
    pass(1000 * HOLDBACK);
    look();
    pass(SHORTEST / 2 + FADE / 2);
    expect(look()[0]).toMatchObject({ progress: 0.5 });
    expect(look()[0]?.fading).toBeCloseTo(0.5);
  });

  it("over a cut link ends there, too", () => {
    flights.take(news({ messages: [sent("a", 100)] }), () => true);
    pass(1000 * HOLDBACK);
    look();
    pass(SHORTEST);
    expect(look()[0]?.fading).toBeDefined();
  });

  it("whose arrival was told before its departure is not taken for lost", () => {
    flights.take(news({ arrived: [["a", 100.002]] }), whole);
    flights.take(news({ messages: [sent("a", 100)] }), whole);
    pass(1000 * HOLDBACK);
    look();
    pass(SHORTEST);
    expect(look()).toEqual([]);
  });

  it("stands still where the user wants nothing to move", () => {
    flights.take(news({ messages: [sent("a", 100)] }), whole);
    pass(1000 * HOLDBACK + 1);
    const places = new Set<number>();
    for (let step = 0; step < 5; step++) {
      places.add(look(0, true)[0]?.progress ?? Number.NaN);
      pass(80);
    }
    expect([...places]).toEqual([0.62]);
  });
});

describe("while nobody looked", () => {
  /** News of ten seconds, fifty messages in each, with nobody drawing. */
  function unseen() {
    for (let number = 0; number < 500; number++) {
      const time = 100 + number / 50;
      pass(20);
      flights.take(news({ messages: [sent(`m${number}`, time)], arrived: [[`m${number}`, time + 0.002]] }), whole);
    }
  }

  it("what is over is not kept", () => {
    unseen();
    expect(flights.count).toBeLessThan(70);
  });

  it("what is over is not shown afterwards, all at once", () => {
    unseen();
    const seen = look();
    const places = seen.map(({ progress }) => Math.round(10 * progress));
    expect(seen.every(({ flight }) => flight.time > 109)).toBe(true);
    expect(new Set(places).size).toBeGreaterThan(6); // all along the way, as they always are
  });

  it("a slow message that is still on its way is shown where it is", () => {
    flights.take(news({ messages: [sent("slow", 100, "replication")] }), whole);
    pass(1500 + 1000 * HOLDBACK);
    expect(look(2000)[0]?.progress).toBeCloseTo(0.75);
  });
});

describe("another moment", () => {
  it("ends what was in the air, and what was sent before it", () => {
    flights.take(news({ messages: [sent("a", 100)] }), whole);
    clock.tell(50, 1, true);
    flights.forget(50);
    flights.take(news({ messages: [sent("old", 20), sent("new", 50)] }), whole);
    expect(flights.count).toBe(1);
  });

  it("of a halted simulation wants no drawing", () => {
    clock.tell(50, 0, true);
    flights.forget(50);
    flights.take(news({ messages: [sent("a", 50)] }), whole);
    expect(look()).toEqual([]);
    expect(flights.nextIn()).toBe(Infinity);
  });
});
