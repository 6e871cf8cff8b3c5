import { describe, expect, test } from "vitest";
import { type StorageFormat, storageFormats } from "../../src/core/dtype.ts";
import { engineIds } from "../../src/engine/catalogue.ts";
import { nodeNamed, systemIds } from "../../src/hardware/named-profiles.ts";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import {
  activeBytes,
  decodeKernelsNs,
  formatsIn,
  halves,
  type LoneDecode,
  readingNs,
  smallestMapping,
  withBandwidth,
  withoutLaunches,
} from "./decode-step.ts";

const formats = Object.keys(storageFormats).filter((format) => format !== "fp32") as StorageFormat[];
const models = Object.keys(catalogue).map(modelNamed);
/** Active weights from which on bandwidth decides the step. */
const largeBytes = 2e9;
/** "At most twice", with room for what is read beside matrices: activations, caches, selections of compressed keys. */
const most = 2.1;
/** Processors reach 38 % of their memory's bandwidth on published decode rates (efficiency preset `cpu`). */
const mostOfProcessors = 3;
/** `ns` is at least `leastNs`. Float times of equal work may differ in their last bits. */
function notBelow(what: string, ns: number, leastNs: number): void {
  if (!(ns >= leastNs * (1 - 1e-9))) expect.fail(`${what}: ${ns} ns < ${leastNs} ns`);
}

/** Every system of the catalogue under every engine whose kernels differ on it, with every model and format that fits. */
describe.each(systemIds)("one sequence decoding on %s", (system) => {
  const node = nodeNamed(system);
  const { device } = node;
  const measured = device.kernels !== undefined;
  // Rooflines are the same under every engine.
  const engines = measured ? engineIds : engineIds.slice(0, 1);
  const all = engines.flatMap((engine) =>
    models.flatMap((model) =>
      formats.map((format) => {
        const stored = formatsIn(model, format);
        const mapping = smallestMapping(node, model, stored);
        const decode: LoneDecode | null = mapping && { node, engine, model, formats: stored, mapping };
        return { format, key: `${engine} ${model.id} ${format}`, decode };
      }),
    ),
  );
  const judged = all.flatMap(({ decode, ...one }) => (decode === null ? [] : { ...one, decode }));
  const times = new Map(judged.map(({ key, decode }) => [key, decodeKernelsNs(decode)]));
  const said = `${judged.length} deployments, ${all.length - judged.length} that do not fit`;

  test(`its weights cross memory once: ${said}`, () => {
    expect(judged.length).toBeGreaterThan(0);
    for (const { key, decode } of judged) notBelow(key, times.get(key)!, readingNs(decode, device));
  });

  test("more bandwidth is never slower", () => {
    const faster = withBandwidth(node, 1.5);
    for (const { key, decode } of judged) notBelow(key, times.get(key)!, decodeKernelsNs(decode, faster));
  });

  test.skipIf(measured)("half the bits are never slower", () => {
    for (const { decode } of judged)
      for (const [narrow, wide] of halves) {
        const key = (format: StorageFormat) => `${decode.engine} ${decode.model.id} ${format}`;
        const wider = judged.find((other) => other.key === key(wide));
        // Fewer devices share narrow weights.
        if (wider?.decode.mapping.tp !== decode.mapping.tp || !times.has(key(narrow))) continue;
        const mapping = smallestMapping(node, decode.model, formatsIn(decode.model, narrow));
        if (mapping?.tp !== decode.mapping.tp) continue;
        notBelow(key(narrow), times.get(key(wide))!, times.get(key(narrow))!);
      }
  });

  test.skipIf(measured)(
    "a large model on one device takes at most twice the reading of its weights, and launches",
    () => {
      const atOnce = withoutLaunches(node);
      for (const { key, format, decode } of judged) {
        // Weights of two and three bits are unpacked, which takes about as long as for four.
        if (storageFormats[format].valueBits < 4) continue;
        if (decode.mapping.tp > 1 || activeBytes(decode) < largeBytes) continue;
        const times = device.kind === "cpu" ? mostOfProcessors : most;
        expect(decodeKernelsNs(decode, atOnce), key).toBeLessThan(times * readingNs(decode, device));
      }
    },
  );
});
