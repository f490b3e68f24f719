// Before JupyterLab is loaded: starts the web workers that a kernel asks for, and lets the service worker keep what will be
// loaded, so that one visit is enough to start the site without its server. Where a browser has no service workers (a page
// that it does not trust), the site works without.
const VERSION = "@VERSION@";
const WAIT = 4000;
const TAKING_OVER = 1000;
const site = new URL("..", import.meta.url);
const address = new URL("service-worker.js?enableCache=true", site).href;

/** The worker that answers for this page; null where there is none. */
async function controller() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return null;
  // JupyterLite unregisters the workers of other versions. This one is of this version, whatever JupyterLite remembers.
  localStorage.setItem(`${address}-version`, VERSION);
  const registration = await serviceWorker.register(address);
  const changed = (milliseconds) => new Promise((done) => {
    serviceWorker.addEventListener("controllerchange", () => done(true), { once: true });
    setTimeout(done, milliseconds, false);
  });
  if (!serviceWorker.controller) await changed(WAIT);
  else if (registration.waiting) {
    registration.waiting.postMessage("newer?"); // it takes over where no other page of the older site is open
    if (await changed(TAKING_OVER)) location.reload();
  }
  return serviceWorker.controller;
}

const { Worker } = window;

/** JupyterLab's web workers, kernels among them: what `kernel.mjs` asks for is started, and ends with the one that asked. */
class ParentWorker extends Worker {
  #children = new Set();

  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      if (data?.startWorker !== undefined) this.#start(data);
    });
  }

  #start({ startWorker, options, port }) {
    const child = new Worker(startWorker, options);
    this.#children.add(child);
    child.onmessage = ({ data }) => port.postMessage({ message: data });
    child.onerror = ({ message }) => port.postMessage({ error: message });
    port.onmessage = ({ data }) => {
      if ("message" in data) child.postMessage(data.message);
      else this.#end(child);
    };
  }

  #end(child) {
    child.terminate();
    this.#children.delete(child);
  }

  terminate() {
    for (const child of this.#children) this.#end(child);
    super.terminate();
  }
}
window.Worker = ParentWorker;

try {
  const worker = await controller();
  // The rest of the site is loaded when the visitor no longer waits for it: `pyodide/pyodide.mjs` says when.
  new BroadcastChannel("replication-lab kernel").addEventListener("message", () => worker?.postMessage("keep"));
} catch (problem) {
  console.warn(`This site cannot be kept in the browser: ${problem}`);
}
