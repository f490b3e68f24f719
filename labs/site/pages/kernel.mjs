// What JupyterLite's kernel takes for Pyodide: the same function, with the frozen Python behind it.
import { start } from "./python.mjs";

export async function loadPyodide(options) {
  const pyodide = await start(options);
  pyodide.pyimport("labs.page.kernel").begin();
  new BroadcastChannel("replication-lab kernel").postMessage("started"); // `boot.mjs` hears it
  return pyodide;
}
