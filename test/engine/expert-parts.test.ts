import { describe, expect, test } from "vitest";
import { type ExpertMatrix, expertParts } from "../../src/engine/offload-flags/expert-parts.ts";

const hidden = (of: "tokens" | "pairs") => ({ of, width: "hidden" as const });
const inner = { of: "pairs" as const, width: "inner" as const };

/** Up, gate, activation, down, as a graph of ggml is split over two backends; worked out by hand for each split. */
const splits: readonly {
  readonly host: readonly ExpertMatrix[];
  readonly visits: number;
  readonly last: number;
  readonly before: readonly unknown[];
  readonly after: readonly unknown[];
}[] = [
  // The tokens go there, both products come back, and the device goes on.
  { host: ["up", "gate"], visits: 1, last: 1 / 3, before: [hidden("tokens")], after: [inner, inner] },
  { host: ["up"], visits: 1, last: 2 / 3, before: [hidden("tokens")], after: [inner] },
  // The device has multiplied up before the host begins with gate.
  { host: ["gate"], visits: 1, last: 1 / 3, before: [hidden("tokens")], after: [inner] },
  // The activated product goes there, and one row a pair comes back.
  { host: ["down"], visits: 1, last: 0, before: [inner], after: [hidden("pairs")] },
  // The host activates what it multiplied last: only up crosses beside the tokens.
  { host: ["gate", "down"], visits: 1, last: 0, before: [hidden("tokens"), inner], after: [hidden("pairs")] },
  // There, back for gate and the activation, and there again.
  { host: ["up", "down"], visits: 2, last: 0, before: [hidden("tokens"), inner, inner], after: [hidden("pairs")] },
];

describe("experts in two places", () => {
  test.each(splits)("$host on the host", ({ host, visits, last, before, after }) => {
    const parts = expertParts(host, 3);
    expect(parts.host).toEqual(host);
    expect(parts.hostShare).toBeCloseTo(host.length / 3, 12);
    expect(parts.lastShare).toBeCloseTo(last, 12);
    expect(parts.visits).toBe(visits);
    expect(parts.before).toEqual(before);
    expect(parts.after).toEqual(after);
  });

  test("without a gate have halves", () => {
    expect(expertParts(["up"], 2)).toMatchObject({ hostShare: 0.5, lastShare: 0.5, visits: 1, after: [inner] });
    expect(expertParts(["down"], 2)).toMatchObject({ hostShare: 0.5, lastShare: 0, visits: 1, before: [inner] });
  });

  test("are named in the order of computing, whatever the order that they were given in", () => {
    expect(expertParts(["down", "up"], 3)).toEqual(expertParts(["up", "down"], 3));
  });
});
