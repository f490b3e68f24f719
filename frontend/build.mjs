// Bundles the sources into the files that the wheel ships, and makes the messages' schema.
//
//   node build.mjs           writes labs/panel/static/* and tests/panel/messages.schema.json
//   node build.mjs --check   fails where one of them is not what the sources make

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { createGenerator } from "ts-json-schema-generator";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);

async function bundles() {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: HERE,
    entryPoints: ["panel.ts", "exercise.ts", "panel.css", "exercise.css"].map((name) => `src/${name}`),
    outdir: join(ROOT, "labs", "panel", "static"),
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    write: false,
    logLevel: "error",
  });
  return outputFiles.map(({ path, text }) => ({ path, text: banner(path) + text }));
}

const banner = (path) =>
  `/* Made from frontend/src/${relative(join(ROOT, "labs", "panel", "static"), path).replace(/\.js$/, ".ts")}` +
  " by `npm run build` in frontend/. Do not edit. */\n";

function schema() {
  const config = { path: join(HERE, "src/messages/*.ts"), tsconfig: join(HERE, "tsconfig.json"), type: "*" };
  const made = createGenerator({ ...config, skipTypeCheck: true }).createSchema("*");
  const definitions = Object.fromEntries(Object.entries(made.definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = `${JSON.stringify({ ...made, definitions }, null, 1)}\n`;
  return { path: join(ROOT, "tests", "panel", "messages.schema.json"), text };
}

const files = [...(await bundles()), schema()];
if (process.argv.includes("--check")) {
  const read = (path) => readFile(path, "utf8").catch(() => "");
  const stale = [];
  for (const { path, text } of files) if ((await read(path)) !== text) stale.push(relative(ROOT, path));
  for (const path of stale) console.error(`${path} is not what frontend/ makes: run npm run build there and commit it`);
  process.exitCode = stale.length ? 1 : 0;
} else {
  for (const { path, text } of files) {
    await writeFile(path, text);
    console.log(`${relative(ROOT, path)}  ${(Buffer.byteLength(text) / 1000).toFixed(0)} kB`);
  }
}
