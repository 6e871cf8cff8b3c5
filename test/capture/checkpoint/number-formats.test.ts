import { expect, test } from "vitest";
import {
  decodeBfloat16,
  decodeE4m3,
  decodeHalf,
  decodeMxfp4,
  firstNonFinite,
} from "../../../src/capture/checkpoint/number-formats.ts";

/** Value of a number of a sign, `exponent` and `fraction` bits, by the definition of IEEE 754; NaN and infinities aside. */
function numberOf(bits: number, exponentBits: number, fractionBits: number): number {
  const text = bits.toString(2).padStart(1 + exponentBits + fractionBits, "0");
  const exponent = Number.parseInt(text.slice(1, 1 + exponentBits), 2);
  const fraction = Number.parseInt(text.slice(1 + exponentBits), 2) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const size = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return text[0] === "1" ? -size : size;
}

const everySixteenBits = Uint16Array.from({ length: 1 << 16 }, (_value, bits) => bits);

test("every finite bfloat16 number has its value", () => {
  const decoded = new Float32Array(1 << 16);
  decodeBfloat16(everySixteenBits, decoded, 0);
  const wrong = [...everySixteenBits].filter((bits) => {
    if ((bits & 0x7f80) === 0x7f80) return Number.isFinite(decoded[bits]);
    return decoded[bits] !== numberOf(bits, 8, 7);
  });
  expect(wrong).toEqual([]);
});

test("every finite half-precision number has its value", () => {
  const decoded = new Float32Array(1 << 16);
  decodeHalf(everySixteenBits, decoded, 0);
  const wrong = [...everySixteenBits].filter((bits) => {
    if ((bits & 0x7c00) === 0x7c00) return Number.isFinite(decoded[bits]);
    return decoded[bits] !== numberOf(bits, 5, 10);
  });
  expect(wrong).toEqual([]);
});

test("every E4M3 number has its value, up to 448 and without infinities", () => {
  const decoded = new Float32Array(256);
  const all = Uint8Array.from({ length: 256 }, (_value, bits) => bits);
  decodeE4m3(all, 0, 256, 1, decoded, 0);
  for (const bits of all) expect(decoded[bits]).toBe((bits & 127) === 127 ? Number.NaN : numberOf(bits, 4, 3));
  expect(Math.max(...decoded.filter((value) => !Number.isNaN(value)))).toBe(448);
});

test("a part of E4M3 bytes is decoded with its scale to its place", () => {
  const decoded = new Float32Array(4).fill(9);
  decodeE4m3(Uint8Array.of(0, 0x38, 0xb8, 0), 1, 3, 0.5, decoded, 2);
  expect([...decoded]).toEqual([9, 9, 0.5, -0.5]);
});

test("MXFP4 holds the lower half of a byte first and scales 32 values by a power of two", () => {
  const blocks = new Uint8Array(32);
  blocks[0] = 0x21;
  blocks[1] = 0xf7;
  blocks[16] = 0x0a;
  const decoded = new Float32Array(64);
  decodeMxfp4(blocks, Uint8Array.of(128, 126), decoded);
  expect([...decoded.subarray(0, 4)]).toEqual([1, 2, 12, -12]);
  expect(decoded[32]).toBe(-0.5);
});

test("every MXFP4 value has the value of its sign, two exponent bits and one fraction bit", () => {
  const decoded = new Float32Array(32);
  decodeMxfp4(
    Uint8Array.from({ length: 16 }, (_byte, i) => i),
    Uint8Array.of(127),
    decoded,
  );
  for (let bits = 0; bits < 16; bits++) expect(decoded[2 * bits]).toBe(numberOf(bits, 2, 1));
});

test("an MXFP4 scale that is no number makes its block no numbers", () => {
  const decoded = new Float32Array(32);
  decodeMxfp4(new Uint8Array(16).fill(1), Uint8Array.of(255), decoded);
  expect(firstNonFinite(decoded)).toBe(0);
});

test("the first value that is not finite is found", () => {
  expect(firstNonFinite(Float32Array.of(1, -3e38, 1e-45, 0))).toBe(-1);
  expect(firstNonFinite(Float32Array.of(1, -Infinity, Number.NaN))).toBe(1);
  expect(firstNonFinite(Float32Array.of(0, 0, Number.NaN).subarray(1))).toBe(1);
});
