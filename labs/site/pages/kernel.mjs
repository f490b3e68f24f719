// What JupyterLite's kernel takes for Pyodide: the same function, with the frozen Python behind it.
import { start } from "./python.mjs";

export async function loadPyodide(options) {
  const pyodide = await start(options);
  missingIsMissing(pyodide);
  pyodide.pyimport("labs.page.kernel").begin();
  new BroadcastChannel("replication-lab kernel").postMessage("started"); // `boot.mjs` hears it
  return pyodide;
}

/** Folders that are mounted from now on: a file that Python has looked at and the visitor has deleted since is not there.
 * JupyterLite's folder of the visitor's files calls that an invalid argument, which no program expects. */
function missingIsMissing({ FS, ERRNO_CODES }) {
  const { mount } = FS;
  FS.mount = (folder, ...more) => {
    const files = folder.API;
    const insist = (path) => {
      if (!files.lookup(path).ok) throw new FS.ErrnoError(ERRNO_CODES.ENOENT);
    };
    const change = (name, to) => {
      if (files) files[name] = to(files[name].bind(files));
    };
    for (const name of ["getattr", "getmode", "readdir"]) {
      change(name, (ask) => (path) => {
        try {
          return ask(path);
        } catch (problem) {
          insist(path);
          throw problem;
        }
      });
    }
    // Looked for before: a change that the page cannot make has no answer, and the wait for one is long.
    for (const name of ["rmdir", "rename"]) {
      change(name, (make) => (path, ...rest) => {
        insist(path);
        return make(path, ...rest);
      });
    }
    return mount(folder, ...more);
  };
}
