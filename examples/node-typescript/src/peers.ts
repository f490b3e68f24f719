/** Requests from this node to another one. Every request has a time limit: a peer may be dead, paused or cut off. */

export type Answer = Record<string, unknown>;

/** What a node sends to its peers with. Tests put a pretended network in its place. */
export type Ask = (url: string, limitMs: number, body?: object) => Promise<Answer | undefined>;

/** The peer's JSON object, or undefined where it gives none within `limitMs` milliseconds. With a body: POST. */
export const ask: Ask = async (url, limitMs, body) => {
  try {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(limitMs),
    });
    const answer: unknown = await response.json();
    return response.ok && isObject(answer) ? answer : undefined;
  } catch {
    return undefined; // no connection, no answer in time, or no JSON: to an election all of these are "not there"
  }
};

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
