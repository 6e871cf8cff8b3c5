/**
 * Kills (SIGKILL) the processes of sweeps again and again: workers, the controller, Redis, and sweeps on threads. Whatever was
 * killed, the same commands go on, and the tables at the end are, byte for byte, those of a sweep that nobody killed.
 *
 *   npm run build && npm run check:crash -- [kills]
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { RandomStream } from "../src/core/random.ts";
import { hasRedis, PrivateRedis } from "../test/plan/queue/private-redis.ts";

const kills = Number(process.argv[2] ?? 20);
const program = resolve("dist/cli/main.js");
if (!existsSync(program)) {
  process.stderr.write("dist is missing: npm run build\n");
  process.exit(2);
}

const configurations = 160;
const workers = 2;
/** Kills before a sweep is left to end, so that the last jobs of a killed worker come back too. */
const killsOfASweep = 25;
/** Of all kills, those of sweeps on threads. */
const shareOfThreads = 0.25;
/** A sweep without progress. */
const hangsMs = 120_000;

const folder = mkdtempSync(join(tmpdir(), "moecast-crash-"));
const random = new RandomStream(1, "check-crash");
const counts = { worker: 0, controller: 0, redis: 0, threads: 0 };
const running = new Set<ChildProcess>();

const scenario = join(folder, "tiny.yaml");
writeFileSync(join(folder, "model.json"), readFileSync("test/fixtures/checkpoints/mixtral/config.json"));
writeFileSync(
  scenario,
  readFileSync("test/fixtures/scenarios/small.yaml", "utf8")
    .replace("{ id: gpt-oss-20b }", "{ file: model.json }")
    .replace("requests: 60", "requests: 20"),
);
const rates = Array.from({ length: configurations }, (_, i) => `0.${100 + i}/s`).join();
const sweep = (target: string): string[] => [
  "sweep",
  scenario,
  "--vary",
  `traffic.arrivals.requestRate=${rates}`,
  "-o",
  join(folder, target),
  "--quiet",
];

/** A moecast of its own; `ended` has its exit code, or null where a signal ended it. */
interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly said: () => string;
}

function start(words: readonly string[]): Started {
  const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let said = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (part) => {
      said += String(part);
    });
  const ended = new Promise<number | null>((settle) =>
    child.once("close", (code) => {
      running.delete(child);
      settle(code);
    }),
  );
  return { child, ended, said: () => said };
}

const pause = (leastMs: number, mostMs: number) => wait(leastMs + random.uniform() * (mostMs - leastMs));

/** A sweep on threads that is killed so many times, and then ends. */
async function killThreads(target: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const run = start([...sweep(target), "--threads", "2"]);
    await Promise.race([pause(500, 2500), run.ended]);
    if (run.child.exitCode !== null) return expectCode(run, run.child.exitCode);
    run.child.kill("SIGKILL");
    await run.ended;
    counts.threads += 1;
  }
  const last = start([...sweep(target), "--threads", "2"]);
  await expectCode(last, await last.ended);
}

/** A sweep over a queue whose processes are killed so many times, and which then ends. */
async function killQueue(target: string, times: number): Promise<void> {
  const redis = await PrivateRedis.start(["--appendonly", "yes", "--appendfsync", "always"]);
  const at = ["--redis", `redis://127.0.0.1:${redis.port}`];
  const startWorker = () => start(["worker", "--threads", "1", ...at]);
  const startSweep = () => start([...sweep(target), "--executor", "bullmq", ...at]);
  const hands = Array.from({ length: workers }, startWorker);
  let controller = startSweep();
  try {
    for (let killed = 0; killed < times && controller.child.exitCode === null; killed++) {
      await Promise.race([pause(300, 1500), controller.ended]);
      if (controller.child.exitCode !== null) break;
      const drawn = random.uniform();
      if (drawn < 0.5) {
        const which = Math.floor(random.uniform() * workers);
        const hand = hands[which]!;
        if (hand.child.exitCode !== null) throw new Error(`a worker ended by itself:\n${hand.said()}`);
        hand.child.kill("SIGKILL");
        await hand.ended;
        hands[which] = startWorker();
        counts.worker += 1;
      } else if (drawn < 0.8) {
        controller.child.kill("SIGKILL");
        await controller.ended;
        controller = startSweep();
        counts.controller += 1;
      } else {
        await redis.kill();
        await pause(0, 1000);
        await redis.start();
        counts.redis += 1;
      }
    }
    await expectCode(controller, await Promise.race([controller.ended, wait(hangsMs, -1, { ref: false })]));
    for (const { child } of hands) child.kill("SIGINT");
    for (const hand of hands)
      if ((await hand.ended) !== 130) throw new Error(`a worker did not end with 130:\n${hand.said()}`);
  } finally {
    for (const { child } of [...hands, controller]) child.kill("SIGKILL");
    await redis.remove();
  }
}

async function expectCode({ said }: Started, code: number | null): Promise<void> {
  if (code !== 0) throw new Error(`a sweep ended with ${code}, not 0:\n${said()}`);
}

/** Each configuration has one line of the journal, and the tables are those of the sweep that nobody killed. */
function compare(target: string): void {
  const lines = readFileSync(join(folder, target, "journal.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1);
  const parsed = lines.map((line) => JSON.parse(line) as [key: string, status: string, reason: string | null]);
  const keys = new Set(parsed.map(([key]) => key));
  const odd = parsed.find(([, status]) => status !== "done");
  if (odd !== undefined) throw new Error(`${target}: a run came to ${odd[1]}: ${odd[2]}`);
  if (keys.size !== configurations || lines.length !== configurations)
    throw new Error(
      `${target}: ${lines.length} results of ${keys.size} configurations, expected ${configurations} of each`,
    );
  for (const name of ["results.csv", "results.parquet"])
    if (!readFileSync(join(folder, target, name)).equals(readFileSync(join(folder, "reference", name))))
      throw new Error(`${target}: ${name} differs from that of a sweep that nobody killed`);
}

try {
  const began = performance.now();
  const reference = spawnSync(process.execPath, [program, ...sweep("reference")]);
  if (reference.status !== 0) throw new Error(String(reference.stderr));
  if (!hasRedis) process.stderr.write("kills of workers, controller and Redis are skipped\n");
  let rounds = 0;
  const done = () => counts.worker + counts.controller + counts.redis + counts.threads;
  while (done() < kills) {
    const left = kills - done();
    const onThreads = !hasRedis || counts.threads <= shareOfThreads * done();
    const target = `${onThreads ? "threads" : "queue"}-${++rounds}`;
    if (onThreads) await killThreads(target, Math.min(left, 5));
    else await killQueue(target, Math.min(left, killsOfASweep));
    compare(target);
    process.stderr.write(`${target}: same bytes after ${done()} kills (${JSON.stringify(counts)})\n`);
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stdout.write(
    `${done()} kills in ${rounds} sweeps of ${configurations} configurations: nothing lost, nothing twice, same bytes (${seconds} s)\n`,
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
