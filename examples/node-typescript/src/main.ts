/** Start one node with the settings of its environment: `NODE_ID=node-1 PORT=4001 PEERS=http://… npm start`. */

import { StoreNode } from "./node.js";
import { ask } from "./peers.js";
import { createNodeServer } from "./server.js";
import { BadSetting, readSettings, type Settings } from "./settings.js";

function main(settings: Settings): void {
  const log = (text: string) => console.log(`[${settings.nodeId}] ${text}`);
  const node = new StoreNode(settings, ask, log);
  const server = createNodeServer(node);
  server.on("error", (error) => {
    console.error(`[${settings.nodeId}] cannot listen on port ${settings.port}: ${error.message}`);
    process.exit(1);
  });
  server.listen(settings.port, settings.host, () => {
    log(`Store Node listening on port ${settings.port}`);
    node.start();
  });
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => process.exit(0));
  }
}

try {
  main(readSettings(process.env));
} catch (error) {
  if (!(error instanceof BadSetting)) {
    throw error;
  }
  console.error(error.message);
  process.exit(2);
}
