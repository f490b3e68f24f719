// Makes what a page's Python starts from: `node freeze.mjs RUNTIME PACKAGES TARGET MODULE...` starts the Python of RUNTIME,
// imports MODULE... there, and writes its memory to TARGET/memory.bin and its packages to TARGET/files.bin, both packed.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [runtime, packages, target] = process.argv.slice(2, 5).map((path) => resolve(path));
const imported = process.argv.slice(5);
const { loadPyodide } = await import(pathToFileURL(`${runtime}/pyodide.mjs`));
const { NAMES, callsBy } = await import(pathToFileURL(`${runtime}/python.mjs`));
const LIBRARY = "/lib/python314.zip";
const SITE = "/lib/python3.14/site-packages";
const OPTIONS = {
  indexURL: `${runtime}/`, env: { HOME: "/home/pyodide", LANG: "en_US.UTF-8", PYTHONHASHSEED: "0" },
};

function filesIn(folder, place = "") {
  return readdirSync(join(folder, place)).sort().flatMap((name) => {
    const path = place ? `${place}/${name}` : name;
    return statSync(join(folder, path)).isDirectory() ? filesIn(folder, path) : [path];
  });
}

function put({ FS }, files) {
  for (const [path, content] of files) {
    FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    FS.writeFile(path, content);
  }
}

/** Import what a page uses, or the error of the first module that cannot be imported. */
const IMPORT = `
import importlib
importlib.invalidate_caches()
for name in imported.split():
    importlib.import_module(name)
`;
// Of the kernel's own package, which is started in each page, for it changes the Python that it starts in.
const COMPILE = `
UNCHECKED = (1).to_bytes(4, "little") + bytes(8)  # the file beside it is its source, whatever the clock says
import glob, py_compile, sys, zipfile, zipimport
# The standard library comes as sources in a zip, where Python looks for \`x.pyc\` before \`x.py\`.
for module in list(sys.modules.values()):
    loader, source = getattr(module, "__loader__", None), getattr(module, "__file__", None) or ""
    if isinstance(loader, zipimport.zipimporter) and source.endswith(".py"):
        with open("/tmp/module.py", "wb") as file:
            file.write(loader.get_data(source))
        py_compile.compile("/tmp/module.py", "/tmp/module.pyc", source, True)
        with zipfile.ZipFile(loader.archive, "a", zipfile.ZIP_DEFLATED) as library, open("/tmp/module.pyc", "rb") as file:
            code = file.read()
            library.writestr(source.removeprefix(loader.archive + "/") + "c", code[:4] + UNCHECKED + code[16:])
for source in glob.glob(f"{site}/pyodide_kernel/*.py") + glob.glob(f"{site}/piplite/*.py"):
    py_compile.compile(source, None, source, True)
compiled = glob.glob(f"{site}/**/*.pyc", recursive=True)
for path in compiled:
    with open(path, "r+b") as file:
        file.seek(4)
        file.write(UNCHECKED)
"\\n".join(sorted(compiled))
`;
const TIDY = `
import gc, sys, zipimport
if "pyodide_kernel" in sys.modules:
    raise ImportError("the kernel was started when only its packages were to be imported")
while "" in sys.path:
    sys.path.remove("")  # Pyodide adds it at each start
for module in sys.modules.values():
    if isinstance(getattr(module, "__loader__", None), zipimport.zipimporter):
        module.__loader__.invalidate_caches()
sys.path_importer_cache.clear()
del imported, name, importlib
gc.collect()
`;

/** The modules compiled and the standard library with its own, by a Python that is thrown away: compiling leaves much
 * behind in its memory. */
async function compile(files) {
  const pyodide = await loadPyodide(OPTIONS);
  put(pyodide, files);
  pyodide.runPython("import sys; sys.dont_write_bytecode = False");
  pyodide.globals.set("site", SITE);
  pyodide.globals.set("imported", imported.join(" "));
  pyodide.runPython(IMPORT);
  const read = (path) => Buffer.from(pyodide.FS.readFile(path));
  const compiled = pyodide.runPython(COMPILE).split("\n").map((path) => [path, read(path)]);
  return { compiled, library: read(LIBRARY) };
}

/** Pyodide's module, which registers the real `run_sync` when it starts. By itself it asks, once, whether its engine can
 * let Python wait, and registers a function that always raises if not: Node.js 20 cannot. A page's Python asks again at
 * each call (`can_run_sync`), so the real one is right in every browser. */
async function waitingModule() {
  const asked = /(\b\d+:\(\)=>)jspiSupported(?=[,}])/g;
  const text = readFileSync(`${runtime}/pyodide.asm.mjs`, "utf8");
  if (text.match(asked)?.length !== 1) throw new Error("Pyodide asks in another way whether its engine can wait");
  writeFileSync(waiting, text.replace(asked, "$1true"));
  return (await import(pathToFileURL(waiting))).default;
}

const stdLibURL = join(target, "compiled.zip");
const waiting = `${runtime}/waiting.mjs`;
try {
  const files = filesIn(packages).map((path) => [`${SITE}/${path}`, readFileSync(join(packages, path))]);
  const { compiled, library } = await compile(files);
  writeFileSync(stdLibURL, library);
  const createPyodideModule = await waitingModule();
  const pyodide = await loadPyodide({ ...OPTIONS, stdLibURL, createPyodideModule, _makeSnapshot: true });
  put(pyodide, [...files, ...compiled]);
  pyodide.globals.set("imported", imported.join(" "));
  pyodide.runPython(IMPORT);
  put(pyodide, [[LIBRARY, readFileSync(`${runtime}/python_stdlib.zip`)]]); // as a page will have it
  pyodide.runPython(TIDY);
  pyodide._module.HEAP32[callsBy(pyodide._module)] = 0; // in every engine; each page notes its own when it has started
  const memory = pyodide.makeMemorySnapshot({ serializer: (thing) => {
    const found = Object.entries(NAMES).find(([, get]) => get(pyodide) === thing);
    if (!found) throw new Error(`what is imported keeps something of JavaScript that a page cannot get back: ${thing}`);
    return found[0];
  } });
  const all = [...files, ...compiled.filter(([path]) => /\/(pyodide_kernel|piplite)\//.test(path))]; // the rest is imported
  const list = Buffer.from(JSON.stringify(all.map(([path, content]) => [path, content.length])));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(list.length);
  writeFileSync(join(target, "memory.bin"), gzipSync(memory, { level: 9 }));
  writeFileSync(join(target, "files.bin"), gzipSync(Buffer.concat([size, list, ...all.map(([, content]) => content)]), { level: 9 }));
} catch (problem) {
  console.error(problem.message); // Node.js would put Pyodide's own code in front, which is one long line
  process.exitCode = 1;
} finally {
  for (const path of [stdLibURL, waiting]) rmSync(path, { force: true });
}
