// Numbers and texts as people read them. Law of this file: pure.

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** A length of time: one decimal below ten seconds. */
export const seconds = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;

/** A text with at most `limit` characters; what is left out is counted. */
export function clip(text: string, limit: number): string {
  const characters = [...text.slice(0, 2 * limit + 2)];
  if (characters.length <= limit && text.length <= 2 * limit + 2) return text;
  return `${characters.slice(0, limit).join("")}… (${text.length} characters)`;
}

/** A moment: of the simulation in seconds since it began, of real nodes as the clock on the wall shows it. */
export function momentText(time: number, simulated: boolean): string {
  if (simulated) return `${time.toFixed(3)} s`;
  const milliseconds = String(Math.floor((time % 1) * 1000)).padStart(3, "0");
  return `${new Date(time * 1000).toTimeString().slice(0, 8)}.${milliseconds}`;
}

/** The simulation's speed that stands at this place of a slider from −1 to 1: a tenth to ten times real time. */
export const speedAt = (place: number): number => Number((10 ** place).toPrecision(2));

/** A JSON value in one line. */
export const oneLine = (value: unknown): string => JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
