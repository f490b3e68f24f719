import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, makeClock } from "../src/cluster/clock";

let wall = 0;
let clock: Clock;

const pass = (seconds: number) => {
  wall += 1000 * seconds;
};

beforeEach(() => {
  wall = 5000;
  clock = makeClock(() => wall);
});

describe("the cluster's clock", () => {
  it("goes on between two pieces of news", () => {
    clock.tell(100, 1);
    pass(0.5);
    expect(clock.now()).toBeCloseTo(100.5);
    expect(clock.moving).toBe(true);
  });

  it("goes at the speed of the simulation", () => {
    clock.tell(0, 0.2);
    pass(2);
    expect(clock.now()).toBeCloseTo(0.4);
    expect(clock.rate).toBe(0.2);
  });

  it("corrects a small error a little at a time, so that nothing jumps", () => {
    clock.tell(100, 1);
    pass(1);
    clock.tell(101.4, 1);
    expect(clock.now()).toBeCloseTo(101.06);
  });

  it("jumps where the error is large", () => {
    clock.tell(100, 1);
    pass(1);
    clock.tell(160, 1);
    expect(clock.now()).toBeCloseTo(160);
  });

  it("glides to the end of a step of a halted simulation, and stands there", () => {
    clock.tell(1, 0);
    clock.tell(1.5, 0);
    expect(clock.now()).toBeCloseTo(1);
    pass(0.25);
    expect(clock.now()).toBeCloseTo(1.25);
    expect(clock.moving).toBe(true);
    pass(10);
    expect(clock.now()).toBe(1.5);
    expect(clock.moving).toBe(false);
  });

  it("does not glide through a long step", () => {
    clock.tell(1, 0);
    clock.tell(40, 0);
    expect(clock.now()).toBe(40);
  });

  it("stands at once at the moment that one went back to", () => {
    clock.tell(30, 1);
    pass(3);
    clock.tell(1.5, 0, true);
    expect(clock.now()).toBe(1.5);
    pass(1);
    expect(clock.now()).toBe(1.5);
    expect(clock.moving).toBe(false);
  });

  it("does not know the time before anybody has told it", () => {
    expect(clock.known).toBe(false);
    expect(clock.moving).toBe(false);
  });
});
