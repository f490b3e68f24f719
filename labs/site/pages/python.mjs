// Starts a page's Python, from the memory of one that had imported everything already (`freeze.mjs` made it when the site
// was built). Every web worker with a Python begins here: the kernel, the checks of an exercise, the panel's page.

/** What a frozen Python may keep of JavaScript, and how a page gets its own. */
export const NAMES = {
  pyodide: (pyodide) => pyodide,
  loadPackagesFromImports: (pyodide) => pyodide.loadPackagesFromImports,
};
const WASM = "pyodide.asm.wasm";
const TYPE = "application/wasm";

/** A packed file of the site as a `Response` that gives it unpacked. The service worker has unpacked WebAssembly already. */
async function unpacked(name, type = "application/octet-stream") {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name} of this site cannot be loaded: status ${response.status}`);
  if (response.headers.get("content-type") === TYPE) return response;
  const content = response.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(content, { headers: { "content-type": type } });
}
const bytes = async (name) => new Uint8Array(await (await unpacked(name)).arrayBuffer());

/** `files.bin`: the length of a list, the list of paths and lengths in JSON, and the contents one after the other. */
function write(FS, packed) {
  const start = 4 + new DataView(packed.buffer).getUint32(0, true);
  const made = new Set();
  let place = start;
  for (const [path, length] of JSON.parse(new TextDecoder().decode(packed.subarray(4, start)))) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) FS.mkdirTree(folder);
    made.add(folder);
    FS.writeFile(path, packed.subarray(place, place + length), { canOwn: true });
    place += length;
  }
}

/** Where in its memory Python has noted by which function it calls C functions: 0 for the way through JavaScript, which every
 * engine has, but from where none lets Python wait; else one that its engine's newer WebAssembly offers. */
export const callsBy = ({ HEAP32, __PyRuntime, __PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET: offset }) => (__PyRuntime + HEAP32[offset / 4]) / 4;

/** A new Python: Pyodide's interface. `options`: as `loadPyodide` takes them, but for what the site decides. */
export async function start(options = {}) {
  const memory = bytes("memory.bin");
  const files = bytes("files.bin");
  const wasm = unpacked(`${WASM}.bin`, TYPE);
  const [{ loadPyodide }, { default: createModule }] = await Promise.all([import("./loader.mjs"), import("./pyodide.asm.mjs")]);
  let module;
  let caller;
  async function createPyodideModule(settings) {
    module = await createModule(settings);
    caller = module.HEAP32[callsBy(module)];
    const { length } = await memory;
    // Pyodide does not make room for a memory that is larger than the one it begins with. The room itself is empty.
    if (module.HEAPU8.length < length) module._malloc(length);
    if (module.HEAPU8.length < length) throw new Error(`this browser does not give Python its ${Math.ceil(length / 1e6)} MB`);
    module.HEAPU8.fill(0);
    return module;
  }
  const { fetch: load } = self;
  self.fetch = (address, ...more) => (String(address).endsWith(WASM) ? wasm : load(address, ...more));
  let pyodide;
  try {
    pyodide = await loadPyodide({
      ...options, indexURL: new URL(".", import.meta.url).href, packages: [], createPyodideModule, _loadSnapshot: memory,
      _snapshotDeserializer: (name) => NAMES[name](module.API.public_api),
    });
  } finally {
    self.fetch = load;
  }
  module.HEAP32[callsBy(module)] = caller; // as this browser can, whatever Node.js could
  write(pyodide.FS, await files);
  pyodide.runPython("import random; random.seed(); del random"); // else all visitors would draw the same numbers
  return pyodide;
}
