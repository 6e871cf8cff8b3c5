import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Dimension,
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  parseQuantity,
} from "../../src/core/units.ts";

describe("parseQuantity", () => {
  test.each<[string, Dimension, number | null]>([
    ["800ms", "duration", 800e6],
    ["2s", "duration", 2e9],
    ["3h", "duration", 3 * 3600e9],
    ["1.5 us", "duration", 1500],
    ["2.3ms", "duration", 2_300_000],
    ["0", "duration", 0],
    ["5", "duration", null],
    ["-1s", "duration", null],
    ["1e9h", "duration", null],
    ["24GiB", "bytes", 24 * 2 ** 30],
    ["80GB", "bytes", 80e9],
    ["4096", "bytes", 4096],
    ["80 Gb", "bytes", null],
    ["3.35TB/s", "bytesPerSecond", 3.35e12],
    ["400Gb/s", "bytesPerSecond", 50e9],
    ["400Gbps", "bytesPerSecond", 50e9],
    ["16/s", "rate", 16],
    ["90/min", "rate", 1.5],
    ["2.5", "rate", 2.5],
    ["10k", "count", 10_000],
    ["1_000", "count", 1000],
    ["1.5", "count", null],
    ["1.1k", "count", 1100],
    ["5%", "ratio", 0.05],
    ["0.05", "ratio", 0.05],
    ["", "ratio", null],
    ["five", "ratio", null],
    ["1e999", "rate", null],
    ["1s", "bytes", null],
    ["1.2.3s", "duration", null],
    ["__proto__", "bytes", null],
  ])("reads %j as %s: %s", (text, dimension, expected) => {
    expect(parseQuantity(text, dimension)).toBe(expected);
  });

  test("reads back what was formatted, to the digits shown", () => {
    const ns = fc.oneof(fc.nat(2000), fc.integer({ min: 0, max: 1e15 }));
    fc.assert(
      fc.property(ns, (x) => {
        const duration = parseQuantity(formatDuration(x).replaceAll(",", ""), "duration");
        expect(Math.abs((duration ?? NaN) - x)).toBeLessThanOrEqual(0.005 * x);
        const bytes = parseQuantity(formatBytes(x).replaceAll(",", ""), "bytes");
        expect(Math.abs((bytes ?? NaN) - x)).toBeLessThanOrEqual(0.005 * x);
        expect(parseQuantity(formatCount(x).replaceAll(",", ""), "count")).toBe(x);
        expect(parseQuantity(formatPercent(x / 1e15, 6), "ratio")).toBeCloseTo(x / 1e15, 8);
      }),
    );
  });
});

describe("formatting", () => {
  test.each([
    [0, "0 ns"],
    [999, "999 ns"],
    [1234, "1.23 us"],
    [999_999, "1 ms"],
    [812e6, "812 ms"],
    [119e9, "119 s"],
    [150e9, "2.5 min"],
    [3 * 3600e9, "3 h"],
    [-1500, "-1.5 us"],
    [NaN, "n/a"],
  ])("%s ns is %s", (ns, expected) => {
    expect(formatDuration(ns)).toBe(expected);
  });

  test.each([
    [512, "512 B"],
    [24 * 2 ** 30, "24 GiB"],
    [1023 * 1024, "1,023 KiB"],
    [1.5 * 2 ** 40, "1.5 TiB"],
  ])("%s bytes are %s", (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected);
  });

  test("numbers keep the digits asked for and never lose whole ones", () => {
    expect(formatCount(1234567)).toBe("1,234,567");
    expect(formatCount(-1234)).toBe("-1,234");
    expect(formatPercent(0.12345)).toBe("12.3%");
    expect(formatPercent(1, 0)).toBe("100%");
    expect([formatNumber(0.000123456), formatNumber(2.34567), formatNumber(12345.6)]).toEqual([
      "0.000123",
      "2.35",
      "12,346",
    ]);
    expect(formatNumber(2.34567, 5)).toBe("2.3457");
    expect([formatNumber(Infinity), formatCount(NaN), formatBytes(NaN), formatPercent(NaN)]).toEqual(
      Array(4).fill("n/a"),
    );
  });
});
