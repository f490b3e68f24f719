// What both panels say and hear. Law of this file: types only.

/** Something that is to be said to the user. */
export interface Problem {
  id: string;
  text: string;
}

/** A trait before it has a content. */
export type Nothing = Record<string, never>;

/** Every command carries a number, by which Python says that it has been heard or done. */
export type Numbered<Command> = Command & { id: number };
