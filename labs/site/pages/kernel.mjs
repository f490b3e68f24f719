// What JupyterLite's kernel takes for Pyodide: the same function, with the frozen Python behind it.
import { start } from "./python.mjs";

const BEGIN = `
import pyodide_kernel
pyodide_kernel.ipython_shell.Completer.use_jedi = False  # not in a page: completion asks the objects themselves
`;

export async function loadPyodide(options) {
  const pyodide = await start(options);
  pyodide.runPython(BEGIN);
  return pyodide;
}
