import fc from "fast-check";
import { expect, test } from "vitest";
import { createResidency, liveCaches } from "../../../src/capture/live/residency.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import { drawn } from "../../drawn.ts";

const experts = 9;
const call = fc.uniqueArray(fc.integer({ min: 0, max: experts - 1 }), { minLength: 1, maxLength: experts });

test.each(liveCaches)("%s: what the simulator calls a hit was on the device", (name) => {
  fc.assert(
    fc.property(
      fc.array(call, { maxLength: 40 }),
      fc.integer({ min: 1, max: experts }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: experts, maxLength: experts }),
      (calls, slots, popularity) => {
        const live = createResidency(name, slots, popularity);
        const simulated = cachePolicies[name].create({
          objects: experts,
          capacity: slots,
          popularity: Float64Array.from(popularity),
          future: null,
        });
        const hit = new Uint8Array(experts);
        for (const keys of calls) {
          const found = keys.map((key) => live.resident.has(key));
          simulated.call(Uint32Array.from(keys), 0, keys.length, hit);
          expect(found).toEqual(keys.map((_, i) => hit[i] === 1));
          live.call(keys);
          expect(live.resident.size).toBeLessThanOrEqual(slots);
        }
      },
    ),
    { numRuns: drawn(300) },
  );
});
