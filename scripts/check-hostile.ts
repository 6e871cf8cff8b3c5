/**
 * Feeds the built command line what is endless, huge, missing or full, and holds every run to the promises of its inputs and
 * outputs: a documented exit code, no stack, less than 512 MiB of memory, 30 seconds, and nothing left behind.
 *
 *   npm run build && npm run check:hostile
 */
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const program = resolve("dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "moecast-hostile-"));
const memoryMaxBytes = 512 * 1024 * 1024;
const secondsMax = 30;

const path = (name: string): string => join(folder, name);
const file = (name: string, data: string | Uint8Array): string => {
  writeFileSync(path(name), data);
  return path(name);
};
const sparse = (name: string, bytes: number): string => {
  truncateSync(file(name, ""), bytes);
  return path(name);
};
const link = (name: string, target: string): string => {
  symlinkSync(target, path(name));
  return path(name);
};

const requestLine = '{"timestamp":0,"input_length":8,"output_length":8,"hash_ids":[]}\n';

interface Case {
  readonly name: string;
  readonly words: readonly string[];
  readonly code: number;
  /** What stderr says. */
  readonly says: RegExp;
  readonly stdout?: string;
  /** Runs the command in bash, which gets the words as its arguments. */
  readonly shell?: string;
  /** Ends the run by this signal after so many milliseconds. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly afterMs: number };
}

const scenario = readFileSync(resolve("test/fixtures/scenarios/small.yaml"), "utf8");
const withModel = (name: string, config: string): string =>
  file(name, scenario.replace("{ id: gpt-oss-20b }", `{ file: ${config} }`));
const small = file("small.yaml", scenario);
const trace = resolve("scenarios/traces/mini-moe.safetensors");

/** A checkpoint folder whose shard index is `index`. */
function checkpoint(name: string, index: (path: string) => unknown): string {
  const model = path(name);
  cpSync(resolve("test/fixtures/checkpoints/mixtral"), model, { recursive: true });
  for (const each of readdirSync(model)) if (each.includes("safetensors")) rmSync(join(model, each));
  index(`${name}/model.safetensors.index.json`);
  return model;
}

const keys = (count: number): string => Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join();

function inputs(): Case[] {
  const config = { "model.json": file("objects.json", `[${"{},".repeat(20_000_000)}{}]`) };
  const capture = (model: string): string[] => [
    "capture",
    "--model",
    model,
    "--backend",
    "wasm",
    "--ids",
    file("ids.jsonl", "[1,2,3]\n"),
    "-o",
    path("capture.safetensors"),
  ];
  const kernels = (table: string): string[] => ["calibrate", "--from", table, "--profile", "h200-sxm"];
  return [
    {
      name: "a config of 20 million objects",
      words: ["model", "show", config["model.json"]],
      code: 3,
      says: /at most 16 MiB/,
    },
    {
      name: "a profile of 3 million objects",
      words: ["hardware", "check", file("profile.json", `[${"{},".repeat(3_000_000)}{}]`)],
      code: 3,
      says: /at most 256 MiB of memory/,
    },
    {
      name: "a config of 100,000 keys",
      words: ["model", "show", file("keys.json", `{"model_type":"mixtral",${keys(100_000)}}`)],
      code: 3,
      says: /hidden_size/,
    },
    {
      name: "a config of 1 TiB",
      words: ["run", withModel("t.yaml", sparse("tera.json", 2 ** 40))],
      code: 3,
      says: /found 1 TiB/,
    },
    {
      name: "a config that is a folder of others",
      words: ["run", withModel("f.yaml", folder)],
      code: 3,
      says: /a folder with a config\.json/,
    },
    {
      name: "a config that is endless",
      words: ["run", withModel("z.yaml", link("z.json", "/dev/zero"))],
      code: 3,
      says: /at most 16 MiB/,
    },
    {
      name: "a scenario that is endless",
      words: ["run", link("zero.yaml", "/dev/zero")],
      code: 3,
      says: /at most 64 MiB/,
    },
    {
      name: "a shard index of 1 TiB",
      words: capture(checkpoint("huge-index", (at) => sparse(at, 2 ** 40))),
      code: 3,
      says: /at most 64 MiB/,
    },
    {
      name: "a shard index that is a folder",
      words: capture(checkpoint("folder-index", (at) => mkdirSync(path(at)))),
      code: 3,
      says: /not a folder/,
    },
    {
      name: "a kernel table that is endless",
      words: kernels(link("zero.csv", "/dev/zero")),
      code: 3,
      says: /at most 64 MiB/,
    },
    {
      name: "a kernel table that is a bomb",
      words: kernels(file("bomb.csv.gz", gzipSync(Buffer.alloc(2 ** 30, "0,0\n")))),
      code: 3,
      says: /after decompression/,
    },
    {
      name: "a kernel table of 15 million rows",
      words: kernels(file("rows.csv", `a,b\n${"1,2\n".repeat(15_000_000)}`)),
      code: 3,
      says: /at most 250,000 rows/,
    },
    {
      name: "a recording that is a bomb",
      words: ["trace", "inspect", file("requests.jsonl.gz", gzipSync(Buffer.alloc(2 ** 28, requestLine)))],
      code: 3,
      says: /compressed to no less than/,
    },
    {
      name: "a scenario through a pipe without a name, whose writer has gone",
      words: ["run", "/dev/stdin", "-q"],
      shell: `"$0" "$@" < <(cat ${small})`,
      code: 0,
      says: /^$/,
    },
    {
      name: "the item 99,999,999 of a list that is not there",
      words: ["run", small, "--set", "slo.e2e[99999999]=p(50)<1s"],
      code: 3,
      says: /list/,
    },
  ];
}

function outputs(): Case[] {
  const synth = ["trace", "synth", "--published", "qwen3-30b-a3b"];
  const full = { code: 2, says: /no space is left on the device/ };
  const cases: Case[] = [
    { name: "a full stdout", words: ["run", small, "-q"], stdout: "/dev/full", ...full },
    { name: "help on a full stdout", words: ["--help"], stdout: "/dev/full", ...full },
    { name: "an export to a full device", words: ["run", small, "-q", "--export", "json=/dev/full"], ...full },
    {
      name: "a folder below /proc",
      words: [...synth, "--tokens", "100", "--mkdir", "-o", "/proc/none/trace.safetensors"],
      code: 2,
      says: /cannot write \/proc\/none/,
    },
    {
      name: "a long synthesis, ended by SIGTERM",
      words: [...synth, "--tokens", "5000000", "-o", path("long.safetensors")],
      code: 143,
      says: /^/,
      signal: { name: "SIGTERM", afterMs: 1500 },
    },
  ];
  const disk = path("disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    process.stdout.write("no small disk can be mounted here: full disks are left out\n");
    return cases;
  }
  return [
    ...cases,
    {
      name: "synthesis on a full disk",
      words: [...synth, "--tokens", "5000", "-o", join(disk, "t.safetensors")],
      ...full,
    },
    {
      name: "conversion on a full disk",
      words: ["trace", "convert", trace, "--to", "csv", "-o", join(disk, "t.csv")],
      ...full,
    },
    {
      name: "import on a full disk",
      words: ["trace", "import", recording(), "-o", join(disk, "i.safetensors")],
      ...full,
    },
  ];
}

/** A recording of more than the small disk holds. */
function recording(): string {
  const rows = Array.from({ length: 20_000 }, (_, i) => i);
  const ids = Uint8Array.from(rows.flatMap((i) => [i % 64, (i + 1) % 64, (i + 2) % 64, (i + 3) % 64]));
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (20000, 1, 4), }`;
  const padded = `${header.padEnd(117)}\n`;
  const start = Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.of(padded.length, 0),
    Buffer.from(padded),
  ]);
  return file("routed.npy", Buffer.concat([start, ids]));
}

interface Outcome {
  readonly code: number | null;
  readonly err: string;
  readonly peakBytes: number;
  readonly seconds: number;
}

/** Peak memory of a running process, where the system tells. */
function peakOf(pid: number): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return 1024 * Number(line?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function run({ words, stdout, shell, signal }: Case): Promise<Outcome> {
  return new Promise((settle, reject) => {
    const out = stdout === undefined ? ("ignore" as const) : openSync(stdout, "w");
    const started = performance.now();
    const [command, ...first] = shell === undefined ? [process.execPath] : ["bash", "-c", shell, process.execPath];
    const child = spawn(command, [...first, program, ...words], { stdio: ["ignore", out, "pipe"] });
    const timers: NodeJS.Timeout[] = [];
    let [err, peakBytes] = ["", 0];
    child.stderr?.on("data", (part) => {
      err += part;
    });
    timers.push(setInterval(() => (peakBytes = Math.max(peakBytes, peakOf(child.pid ?? 0))), 20));
    timers.push(setTimeout(() => child.kill("SIGKILL"), 2 * secondsMax * 1000));
    if (signal !== undefined) timers.push(setTimeout(() => child.kill(signal.name), signal.afterMs));
    child.on("error", reject);
    child.on("close", (code, ended) => {
      for (const timer of timers) clearInterval(timer);
      // A shell shows 128 and the number of the signal that ended a process.
      const shown = code ?? { SIGINT: 130, SIGTERM: 143 }[ended as string] ?? null;
      settle({ code: shown, err, peakBytes, seconds: (performance.now() - started) / 1000 });
    });
  });
}

function wrongWith(one: Case, { code, err, peakBytes, seconds }: Outcome): string[] {
  return [
    ...(code === one.code ? [] : [`exit code ${code} instead of ${one.code}`]),
    ...(one.says.test(err) ? [] : [`stderr does not say ${one.says}: ${err.slice(0, 300)}`]),
    ...(/^\s+at .*:\d+:\d+/m.test(err) ? [`a stack: ${err.slice(0, 300)}`] : []),
    ...(peakBytes <= memoryMaxBytes ? [] : [`${Math.round(peakBytes / 2 ** 20)} MiB`]),
    ...(seconds <= secondsMax ? [] : [`${seconds.toFixed(1)} s`]),
  ];
}

let failed = 0;
try {
  for (const one of [...inputs(), ...outputs()]) {
    const outcome = await run(one);
    const wrong = wrongWith(one, outcome);
    if (wrong.length > 0) failed += 1;
    const figures = `${Math.round(outcome.peakBytes / 2 ** 20)} MiB, ${outcome.seconds.toFixed(1)} s`;
    process.stdout.write(`${wrong.length === 0 ? "ok    " : "WRONG "} ${one.name}: ${figures} ${wrong.join("; ")}\n`);
  }
  const left = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("partial"));
  if (left.length > 0) {
    failed += 1;
    process.stdout.write(`WRONG  left behind: ${left.join(", ")}\n`);
  }
} finally {
  if (existsSync(path("disk")))
    try {
      execFileSync("umount", [path("disk")], { stdio: "ignore" });
    } catch {
      // It was not mounted.
    }
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
