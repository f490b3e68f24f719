// A web worker that checks an exercise: a Python of its own, so that code which never ends freezes nothing else.
import { start } from "./pyodide/python.mjs";

self.onmessage = async ({ data }) => {
  try {
    const pyodide = await start();
    self.postMessage('{"life": true}');
    pyodide.pyimport("labs.page.checker").check(data, (text) => self.postMessage(text));
  } catch (error) {
    self.postMessage(JSON.stringify({ trouble: `The checks could not be run here: ${String(error).slice(-400)}` }));
  }
};
