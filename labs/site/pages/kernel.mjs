// What JupyterLite's kernel takes for Pyodide: the same function, with the frozen Python behind it.
import { start } from "./python.mjs";

export async function loadPyodide(options) {
  const pyodide = await start(options);
  correctFolders(pyodide);
  self.Worker = PageWorker;
  pyodide.pyimport("labs.page.kernel").begin();
  new BroadcastChannel("replication-lab kernel").postMessage("started"); // `boot.mjs` hears it
  return pyodide;
}

/** A web worker of the kernel's that the page starts (`boot.mjs`). Where a web worker starts another one itself, Firefox may
 * stand still for good: within a few hundred starts on a machine that does other things. */
class PageWorker {
  #port;
  onmessage = null;
  onerror = null;

  constructor(address, options) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => {
      if ("error" in data) this.onerror?.({ message: data.error });
      else this.onmessage?.({ data: data.message });
    };
    self.postMessage({ startWorker: String(address), options, port: port2 }, [port2]);
  }

  postMessage(message) {
    this.#port.postMessage({ message });
  }

  terminate() {
    this.#port.postMessage({ end: true });
    this.#port.onmessage = null;
  }
}

/** Makes JupyterLite's folder of the visitor's files, once it is mounted, behave as Python expects it of any folder. */
function correctFolders({ FS, ERRNO_CODES }) {
  const { mount } = FS;
  FS.mount = (folder, ...more) => {
    if (folder.API) {
      missingIsMissing(folder.API, new FS.ErrnoError(ERRNO_CODES.ENOENT));
      readingIsNoWriting(folder.stream_ops);
    }
    return mount(folder, ...more);
  };
}

/** A file that Python has looked at and the visitor has deleted since is not there. JupyterLite calls that an invalid
 * argument, which no program expects. */
function missingIsMissing(files, missing) {
  const insist = (path) => {
    if (!files.lookup(path).ok) throw missing;
  };
  const change = (name, to) => {
    files[name] = to(files[name].bind(files));
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
}

/** A file that was opened for reading is not saved when it is closed. JupyterLite saves it whenever it was opened with a flag
 * that it does not know, over whatever the visitor has saved meanwhile. */
function readingIsNoWriting(streams) {
  const ACCESS_MODE = 3;
  const close = streams.close.bind(streams);
  streams.close = (stream) => {
    if ((Number(stream.flags ?? stream.shared.flags) & ACCESS_MODE) === 0) stream.file = undefined;
    else close(stream);
  };
}
