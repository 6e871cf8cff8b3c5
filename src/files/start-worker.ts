import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** A thread that runs a module: JavaScript where the program is built, TypeScript, through tsx, where it is developed. */
export function startWorker(module: URL, options: WorkerOptions = {}): Worker {
  return module.pathname.endsWith(".ts")
    ? new Worker(throughTsx(module), { ...options, eval: true })
    : new Worker(module, options);
}

function throughTsx(module: URL): string {
  const tsx = dirname(createRequire(import.meta.url).resolve("tsx/package.json"));
  const loader = JSON.stringify(pathToFileURL(join(tsx, "dist", "esm", "api", "index.mjs")).href);
  return `import(${loader}).then(({ register }) => { register(); return import(${JSON.stringify(module.href)}); });`;
}
