// Compiles what a page imports, with the very Python that runs there: `node compile.mjs PYODIDE TARGET MODULE...`
// writes a `.pyc` for each module of a wheel that these modules load, into TARGET, where the wheel has its source.
import { mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, target, ...modules] = process.argv.slice(2);
const runtime = resolve(folder);
const { loadPyodide } = await import(pathToFileURL(`${runtime}/pyodide.mjs`));
const pyodide = await loadPyodide({ indexURL: `${runtime}/` });
const { packages } = JSON.parse(readFileSync(`${runtime}/pyodide-lock.json`, "utf8"));
await pyodide.loadPackage(Object.keys(packages), { messageCallback: () => {} });
mkdirSync(target, { recursive: true });
pyodide.FS.mkdir("/compiled");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: resolve(target) }, "/compiled");
pyodide.globals.set("wanted", pyodide.toPy(modules));
pyodide.runPython(`
import importlib, importlib.util, os, py_compile, site, sys
here = site.getsitepackages()[0]
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for name in wanted:
    importlib.import_module(name)
sources = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
for source in sorted(path for path in sources if path.startswith(here) and path.endswith(".py")):
    place = os.path.relpath(importlib.util.cache_from_source(source), here)
    os.makedirs(os.path.dirname(f"/compiled/{place}"), exist_ok=True)
    # Whatever the clock says when the wheel is unpacked: the file beside it is its source.
    py_compile.compile(source, f"/compiled/{place}", source, True, invalidation_mode=unchecked)
`);
