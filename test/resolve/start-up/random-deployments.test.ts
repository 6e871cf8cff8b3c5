import fc from "fast-check";
import { expect, test } from "vitest";
import { type StorageFormat, storageFormats } from "../../../src/core/dtype.ts";
import { engineIds, engineNamed } from "../../../src/engine/catalogue.ts";
import { expertExchanges } from "../../../src/engine/exchange/expert-exchange.ts";
import { nodeNamed, systemIds } from "../../../src/hardware/named-profiles.ts";
import { catalogue, modelNamed } from "../../../src/models/catalogue.ts";
import { tensorClasses } from "../../../src/models/spec.ts";
import type { Deployment } from "../../../src/resolve/start-up/start-up-rule.ts";
import { startUpFindings } from "../../../src/resolve/start-up/start-up-rules.ts";
import { drawn } from "../../drawn.ts";

const format = fc.constantFrom(...(Object.keys(storageFormats) as StorageFormat[]));
const degree = fc.oneof(fc.constantFrom(1, 2, 4, 8, 16), fc.integer({ min: 1, max: 97 }));
const formats = fc.record(Object.fromEntries(tensorClasses.map((name) => [name, format])));

const deployments: fc.Arbitrary<Deployment> = fc
  .record({
    model: fc.constantFrom(...Object.keys(catalogue)),
    system: fc.constantFrom(...systemIds),
    engine: fc.constantFrom(...engineIds),
    version: fc.option(
      fc.constantFrom("0.1", "0.5.9", "0.15.1", "1.3.0rc1", "nightly", "v2", "", "9999999999999999999"),
    ),
    exchange: fc.constantFrom(...expertExchanges),
    formats,
    kvFormat: format,
    mapping: fc.record({ tp: degree, cp: degree, dp: degree, pp: degree, ep: degree, etp: degree, edp: degree }),
    redundantExperts: fc.nat(64),
    eplb: fc.boolean(),
    tokens: fc.integer({ min: 1, max: 1e6 }),
    sequences: fc.integer({ min: 1, max: 1e6 }),
    chunkedPrefill: fc.boolean(),
    draft: fc.constantFrom("mtp", "eagle", "free", null),
  })
  .map(({ model, system, engine, version, exchange, tokens, sequences, draft, ...rest }) => {
    const profile = { ...engineNamed(engine, version ?? undefined), expertExchange: exchange };
    const spec = modelNamed(model);
    return {
      model: spec,
      node: nodeNamed(system),
      engine: profile,
      scheduler: {
        ...profile.defaults,
        chunkedPrefill: rest.chunkedPrefill,
        maxBatchTokens: tokens,
        maxSequences: sequences,
        contextTokensMax: tokens,
      },
      speculation:
        draft === null
          ? null
          : {
              draftTokens: 1,
              acceptance: Float64Array.of(1),
              draft: draft === "free" ? { kind: draft } : { kind: draft, layersPerToken: 1 },
            },
      mapping: rest.mapping,
      formats: rest.formats as Deployment["formats"],
      kvFormat: rest.kvFormat,
      redundantExperts: rest.redundantExperts,
      eplb: rest.eplb,
    };
  });

test("a rule never throws, and what it finds has a place, an expectation, a value and a reason in one line", () => {
  fc.assert(
    fc.property(deployments, (deployment) => {
      for (const { at, expected, found, reason, hint = "" } of startUpFindings(deployment)) {
        expect(at).toMatch(/^(parallel|engine|model|hardware)(\.\w+)+$/);
        expect(found).toBeDefined();
        expect(`${expected} ${reason} ${hint}`).not.toMatch(/undefined|NaN|\n|\[object/);
        expect(reason).toContain(deployment.engine.name);
      }
    }),
    { numRuns: drawn(500) },
  );
});

test("whole experts and one rank for attention leave nothing of a slice to refuse", () => {
  fc.assert(
    fc.property(deployments, (deployment) => {
      const whole = { ...deployment.mapping, tp: 1, etp: 1, dp: 8, ep: 8 };
      const places = startUpFindings({ ...deployment, mapping: whole }).map(({ at }) => at);
      expect(places).not.toContain("parallel.etp");
      expect(places).not.toContain("parallel.tp");
    }),
    { numRuns: drawn(200) },
  );
});
