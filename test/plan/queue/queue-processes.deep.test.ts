import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { built, scenarios, scratch } from "../../cli/command.ts";
import { freePort, hasRedis, PrivateRedis, selfSigned } from "./private-redis.ts";
import { until } from "./queue-fixtures.ts";

const { path, folder } = scratch();

/** A moecast as a process of its own; its password, if any, stands in its environment. */
function start(words: readonly string[], env: Readonly<Record<string, string>>) {
  const child: ChildProcess = spawn(process.execPath, [built(), ...words], {
    cwd: scenarios,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (part) => {
      said += String(part);
    });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, said: () => said };
}

const sweep = (target: string, ...words: string[]): string[] => {
  const rates = Array.from({ length: 30 }, (_, i) => `${i + 1}/s`).join();
  const set = ["--set", "traffic.requests=8"];
  return [
    "sweep",
    "small.yaml",
    "--vary",
    `traffic.arrivals.requestRate=${rates}`,
    ...set,
    "-o",
    path(target),
    ...words,
  ];
};

test("a sweep without its Redis is one line with exit code 3", async () => {
  const url = `redis://:hunter2@127.0.0.1:${await freePort()}`;
  const run = start(sweep("away", "-q", "--executor", "bullmq"), { MOECAST_REDIS: url });
  expect(await run.ended).toBe(3);
  expect(run.said()).toMatch(/^redis:\/\/:\*\*\*@127\.0\.0\.1:\d+: expected a Redis that answers, found ".*"\n$/);
});

describe.runIf(hasRedis)("sweep and worker as processes, over TLS with a password", () => {
  let redis: PrivateRedis;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const { certificate, key } = selfSigned(folder);
    const port = String(await freePort());
    const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate];
    const door = ["--port", "0", "--tls-port", port, "--tls-auth-clients", "no", ...files];
    redis = await PrivateRedis.start([...door, "--requirepass", "hunter2"]);
    env = { MOECAST_REDIS: `rediss://:hunter2@127.0.0.1:${port}`, NODE_EXTRA_CA_CERTS: certificate };
    await start(sweep("reference", "-q"), {}).ended;
  }, 120_000);
  afterAll(() => redis.remove());

  const expectSameTables = (target: string) => {
    for (const name of ["results.csv", "results.parquet"])
      expect(readFileSync(path(`${target}/${name}`)).equals(readFileSync(path(`reference/${name}`)))).toBe(true);
  };

  test("end with the tables of a sweep on threads", async () => {
    const worker = start(["worker", "--threads", "2", "--idle", "3s"], env);
    const run = start(sweep("queue", "--executor", "bullmq"), env);
    expect(await run.ended, run.said()).toBe(0);
    expect(await worker.ended, worker.said()).toBe(0);
    expect(worker.said()).toMatch(
      /^at queue moecast of rediss:\/\/:\*\*\*@127\.0\.0\.1:\d+ with 2 threads\n30 runs\n$/,
    );
    expect(run.said()).not.toContain("hunter2");
    expectSameTables("queue");
  });

  test("go on after SIGKILL of a worker and Ctrl-C of another and of the sweep", async () => {
    const words = sweep("killed", "--executor", "bullmq", "-q");
    const journal = path("killed/journal.jsonl");
    const lines = () => (existsSync(journal) ? readFileSync(journal, "utf8").split("\n").length : 0);
    const [dead, interrupted] = [start(["worker", "--threads", "1"], env), start(["worker", "--threads", "1"], env)];
    const first = start(words, env);
    await until(() => lines() > 4, 60);
    dead.child.kill("SIGKILL");
    interrupted.child.kill("SIGINT");
    expect(await interrupted.ended, interrupted.said()).toBe(130);
    expect(await dead.ended).toBeNull();
    first.child.kill("SIGINT");
    expect(await first.ended, first.said()).toBe(130);
    const last = start(["worker", "--threads", "2"], env);
    const again = start(words, env);
    expect(await again.ended, again.said()).toBe(0);
    last.child.kill("SIGTERM");
    expect(await last.ended, last.said()).toBe(143);
    expectSameTables("killed");
  });
});
