import { expect, test } from "vitest";
import { Sha256, sha256 } from "../../src/core/digest.ts";

// FIPS 180-2, appendix B.1.
const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

test("SHA-256 gives the published digest of abc, whole or in pieces", () => {
  expect(sha256("abc")).toBe(abc);
  const hash = new Sha256();
  hash.update(Uint8Array.of(0x61));
  expect(hash.hex()).toBe(sha256("a"));
  hash.update(Uint8Array.of(0x62, 0x63));
  expect(hash.hex()).toBe(abc);
});
