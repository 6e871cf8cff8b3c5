import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Queue, Worker } from "bullmq";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { QueueExecutor, type QueueOptions } from "../../../src/plan/execute/queue/queue-executor.ts";
import { keyPrefix, ownVersions, queueDefault, versionedQueue } from "../../../src/plan/execute/queue/queue-names.ts";
import { baseDigest, offerBase } from "../../../src/plan/execute/queue/queued-bases.ts";
import type { RedisLink } from "../../../src/plan/execute/queue/redis-link.ts";
import type { Job, JobBase, Outcome } from "../../../src/plan/job/job.ts";
import { refused } from "../../../src/plan/job/run-job.ts";
import { hasRedis, PrivateRedis } from "./private-redis.ts";
import { base, Hanging, jobsOf, outcomesOf, startWorker, until } from "./queue-fixtures.ts";

describe.runIf(hasRedis)("a queue on Redis", () => {
  let redis: PrivateRedis;
  let look: RedisLink;
  beforeAll(async () => {
    redis = await PrivateRedis.start();
    look = await redis.link();
  }, 60_000);
  afterAll(async () => {
    look.close();
    await redis.remove();
  });
  beforeEach(async () => {
    await look.client.flushall();
  });

  const executor = (options: Partial<QueueOptions> = {}) => {
    const notices: string[] = [];
    const made = new QueueExecutor({
      address: redis.address(),
      queue: queueDefault,
      notice: (text) => notices.push(text),
      ...options,
    });
    return { made, notices };
  };

  /** Runs jobs through the queue and gives their outcomes, each of which came once. */
  async function through(jobs: readonly Job[], over: JobBase = base, options: Partial<QueueOptions> = {}) {
    const { made } = executor(options);
    const outcomes = new Map<string, Outcome>();
    try {
      await made.run(over, jobs, ({ key }, outcome) => {
        expect(outcomes.has(key)).toBe(false);
        outcomes.set(key, outcome);
      });
    } finally {
      await made.close();
    }
    return outcomes;
  }

  /** The queue as BullMQ sees it. */
  const inside = () =>
    new Queue(versionedQueue(queueDefault, ownVersions), { connection: look.client, prefix: keyPrefix });

  test("gives the outcomes of the same jobs run here, and keeps nothing of them", async () => {
    const jobs = await jobsOf(12);
    const worker = startWorker(redis.address(), { threads: 2 });
    const outcomes = await through(jobs);
    expect(await worker.stop()).toBe(12);
    const expected = await outcomesOf(jobs);
    expect(outcomes.size).toBe(12);
    for (const [key, outcome] of expected) expect(outcomes.get(key)).toEqual(outcome);
    expect(await inside().getJobCounts()).toMatchObject({ waiting: 0, active: 0, completed: 0, failed: 0 });
    for (const { key } of jobs) expect(await look.client.keys(`*${key}*`)).toEqual([]);
  });

  test("the text of a scenario lies there once, whatever the number of jobs", async () => {
    const large: JobBase = { ...base, text: `${base.text}${"# filler\n".repeat(20_000)}` };
    const stop = new AbortController();
    const { made } = executor();
    const jobs = await jobsOf(50, large);
    const run = made.run(large, jobs, () => {}, stop.signal);
    run.catch(() => {});
    await until(async () => (await inside().getJobCounts())["waiting"] === 50);
    let bytes = 0;
    for (const key of await look.client.keys("*")) bytes += (await look.client.call("MEMORY", "USAGE", key)) as number;
    stop.abort(new Error("interrupted"));
    await expect(run).rejects.toThrow("interrupted");
    await made.close();
    expect(bytes).toBeGreaterThan(large.text.length);
    expect(bytes).toBeLessThan(2 * large.text.length);
  });

  test("an interrupted sweep takes its waiting jobs back, and the next one goes on", async () => {
    const jobs = await jobsOf(20);
    const worker = startWorker(redis.address());
    const stop = new AbortController();
    const { made } = executor();
    const kept = new Map<string, Outcome>();
    const run = made.run(
      base,
      jobs,
      ({ key }, outcome) => {
        kept.set(key, outcome);
        if (kept.size === 3) stop.abort(new Error("interrupted"));
      },
      stop.signal,
    );
    await expect(run).rejects.toThrow("interrupted");
    await made.close();
    expect((await inside().getJobCounts())["waiting"]).toBe(0);
    const rest = await through(jobs.filter(({ key }) => !kept.has(key)));
    expect(kept.size + rest.size).toBe(20);
    await worker.stop();
    expect(new Map([...kept, ...rest])).toEqual(await outcomesOf(jobs));
  });

  test("a sweep that is gone finds its results when it comes again, without a worker", async () => {
    const jobs = await jobsOf(6);
    const first = executor().made;
    // What a killed process leaves: jobs in the queue, and a sink that takes nothing.
    const run = first.run(base, jobs, () => new Promise<void>(() => {}));
    run.catch(() => {});
    const worker = startWorker(redis.address());
    await until(() => worker.executor.ran.length === 6);
    await until(async () => (await inside().getJobCounts())["completed"] === 6);
    await worker.stop();
    await first.close();
    expect(await through(jobs)).toEqual(await outcomesOf(jobs));
    expect(worker.executor.ran.length).toBe(6);
  });

  test("jobs of two sweeps are run once for both, whoever takes the result", async () => {
    const jobs = await jobsOf(4);
    const both = Promise.all([
      through(jobs, base, { attendMs: 100 }),
      through([...jobs].reverse(), base, { attendMs: 100 }),
    ]);
    const worker = startWorker(redis.address());
    const [one, other] = await both;
    await worker.stop();
    expect(one).toEqual(other);
    // A result that the other sweep took first is made again.
    expect(worker.executor.ran.length).toBeLessThanOrEqual(8);
  });

  test("a job whose worker is gone is run by another one, and counted once", async () => {
    const [job] = await jobsOf(1);
    const outcome = through([job!]);
    await until(async () => (await inside().getJobCounts())["waiting"] === 1);
    // A worker that takes the job and is never heard of again.
    const dead = new Worker(versionedQueue(queueDefault, ownVersions), null, {
      connection: look.client,
      prefix: keyPrefix,
      lockDuration: 300,
      autorun: false,
    });
    expect((await dead.getNextJob("token"))?.id).toBe(job!.key);
    const worker = startWorker(redis.address(), { locks: { lockMs: 300, checkMs: 100 } });
    expect(await outcome).toEqual(await outcomesOf([job!]));
    await worker.stop();
    await dead.close();
  });

  test("what a worker is at when it is interrupted goes back, and nothing is half-done", async () => {
    const jobs = await jobsOf(3);
    const hanging = new Hanging();
    const outcomes = through(jobs);
    const interrupted = startWorker(redis.address(), { threads: 2, executor: () => hanging });
    await until(() => hanging.begun === 2);
    expect(await interrupted.stop()).toBe(0);
    expect(await inside().getJobCounts()).toMatchObject({ waiting: 3, active: 0, completed: 0, failed: 0 });
    const worker = startWorker(redis.address());
    expect(await outcomes).toEqual(await outcomesOf(jobs));
    await worker.stop();
  });

  test("a worker that was out of reach for too long loses its job, says so, and the job is counted once", async () => {
    const [job] = await jobsOf(1);
    const outcome = through([job!]);
    const hanging = new Hanging();
    const lost = startWorker(redis.address(), { executor: () => hanging, locks: { lockMs: 400, checkMs: 100 } });
    await until(() => hanging.begun === 1);
    // As if nobody had renewed it in time.
    await look.client.del(`${keyPrefix}:${versionedQueue(queueDefault, ownVersions)}:${job!.key}:lock`);
    const worker = startWorker(redis.address(), { locks: { lockMs: 400, checkMs: 100 } });
    expect(await outcome).toEqual(await outcomesOf([job!]));
    await until(() => lost.notices.some((text) => text.includes("went to another one")));
    await Promise.all([worker.stop(), lost.stop()]);
  });

  test("a worker without work ends when it was told to", async () => {
    expect(await startWorker(redis.address(), { idleMs: 200 }).ended).toBe(0);
    expect(await look.client.hlen("moecast:moecast:peers")).toBe(0);
  });

  test("sweep and worker of different versions tell each other, and no job is run", async () => {
    const stop = new AbortController();
    const other = { moecast: "9.9.9", outcomes: ownVersions.outcomes };
    const worker = startWorker(redis.address(), { versions: other });
    await until(() => worker.notices.length > 0);
    const { made, notices } = executor();
    const run = made.run(base, await jobsOf(2), () => {}, stop.signal);
    run.catch(() => {});
    await until(() => notices.length > 0);
    expect(notices).toEqual([expect.stringMatching(/^only workers of other versions .*: moecast 9\.9\.9, outcomes/)]);
    // One that comes when only sweeps of another version are there.
    await expect(startWorker(redis.address(), { versions: other }).ended).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/expected a sweep of moecast 9\.9\.9.*found "sweeps of moecast .* alone"/),
    });
    stop.abort(new Error("interrupted"));
    await expect(run).rejects.toThrow("interrupted");
    await made.close();
    expect(await worker.stop()).toBe(0);
  });

  test("a sweep without workers says so, once", async () => {
    const stop = new AbortController();
    const { made, notices } = executor({ attendMs: 50 });
    const run = made.run(base, await jobsOf(1), () => {}, stop.signal);
    run.catch(() => {});
    await until(() => notices.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(notices.length).toBe(1);
    expect(notices[0]).toMatch(/^no worker is at queue moecast of redis:\/\/127\.0\.0\.1:\d+ yet/);
    stop.abort(new Error("interrupted"));
    await expect(run).rejects.toThrow("interrupted");
    await made.close();
  });

  test("a worker with other files runs nothing, and the files are named", async () => {
    const folder = mkdtempSync(join(tmpdir(), "moecast-inputs-"));
    try {
      const config = join(folder, "model.json");
      const over: JobBase = {
        ...base,
        file: join(folder, "a.yaml"),
        settings: ["model={file: model.json}", "hardware={file: same.json}"],
      };
      writeFileSync(join(folder, "same.json"), "{}");
      writeFileSync(config, "{}");
      const jobs = await jobsOf(1, over);
      await offerBase(look, queueDefault, over);
      await inside().add("run", { base: baseDigest(over), settings: jobs[0]!.settings }, { jobId: jobs[0]!.key });
      // On the machine of the worker the file is another one.
      writeFileSync(config, '{"hidden_size":1}');
      const worker = startWorker(redis.address());
      await until(async () => (await inside().getJobCounts())["completed"] === 1);
      await worker.stop();
      writeFileSync(config, "{}");
      expect(worker.executor.ran).toEqual([]);
      expect([...(await through(jobs, over)).values()]).toEqual([
        refused("failed", `the worker on ${hostname()} has other inputs than the sweep: ${config}`),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a worker reads files anew when they have changed, and drops what it made of them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "moecast-inputs-"));
    let made = 0;
    const small = refused("infeasible", "too small");
    const worker = startWorker(redis.address(), {
      executor: () => {
        made += 1;
        return { run: async (_over, [job], sink) => sink(job!, small), close: async () => {} };
      },
    });
    try {
      const config = join(folder, "model.json");
      const over: JobBase = { ...base, file: join(folder, "a.yaml"), settings: ["model={file: model.json}"] };
      for (const text of ["{}", '{"a":1}', '{"a":2}']) {
        writeFileSync(config, text);
        const jobs = await jobsOf(2, over);
        expect([...(await through(jobs, over)).values()]).toEqual([small, small]);
      }
      expect(made).toBe(3);
    } finally {
      await worker.stop();
      rmSync(folder, { recursive: true });
    }
  });

  test("what is in the queue without being moecast's is refused, not believed", async () => {
    const jobs = await jobsOf(3);
    const queue = inside();
    const [odd, lie] = jobs;
    await queue.add("run", { base: 1, settings: "seed=1" }, { jobId: odd!.key });
    const run = through(jobs);
    await until(async () => (await queue.getJobCounts())["waiting"] === 3);
    const liar = new Worker(queue.name, null, { connection: look.client, prefix: keyPrefix, autorun: false });
    const first = await liar.getNextJob("a");
    expect(first?.id).toBe(odd!.key);
    const second = await liar.getNextJob("b");
    expect(second?.id).toBe(lie!.key);
    await second!.moveToCompleted({ outcome: { status: "done", figures: [1e9] } }, "b", false);
    await first!.moveToWait("a");
    await liar.close();
    const worker = startWorker(redis.address());
    const outcomes = await run;
    await worker.stop();
    expect(outcomes.get(lie!.key)!.reason).toBe("in the queue: a result that moecast did not write");
    expect(outcomes.get(odd!.key)!.reason).toBe("in the queue: a job that moecast did not write");
    expect(outcomes.get(jobs[2]!.key)!.status).toBe("done");
  });

  test("jobs and scenario that a Redis has forgotten are put there again", async () => {
    const jobs = await jobsOf(3);
    const run = through(jobs, base, { attendMs: 100 });
    await until(async () => (await inside().getJobCounts())["waiting"] === 3);
    await look.client.flushall();
    await until(async () => (await inside().getJobCounts())["waiting"] === 3);
    const worker = startWorker(redis.address());
    expect(await run).toEqual(await outcomesOf(jobs));
    await worker.stop();
  });

  test("settings that would fill the queue are refused", async () => {
    const settings = [`description="${"x".repeat(300_000)}"`];
    const outcomes = await through([{ key: "0".repeat(63).concat("a"), settings }]);
    expect([...outcomes.values()][0]!.reason).toMatch(/^its settings take 3\d{5} bytes of a queue/);
  });

  test("a sink that fails ends the run, and what it did not take stays in the queue", async () => {
    const jobs = await jobsOf(5);
    const worker = startWorker(redis.address());
    const { made } = executor();
    let taken = 0;
    const full = () => {
      if (++taken > 2) throw new Error("no space is left");
    };
    await expect(made.run(base, jobs, full)).rejects.toThrow("no space is left");
    await made.close();
    const rest = await through(jobs.slice(2));
    await worker.stop();
    expect(rest).toEqual(await outcomesOf(jobs.slice(2)));
  });
});
