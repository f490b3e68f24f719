/** What may be stored: what every member of the cluster, whatever its language, can save, send and give back. */

import { exactNumber, isObject, type Json, plainString } from "./json.js";

const MOST_BYTES = 1_048_576;
const MOST_ITEMS = 1000;
const MOST_LEVELS = 100;
const MOST_DIGITS = 308;

/** Why a value is not taken; undefined if it is. */
export function whyNot(value: Json): string | undefined {
  const counted = { items: 0, bytes: 0 };
  const fault = look(value, 1, counted);
  if (fault !== undefined) {
    return fault;
  }
  return counted.bytes > MOST_BYTES ? `The value takes more than ${MOST_BYTES} bytes` : undefined;
}

function look(value: Json, level: number, counted: { items: number; bytes: number }): string | undefined {
  if (typeof value === "string") {
    return lookAtText(value, counted);
  }
  counted.bytes += 8;
  if (!isObject(value) && !Array.isArray(value)) {
    return undefined;
  }
  if (level > MOST_LEVELS) {
    return `The value has more than ${MOST_LEVELS} arrays and objects within each other`;
  }
  const parts = Object.entries(value);
  counted.items += Math.max(parts.length, 1);
  if (counted.items > MOST_ITEMS) {
    return `The value has more than ${MOST_ITEMS} items`;
  }
  for (const [name, part] of parts) {
    const fault = lookAtText(name, counted) ?? look(part as Json, level + 1, counted);
    if (fault !== undefined) {
      return fault;
    }
  }
  return undefined;
}

function lookAtText(text: string, counted: { bytes: number }): string | undefined {
  const number = exactNumber(text);
  if (number !== undefined) {
    counted.bytes += number.length;
    const digits = number.replace("-", "");
    if (/^\d+$/.test(digits) && digits.length > MOST_DIGITS) {
      return `An integer has more than ${MOST_DIGITS} digits`;
    }
    return Number.isFinite(Number(number)) ? undefined : `The number ${number} is too large`;
  }
  const plain = plainString(text);
  for (let place = 0; place < plain.length; place += 1) {
    const code = plain.codePointAt(place) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) {
      return "A string holds half a surrogate pair, which is not Unicode text";
    }
    place += code > 0xffff ? 1 : 0;
    counted.bytes += code > 0xffff ? 12 : code > 0x7e ? 6 : 1;
  }
  return undefined;
}
