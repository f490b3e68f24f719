// Compiles what a page imports, with the very Python that runs there: `node compile.mjs PYODIDE TARGET MODULE...`
// writes a `.pyc` for each module that these modules load: of a wheel into TARGET/wheels, where the wheel has its source,
// and of the standard library, which Pyodide brings as sources in a zip, into TARGET/stdlib beside the source's place.
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
const COMPILE = `
import importlib, importlib.util, os, py_compile, site, sys, tempfile, zipimport
here = site.getsitepackages()[0]
library = next(path for path in sys.path if path.endswith(".zip"))
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for name in wanted:
    importlib.import_module(name)

def keep(file, place, source):
    os.makedirs(os.path.dirname(f"/compiled/{place}"), exist_ok=True)
    # Whatever the clock says when the wheel is unpacked: the file beside it is its source.
    py_compile.compile(file, f"/compiled/{place}", source, True, invalidation_mode=unchecked)

modules = {getattr(module, "__file__", None) or "": module for module in list(sys.modules.values())}
for source, module in sorted(modules.items(), key=lambda item: item[0]):
    if source.startswith(here) and source.endswith(".py"):
        keep(source, f"wheels/{os.path.relpath(importlib.util.cache_from_source(source), here)}", source)
    elif source.endswith(".py") and isinstance(module.__spec__.loader, zipimport.zipimporter):  # the others are frozen
        with tempfile.NamedTemporaryFile(suffix=".py") as file:
            file.write(module.__spec__.loader.get_data(source))
            file.flush()
            keep(file.name, f"stdlib/{os.path.relpath(source, library)}c", source)
`;
try {
  pyodide.runPython(COMPILE);
} catch (problem) {
  console.error(problem.message); // Node.js would put Pyodide's own code in front, which is one long line
  process.exitCode = 1;
}
