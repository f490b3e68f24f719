// Makes what a page's Python starts from: `node freeze.mjs RUNTIME PACKAGES TARGET MODULE...` starts the Python of RUNTIME,
// imports MODULE... there, and writes its memory to TARGET/memory.bin and its packages to TARGET/files.bin, both packed.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [runtime, packages, target] = process.argv.slice(2, 5).map((path) => resolve(path));
const imported = process.argv.slice(5);
const { loadPyodide } = await import(pathToFileURL(`${runtime}/pyodide.mjs`));
const { NAMES } = await import(pathToFileURL(`${runtime}/python.mjs`));
const pyodide = await loadPyodide({
  indexURL: `${runtime}/`, _makeSnapshot: true, env: { HOME: "/home/pyodide", LANG: "en_US.UTF-8", PYTHONHASHSEED: "0" },
});
const site = pyodide.runPython("import site; site.getsitepackages()[0]");

function filesIn(folder, place = "") {
  return readdirSync(join(folder, place)).sort().flatMap((name) => {
    const path = place ? `${place}/${name}` : name;
    return statSync(join(folder, path)).isDirectory() ? filesIn(folder, path) : [path];
  });
}

const files = filesIn(packages).map((path) => [`${site}/${path}`, readFileSync(join(packages, path))]);
for (const [path, content] of files) {
  pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  pyodide.FS.writeFile(path, content);
}

// The kernel's own package is started in each page, for it changes the Python that it starts in: it is only compiled.
const PREPARE = `
import glob, importlib, importlib.util, py_compile, sys
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
compiled = []
for source in sorted(glob.glob(f"{site}/pyodide_kernel/*.py") + glob.glob(f"{site}/piplite/*.py")):
    compiled.append(py_compile.compile(source, None, source, True, invalidation_mode=unchecked))
importlib.invalidate_caches()
for name in imported.split():
    importlib.import_module(name)
if "pyodide_kernel" in sys.modules:
    raise ImportError("the kernel was started when only its packages were to be imported")
while "" in sys.path:
    sys.path.remove("")  # Pyodide adds it at each start
sys.path_importer_cache.clear()
importlib.import_module("gc").collect()
`;

try {
  pyodide.globals.set("site", site);
  pyodide.globals.set("imported", imported.join(" "));
  pyodide.runPython(PREPARE);
  const proxy = pyodide.globals.get("compiled");
  const compiled = proxy.toJs();
  proxy.destroy();
  pyodide.runPython("del site, imported, compiled, unchecked, source, name, glob, importlib, py_compile");
  const memory = pyodide.makeMemorySnapshot({ serializer: (thing) => {
    const found = Object.entries(NAMES).find(([, get]) => get(pyodide) === thing);
    if (!found) throw new Error(`what is imported keeps something of JavaScript that a page cannot get back: ${thing}`);
    return found[0];
  } });
  const all = [...files, ...compiled.map((path) => [path, Buffer.from(pyodide.FS.readFile(path))])];
  const list = Buffer.from(JSON.stringify(all.map(([path, content]) => [path, content.length])));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(list.length);
  writeFileSync(join(target, "memory.bin"), gzipSync(memory, { level: 9 }));
  writeFileSync(join(target, "files.bin"), gzipSync(Buffer.concat([size, list, ...all.map(([, content]) => content)]), { level: 9 }));
} catch (problem) {
  console.error(problem.message); // Node.js would put Pyodide's own code in front, which is one long line
  process.exitCode = 1;
}
