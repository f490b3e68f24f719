// The Python of the panel's page, in a web worker: the page itself never waits for it.
import { start } from "./pyodide/python.mjs";

const post = (message) => self.postMessage(JSON.stringify(message));
const ready = (async () => {
  const pyodide = await start();
  const page = pyodide.pyimport("labs.panel.standalone").Page((text) => self.postMessage(text));
  post({ type: "ready" });
  return page;
})();
ready.catch((error) => post({ type: "trouble", text: String(error).slice(-400) }));

self.onmessage = async ({ data }) => {
  const page = await ready;
  try {
    if (data.start) page.start(data.start);
    else if (data.open !== undefined) page.open(data.open);
    else if (data.share) page.share();
    else page.hear(data.model, data.data);
  } catch (error) {
    post({ type: "trouble", text: String(error).trim().split("\n").pop() });
  }
};
