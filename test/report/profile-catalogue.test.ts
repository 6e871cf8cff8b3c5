import { expect, test } from "vitest";
import { sourceKinds } from "../../src/core/sourced.ts";
import { engineIds } from "../../src/engine/catalogue.ts";
import { deviceIds, deviceProfileNamed, systemIds } from "../../src/hardware/named-profiles.ts";
import { hardwareList, hardwareShow, hardwareTable } from "../../src/report/profile-catalogue.ts";

test("the list holds every profile once", () => {
  expect(hardwareList().map((row) => row.id)).toEqual([...deviceIds, ...systemIds, ...engineIds]);
});

test("every shown number has a kind, a source and a text", () => {
  for (const { id } of hardwareList()) {
    const rows = hardwareShow(id);
    expect(rows.length).toBeGreaterThan(id.startsWith("mac") ? 0 : 10);
    for (const row of rows) {
      expect(sourceKinds).toContain(row.kind);
      expect(row.source.length).toBeGreaterThanOrEqual(8);
      expect(row.text).not.toMatch(/NaN|undefined|n\/a/);
    }
    expect(new Set(rows.map((row) => row.at)).size).toBe(rows.length);
  }
});

test("a device is shown with its links and the preset it starts from", () => {
  const rows = new Map(hardwareShow("h100-sxm").map((row) => [row.at, row]));
  expect(rows.get("memory.bytesPerSecond")?.text).toBe("3350 GB/s");
  expect(rows.get("peak.bf16")?.text).toBe("989 TFLOP/s");
  expect(rows.get("scaleUp.bytesPerSecond")?.text).toBe("450 GB/s");
  expect(rows.get("efficiency.elementwiseMemory")).toMatchObject({ value: 0.8, text: "80%", kind: "thirdParty" });
  expect(rows.get("powerW")?.text).toBe("700 W");
  expect(rows.get("usdPerHour")?.text).toBe("$2.69/h");
});

test("a system is shown with its tiers and the numbers of its device", () => {
  const at = hardwareShow("rtx4090-desktop").map((row) => row.at);
  expect(at).toContain("tiers.0.tier.bytesPerSecond");
  expect(at).toContain("rtx-4090.peak.bf16");
});

test("the page names every profile and every source of every device", () => {
  const page = hardwareTable();
  for (const { id } of hardwareList()) expect(page).toContain(`\`${id}\``);
  for (const id of deviceIds) expect(page).toContain(deviceProfileNamed(id).peak.bf16.source);
  const widths = page.split("\n").filter((line) => line.startsWith("| number") || line.startsWith("| id"));
  expect(widths.length).toBeGreaterThan(60);
});

test("the page is the same every time", () => {
  expect(hardwareTable()).toBe(hardwareTable());
});
