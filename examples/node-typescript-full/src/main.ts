/** Start one node with the settings of its environment. */

import { existsSync } from "node:fs";
import type { Election, Seat } from "./election.js";
import { openJournal } from "./journal.js";
import type { Message } from "./messages.js";
import { StoreNode } from "./node.js";
import { Peers } from "./peers.js";
import { createNodeServer } from "./server.js";
import { BadSetting, readSettings, type Settings } from "./settings.js";

/** `ELECTION=lowest-id` is the class that `lowest-id.ts` exports as its default. */
async function electionNamed(name: string): Promise<new (seat: Seat) => Election> {
  const file = new URL(`./${name}.js`, import.meta.url);
  const module = existsSync(file) ? ((await import(file.href)) as Record<string, unknown>) : {};
  if (typeof module.default !== "function") {
    throw new BadSetting(
      `ELECTION takes the name of an election beside main.ts, like lowest-id, not "${name}"`,
    );
  }
  return module.default as new (
    seat: Seat,
  ) => Election;
}

async function main(settings: Settings): Promise<void> {
  const Chosen = await electionNamed(settings.election);
  const { nodeId, heartbeatMs, electionTimeoutMs, mode, token } = settings;
  const log = (text: string) => console.log(`[${nodeId}] ${text}`);
  const { journal, saved } = openJournal(settings.dataDir);
  const limit = Math.max(electionTimeoutMs, 1000);
  const peers = new Peers(nodeId, settings.peers, token, limit, (sender, message) =>
    node.receive(sender, message),
  );

  /** While a peer's message is answered: what goes to that peer travels in the answer. */
  let answering: { to: string; messages: Message[] } | undefined;
  let awake = false;
  const node = new StoreNode({
    ...{ id: nodeId, peers: peers.ids, mode, heartbeatMs, electionTimeoutMs, journal, saved, log },
    elect: (seat) => new Chosen(seat),
    now: () => performance.now(),
    random: Math.random,
    send: (to, message) => {
      if (answering?.to === to) {
        answering.messages.push(message);
      } else {
        peers.send(to, message);
      }
    },
    wake: () => {
      if (!awake) {
        awake = true;
        setImmediate(() => {
          awake = false;
          node.flush();
        });
      }
    },
  });
  const hear = (sender: string, message: Message) => {
    answering = { to: sender, messages: [] };
    const { messages } = answering;
    try {
      node.receive(sender, message);
    } finally {
      answering = undefined;
    }
    return messages.map((one) => peers.envelope(one));
  };

  const server = createNodeServer({ node, peers: peers.ids, token, hear });
  server.on("error", (error) => {
    console.error(`[${nodeId}] cannot listen on port ${settings.port}: ${error.message}`);
    process.exit(1);
  });
  server.listen(settings.port, settings.host, () => {
    log(`Store Node listening on port ${settings.port}`);
    setInterval(() => node.tick(), heartbeatMs / 4);
  });
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => process.exit(0));
  }
}

try {
  await main(readSettings(process.env));
} catch (error) {
  console.error(error instanceof BadSetting ? error.message : error);
  process.exit(error instanceof BadSetting ? 2 : 1);
}
