/**
 * JSON that gives every number back as it was written.
 *
 * JavaScript has doubles only: it reads 9007199254740993 as 9007199254740992, and 1.0 as 1. A node that stores what
 * others wrote must not change it. So a number that would come out differently travels as a marked string inside this
 * program, and leaves it as the number that it was.
 */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const NUMBER = "\u0000#";
const STRING = "\u0000$"; // in front of a string that happens to begin like a mark
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const STRINGS = /"(?:[^"\\]|\\.)*"/g;
const NUL = '"\\u0000'; // JSON has no other way to write this character

/** Throws a SyntaxError for what is no JSON. */
export function parse(text: string): Json {
  JSON.parse(text); // the marks below are put into correct JSON only
  return JSON.parse(text.replace(TOKENS, mark)) as Json;
}

function mark(token: string): string {
  if (token.startsWith('"')) {
    return token.startsWith(NUL) ? `"\\u0000$${token.slice(1)}` : token;
  }
  return String(Number(token)) === token ? token : `"\\u0000#${token}"`;
}

export function stringify(value: unknown): string {
  return JSON.stringify(value).replace(STRINGS, unmark);
}

function unmark(token: string): string {
  if (!token.startsWith(NUL)) {
    return token;
  }
  const rest = token.slice(NUL.length + 1);
  return token[NUL.length] === "#" ? rest.slice(0, -1) : `"${rest}`;
}

/** The text of a number that JavaScript would change; undefined for anything else. */
export function exactNumber(value: Json): string | undefined {
  return typeof value === "string" && value.startsWith(NUMBER) ? value.slice(NUMBER.length) : undefined;
}

/** A string as its sender wrote it. */
export function plainString(value: string): string {
  return value.startsWith(STRING) ? value.slice(STRING.length) : value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A string from elsewhere than JSON, in the form that this program keeps. */
export function keptString(value: string): string {
  return value.startsWith("\u0000") ? STRING + value : value;
}
