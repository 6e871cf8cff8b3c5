import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createScopedCache } from "../../src/policy/cache/cache-scope.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";

const shape = { layers: 3, expertsPerLayer: 4, slots: 2 };
const text = readFileSync(new URL("./event-atomic-toy-trace.csv", import.meta.url), "utf8");
const events = text
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => {
    const [, , layer = "", experts = "", misses = "", hits = ""] = line.split(",");
    const keys = experts.split(" ").map((expert) => Number(layer) * shape.expertsPerLayer + Number(expert));
    return { keys: Uint32Array.from(keys), misses: Number(misses), hits: Number(hits) };
  });

test("lru with two slots per layer gives 30 accesses, 12 hits and 18 misses on the event-atomic toy trace", () => {
  const cache = createScopedCache(cachePolicies.lru, "layer", { ...shape, popularity: null, future: null });
  const total = { accesses: 0, hits: 0 };
  for (const event of events) {
    const hits = cache.call(event.keys, 0, event.keys.length, new Uint8Array(4));
    expect({ hits, misses: event.keys.length - hits }).toEqual({ hits: event.hits, misses: event.misses });
    total.accesses += event.keys.length;
    total.hits += hits;
  }
  expect(total).toEqual({ accesses: 30, hits: 12 });
});
