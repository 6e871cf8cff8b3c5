import { expect, test } from "vitest";
import { freePort } from "../plan/queue/private-redis.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();
const sweep = ["sweep", "small.yaml", "--vary", "seed=1,2", "-q"];

test.each([
  [["--executor", "thread"], /--executor: unknown "thread", did you mean "threads"\? \(one of threads, bullmq\)/],
  [["--redis", "redis://a"], /--redis and --queue: expected with --executor bullmq/],
  [["--queue", "a"], /--redis and --queue: expected with --executor bullmq/],
  [["--executor", "bullmq"], /--executor bullmq needs --redis, or MOECAST_REDIS/],
  [["--executor", "bullmq", "--redis", "redis://a", "--threads", "2"], /--threads: expected with --executor threads/],
  [["--executor", "bullmq", "--redis", "redis://me:hunter2@a/x"], /--redis: expected a URL such as/],
  [["--executor", "bullmq", "--redis", "redis://a", "--queue", "a:b"], /--queue: expected letters/],
])("%j is refused before anything is run", async (words, message) => {
  const { code, err, out } = await moecast([...sweep, "-o", path("none"), ...words]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(message);
  expect(err).not.toContain("hunter2");
});

test("a worker needs a Redis, of a URL or of the environment", async () => {
  expect(await moecast(["worker"])).toMatchObject({ code: 2, err: expect.stringContaining("MOECAST_REDIS") });
  expect(await moecast(["worker", "--redis", "localhost"])).toMatchObject({ code: 2 });
  expect(await moecast(["worker", "--idle", "5"])).toMatchObject({ code: 2 });
  process.env["MOECAST_REDIS"] = "http://me:hunter2@a";
  try {
    const { code, err } = await moecast(["worker"]);
    expect(code).toBe(2);
    expect(err).toContain("--redis: expected a URL");
    expect(err).not.toContain("hunter2");
  } finally {
    delete process.env["MOECAST_REDIS"];
  }
});

test("a Redis that is not there is one line with exit code 3", async () => {
  const { code, err, out } = await moecast(["worker", "--redis", `redis://me:hunter2@127.0.0.1:${await freePort()}`]);
  expect({ code, out }).toEqual({ code: 3, out: "" });
  expect(err).toMatch(/^redis:\/\/me:\*\*\*@127\.0\.0\.1:\d+: expected a Redis that answers, found ".*"\n$/);
});
