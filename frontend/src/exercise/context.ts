// What every part of the exercise panel is given, and the words for what a check has come to. Law of this file: a state
// is told by its sign and its word; colour only repeats them.

import type { BoardCommand, BoardTraits, Over, State } from "../messages/exercise";

export interface Context {
  /** Different for each panel of a page. */
  id: string;
  /** Whether the user wants nothing to move. */
  calm(): boolean;
  get<Trait extends keyof BoardTraits>(trait: Trait): BoardTraits[Trait];
  ask(command: BoardCommand): void;
  /** Why the reference solution cannot be shown; empty: it can. */
  whyNoReference(): string;
}

/** A part of the panel. It builds its elements once and then only changes them. */
export interface View {
  el: HTMLElement;
  update(): void;
}

export const STATES: Record<State, [sign: string, word: string]> = {
  idle: ["–", "not run"],
  waiting: ["…", "waits"],
  running: ["", "running"],
  passed: ["✓", "passed"],
  part: ["◐", "in part"],
  failed: ["✗", "failed"],
  skipped: ["»", "skipped"],
  not_attempted: ["○", "not attempted"],
  error: ["!", "no mark"],
};

const OVER: ReadonlySet<State> = new Set<Over>(["passed", "part", "failed", "skipped", "not_attempted", "error"]);
export const isOver = (state: State): boolean => OVER.has(state);
export const isWrong = (state: State): boolean => state === "failed" || state === "part";
