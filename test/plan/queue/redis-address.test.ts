import { expect, test } from "vitest";
import { queueName, versionedQueue } from "../../../src/plan/execute/queue/queue-names.ts";
import { redisAddress } from "../../../src/plan/execute/queue/redis-address.ts";

test("a URL gives host, port, database, name, password and encryption", () => {
  expect(redisAddress("redis://localhost")).toMatchObject({ host: "localhost", port: 6379, database: 0, tls: false });
  expect(redisAddress("rediss://me:p%40ss%2Fword@redis.example:6380/3")).toMatchObject({
    host: "redis.example",
    port: 6380,
    database: 3,
    username: "me",
    password: "p@ss/word",
    tls: true,
  });
  expect(redisAddress("redis://:secret@[::1]:7000").host).toBe("::1");
});

test("a password is shown nowhere", () => {
  expect(redisAddress("redis://me:hunter2@a:1/2").shown).toBe("redis://me:***@a:1/2");
  expect(redisAddress("rediss://:hunter2@a").shown).toBe("rediss://:***@a:6379");
  expect(redisAddress("redis://a").shown).toBe("redis://a:6379");
});

test.each([
  "",
  "localhost:6379",
  "me:hunter2@host",
  "http://me:hunter2@host",
  "redis://",
  "redis://me:hunter2@host/base",
  "redis://me:hunter2@host/123456",
  "redis://me:hunter2@host?tls=true",
  "redis://me:hunter2@host#x",
  "redis://me:hunter2%E0%A4@host",
  "redis://me:hunter2@host:99999",
])("%j is refused, and its password is not repeated", (text) => {
  expect(() => redisAddress(text)).toThrow(/^--redis: expected/);
  expect(() => redisAddress(text)).not.toThrow(/hunter2/);
});

test("queues of other versions are other queues", () => {
  const names = [
    versionedQueue("q", { moecast: "1.0.0", outcomes: 1 }),
    versionedQueue("q", { moecast: "1.0.0", outcomes: 2 }),
    versionedQueue("q", { moecast: "1.0.1", outcomes: 1 }),
    versionedQueue("r", { moecast: "1.0.0", outcomes: 1 }),
  ];
  expect(new Set(names).size).toBe(4);
  // BullMQ has colons between the parts of its keys.
  expect(versionedQueue("q", { moecast: "1.0.0-rc.1+a:b", outcomes: 1 })).not.toContain(":");
});

test.each(["", "a b", "a:b", "{a}", "ä", "x".repeat(65)])("%j is no name of a queue", (text) => {
  expect(() => queueName(text)).toThrow(/^--queue: expected/);
});
