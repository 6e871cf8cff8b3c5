/**
 * Builds the `tensorflow` backend from a TensorFlow wheel, where @tensorflow/tfjs-node-gpu's own download of TensorFlow 2.9 cannot
 * be had or knows no GPU as new as yours:
 *
 *     pip download --no-deps tensorflow-cpu      # or tensorflow, for CUDA
 *     npx tsx scripts/build-tensorflow-backend.ts --wheel tensorflow_cpu-*.whl [--out <folder>]
 *
 * Compiles the package's N-API binding with g++ against the C API in the wheel (checked with TensorFlow 2.21 on Linux, x86-64) into the
 * folder that `moecast capture` looks in. Python is not needed. A CUDA wheel finds its libraries (cuDNN, cuBLAS, ...; the
 * nvidia-* wheels or a system CUDA) through LD_LIBRARY_PATH when the backend is loaded.
 */
import { spawnSync } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { diagnoseBackend } from "../src/capture/backends/doctor.ts";
import { backendsFolder } from "../src/capture/backends/packages.ts";
import { tensorflow } from "../src/capture/backends/tensorflow.ts";
import { withFile } from "../src/trace/byte-source.ts";
import { readZipDirectory, zipMember } from "../src/trace/container/zip.ts";

const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
const headers = /^tensorflow\/include\/(tensorflow\/(c|core)|xla|tsl|absl)\/.*\.h$/;

const { values: options } = parseArgs({ options: { wheel: { type: "string" }, out: { type: "string" } } });
const { wheel } = options;
if (wheel === undefined) fail("usage: build-tensorflow-backend.ts --wheel FILE.whl [--out FOLDER]");
const out = options.out ?? join(backendsFolder(), "tensorflow");
if (existsSync(out)) fail(`${out} is there already: remove it first`);
const nodeHeaders = join(dirname(dirname(process.execPath)), "include", "node");
if (!existsSync(join(nodeHeaders, "node_api.h")))
  fail(`expected Node's headers at ${nodeHeaders} (node_api.h): install Node from its own archive, which has them`);
if (spawnSync("g++", ["--version"]).status !== 0) fail("expected g++ on the PATH: install a C++ compiler");

const building = `${out}.${process.pid}.partial`;
try {
  await build(building);
  await mkdir(dirname(out), { recursive: true });
  await rename(building, out);
} finally {
  await rm(building, { recursive: true, force: true });
}
process.env["MOECAST_BACKENDS"] = dirname(out);
const { working, problem } = await diagnoseBackend("tensorflow");
if (working === null) fail(problem ?? "the backend does not load");
process.stdout.write(
  `tensorflow: built in ${out}; works on ${working.device}, ${Math.round(working.gigaflopsPerSecond)} GFLOP/s\n`,
);
if (out !== join(backendsFolder({ ...process.env, MOECAST_BACKENDS: "" }), "tensorflow"))
  process.stdout.write(`set MOECAST_BACKENDS=${dirname(out)} for moecast to find it\n`);

async function build(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  say("installing the package without its download");
  const packages = Object.entries(tensorflow.packages).map(([name, version]) => `${name}@${version}`);
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...packages], folder);
  const target = join(folder, "node_modules", "@tensorflow", "tfjs-node-gpu");
  const include = join(folder, "include");
  await unpack(wheel!, target, include);
  say("compiling the binding");
  await mkdir(join(target, "lib", "napi-v8"), { recursive: true });
  run(
    "g++",
    [
      "-O2",
      "-std=c++17",
      "-fPIC",
      "-shared",
      "-DNAPI_VERSION=8",
      "-DNODE_GYP_MODULE_NAME=tfjs_binding",
      "-I.",
      `-I${nodeHeaders}`,
      `-I${include}`,
      "binding/tfjs_backend.cc",
      "binding/tfjs_binding.cc",
      "-o",
      "lib/napi-v8/tfjs_binding.node",
      ...libraries.map((name) => `deps/lib/${name}`),
      "-Wl,-rpath,$ORIGIN/../../deps/lib",
    ],
    target,
  );
  await rm(include, { recursive: true });
}

/** The libraries and headers of the C API, out of the wheel. */
async function unpack(file: string, target: string, include: string): Promise<void> {
  await withFile(file, async (source) => {
    const entries = await readZipDirectory(source);
    const missing = libraries.filter((name) => !entries.some((entry) => entry.name === `tensorflow/${name}`));
    if (missing.length > 0) fail(`${file}: expected a TensorFlow wheel for Linux, without ${missing.join(" and ")}`);
    for (const entry of entries) {
      const library = libraries.find((name) => entry.name === `tensorflow/${name}`);
      const header = headers.test(entry.name) && !normalize(entry.name).startsWith("..");
      if (library === undefined && !header) continue;
      if (library !== undefined) say(`unpacking ${library}, ${Math.round(entry.bytes / 1e6)} MB`);
      const to =
        library === undefined
          ? join(include, entry.name.slice("tensorflow/include/".length))
          : join(target, "deps", "lib", library);
      await mkdir(dirname(to), { recursive: true });
      await pipeline(Readable.from(zipMember(source, entry)), createWriteStream(to));
    }
  });
}

function run(command: string, words: readonly string[], folder: string): void {
  const { status, stderr } = spawnSync(command, words, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) fail(`${command} failed:\n${stderr.slice(0, 4000)}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
