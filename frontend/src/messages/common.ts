// What both panels say and hear. Law of this file: types only.

/** Something that is to be said to the user. */
export interface Problem {
  id: string;
  text: string;
}

/** A trait before it has a content. */
export type Nothing = Record<string, never>;
