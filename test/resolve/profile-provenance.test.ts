import { expect, test } from "vitest";
import { deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import { withReferences } from "../../src/hardware/resolve.ts";
import { provenanceOf } from "../../src/resolve/profile-provenance.ts";

const number = (kind: string) => ({ value: 1, kind, source: "a source of it" });

test("a profile is as well founded as its weakest number", () => {
  expect(provenanceOf({ a: number("measured"), b: [number("vendor")] }).fidelity).toBe("vendor");
  expect(provenanceOf({ a: number("measured"), b: { c: number("thirdParty") } }).fidelity).toBe("thirdParty");
  expect(provenanceOf({ a: number("measured"), b: number("estimated") })).toEqual({
    text: "1 measured, 1 estimated (numbers by source)",
    fidelity: "assumed",
  });
});

test("the numbers behind a device's references count: its efficiencies are estimated", () => {
  const profile = deviceProfileNamed("h100-sxm");
  const estimated = (value: unknown) => Number(/(\d+) estimated/.exec(provenanceOf(value).text)?.[1] ?? 0);
  expect(estimated(withReferences(profile))).toBeGreaterThan(estimated(profile) + 3);
  expect(provenanceOf(withReferences(profile)).fidelity).toBe("assumed");
});
