import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QueueExecutor } from "../../../src/plan/execute/queue/queue-executor.ts";
import { queueDefault } from "../../../src/plan/execute/queue/queue-names.ts";
import { queuePackages } from "../../../src/plan/execute/queue/queue-packages.ts";
import { redisAddress } from "../../../src/plan/execute/queue/redis-address.ts";
import { type Patience, RedisLink } from "../../../src/plan/execute/queue/redis-link.ts";
import { freePort, hasRedis, PrivateRedis, selfSigned } from "./private-redis.ts";
import { base, jobsOf, outcomesOf, startWorker } from "./queue-fixtures.ts";

const short: Patience = { startMs: 300, goneMs: 400, silentMs: 300 };
const quiet = () => {};

/** The error of something that must fail, as people see it. */
const failure = async (what: Promise<unknown>): Promise<{ exitCode: number; message: string }> => {
  const error: unknown = await what.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ exitCode: 3 });
  return error as { exitCode: number; message: string };
};

beforeAll(async () => {
  await queuePackages();
}, 60_000);

test("a Redis that is not there is one line with exit code 3, within the time for it", async () => {
  const address = redisAddress(`redis://me:hunter2@127.0.0.1:${await freePort()}`);
  const began = performance.now();
  const { message } = await failure(RedisLink.open(address, quiet, short));
  expect(performance.now() - began).toBeLessThan(3000);
  expect(message).toMatch(
    /^redis:\/\/me:\*\*\*@127\.0\.0\.1:\d+: expected a Redis that answers, found ".*ECONNREFUSED/,
  );
  expect(message).not.toMatch(/hunter2|\n/);
});

describe.runIf(hasRedis)("a Redis that goes away", () => {
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await PrivateRedis.start(["--appendonly", "yes", "--appendfsync", "always"]);
  });
  afterAll(() => redis.remove());

  test("and comes back is waited for, by sweep and worker, and nothing is lost", async () => {
    const jobs = await jobsOf(15);
    const notices: string[] = [];
    const executor = new QueueExecutor({
      address: redis.address(),
      queue: queueDefault,
      notice: (text) => notices.push(text),
    });
    const worker = startWorker(redis.address(), { locks: { lockMs: 600, checkMs: 200 } });
    const outcomes = new Map<string, unknown>();
    const again: Promise<void>[] = [];
    await executor.run(base, jobs, ({ key }, outcome) => {
      expect(outcomes.has(key)).toBe(false);
      outcomes.set(key, outcome);
      if (outcomes.size > 5 && again.length === 0) again.push(redis.kill().then(() => redis.start()));
    });
    await Promise.all(again);
    await executor.close();
    await worker.stop();
    expect(outcomes).toEqual(await outcomesOf(jobs));
    expect(notices).toEqual([expect.stringContaining("is away: waiting for it"), expect.stringContaining("is back")]);
  });

  test("for good ends the sweep and the worker with exit code 3, and what came before is kept", async () => {
    const jobs = await jobsOf(2000);
    const executor = new QueueExecutor({
      address: redis.address(),
      queue: queueDefault,
      notice: quiet,
      patience: short,
    });
    const worker = startWorker(redis.address(), { patience: short });
    const kept = new Map<string, unknown>();
    const gone: Promise<void>[] = [];
    const run = executor.run(base, jobs, ({ key }, outcome) => {
      kept.set(key, outcome);
      if (gone.length === 0) gone.push(redis.kill());
    });
    const { message } = await failure(run);
    expect(message).toMatch(/expected a Redis that answers, .*what has a result is kept/);
    await failure(worker.ended);
    await executor.close();
    await Promise.all(gone);
    await redis.start();
    expect(kept.size).toBeGreaterThan(0);
    const expected = await outcomesOf(jobs.filter(({ key }) => kept.has(key)));
    expect(kept).toEqual(expected);
  });

  test("without a word, with its connections open, is noticed too", async () => {
    const notices: string[] = [];
    const link = await RedisLink.open(redis.address(), (text) => notices.push(text), short);
    redis.hold(true);
    try {
      expect((await failure(link.ask(() => link.client.ping()))).message).toContain("expected a Redis that answers");
      expect(notices.length).toBeGreaterThan(0);
    } finally {
      redis.hold(false);
    }
    link.close();
  });
});

