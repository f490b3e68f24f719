/** What a node is told through its environment. A wrong value is refused with one line that says what it takes. */

export interface Settings {
  nodeId: string;
  host: string;
  port: number;
  /** The base URLs of the other nodes: `http://node2:4000`. */
  peers: string[];
  /** Milliseconds between two heartbeats of a leader. */
  heartbeatMs: number;
  /** Milliseconds without a heartbeat after which a follower starts an election. */
  electionTimeoutMs: number;
}

export class BadSetting extends Error {}

type Environment = Record<string, string | undefined>;

export function readSettings(env: Environment): Settings {
  const nodeId = env.NODE_ID ?? "";
  if (nodeId === "") {
    throw new BadSetting("NODE_ID is missing: set it to the name of this node, for example node-1");
  }
  const settings: Settings = {
    nodeId,
    host: env.HOST ?? "127.0.0.1",
    port: wholeNumber(env, "PORT", 4000, 1, 65_535),
    peers: readPeers(env.PEERS ?? ""),
    heartbeatMs: wholeNumber(env, "HEARTBEAT_MS", 2000, 1, 3_600_000),
    electionTimeoutMs: wholeNumber(env, "ELECTION_TIMEOUT_MS", 6000, 2, 3_600_000),
  };
  if (settings.electionTimeoutMs <= settings.heartbeatMs) {
    throw new BadSetting(
      `ELECTION_TIMEOUT_MS (${settings.electionTimeoutMs}) must be longer than HEARTBEAT_MS ` +
        `(${settings.heartbeatMs}), or every follower takes its leader for dead`,
    );
  }
  return settings;
}

function wholeNumber(env: Environment, name: string, usual: number, least: number, most: number): number {
  const text = env[name];
  if (text === undefined || text === "") {
    return usual;
  }
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new BadSetting(`${name} takes a whole number from ${least} to ${most}, not "${text}"`);
  }
  return number;
}

/** `http://node2:4000,http://node3:4000`; `node-2=http://node2:4000` is taken as well. */
function readPeers(text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  return entries.filter((entry) => entry !== "").map(peerUrl);
}

function peerUrl(entry: string): string {
  const url = entry.replace(/^[^=/:]+=/, "");
  if (!/^http:\/\/[^/?#]+\/?$/.test(url) || !URL.canParse(url)) {
    throw new BadSetting(`PEERS takes addresses like http://node2:4000, separated by commas, not "${entry}"`);
  }
  return url.replace(/\/$/, "");
}