describe.runIf(hasRedis)("who may come in", () => {
  test("names and passwords of the URL are used; wrong ones are refused at once and shown nowhere", async () => {
    const redis = await PrivateRedis.start(["--requirepass", "s3cr/et@"]);
    try {
      const good = redis.address(`:${encodeURIComponent("s3cr/et@")}@`);
      const link = await RedisLink.open(good, quiet, short);
      await link.client.call("ACL", "SETUSER", "mo", "on", ">other", "allkeys", "allchannels", "allcommands");
      link.close();
      (await RedisLink.open(redis.address("mo:other@"), quiet, short)).close();
      for (const user of ["", ":hunter2@", "mo:hunter2@", "nobody:hunter2@"]) {
        const { message } = await failure(RedisLink.open(redis.address(user), quiet, { ...short, startMs: 20_000 }));
        expect(message).toMatch(/expected a Redis that lets moecast in, found ".*(NOAUTH|WRONGPASS)/);
        expect(message).not.toMatch(/hunter2|s3cr/);
      }
    } finally {
      await redis.remove();
    }
  });

  test("a right that is missing is one message, not a wait", async () => {
    const redis = await PrivateRedis.start();
    try {
      const link = await redis.link();
      await link.client.call("ACL", "SETUSER", "reader", "on", ">pass", "allkeys", "+@read", "+@connection", "+info");
      link.close();
      const executor = new QueueExecutor({
        address: redis.address("reader:pass@"),
        queue: queueDefault,
        notice: quiet,
      });
      const { message } = await failure(executor.run(base, await jobsOf(1), quiet));
      expect(message).toMatch(/expected a Redis that takes its commands, found ".*NOPERM/);
      await executor.close();
    } finally {
      await redis.remove();
    }
  });

  test("TLS: a certificate that nobody vouches for is refused with a hint, and so is a connection without TLS", async () => {
    const folder = mkdtempSync(join(tmpdir(), "moecast-tls-"));
    const { certificate, key } = selfSigned(folder);
    const port = String(await freePort());
    const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate];
    const redis = await PrivateRedis.start(["--port", "0", "--tls-port", port, "--tls-auth-clients", "no", ...files]);
    try {
      const address = redisAddress(`rediss://127.0.0.1:${port}`);
      const { message } = await failure(RedisLink.open(address, quiet, short));
      expect(message).toMatch(/self-signed certificate.*NODE_EXTRA_CA_CERTS/);
      await failure(RedisLink.open(redisAddress(`redis://127.0.0.1:${port}`), quiet, short));
    } finally {
      await redis.remove();
      rmSync(folder, { recursive: true });
    }
  });
});

describe.runIf(hasRedis)("a Redis with little memory", () => {
  test("that drops keys is warned of", async () => {
    const redis = await PrivateRedis.start(["--maxmemory-policy", "allkeys-lru"]);
    try {
      const notices: string[] = [];
      (await RedisLink.open(redis.address(), (text) => notices.push(text))).close();
      expect(notices).toEqual([expect.stringContaining("maxmemory-policy allkeys-lru): set noeviction")]);
    } finally {
      await redis.remove();
    }
  });

  test("that is full refuses with one message", async () => {
    const redis = await PrivateRedis.start(["--maxmemory", "1100kb"]);
    try {
      const executor = new QueueExecutor({ address: redis.address(), queue: queueDefault, notice: quiet });
      const { message } = await failure(executor.run(base, await jobsOf(5000), quiet));
      expect(message).toMatch(/expected a Redis that takes its commands, found ".*OOM/);
      await executor.close();
    } finally {
      await redis.remove();
    }
  });
});
