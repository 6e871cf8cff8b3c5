import { expect, test } from "vitest";
import { roomLines } from "../../src/report/forecast-pools.ts";
import { markdownReport } from "../../src/report/markdown.ts";
import { terminalSummary } from "../../src/report/terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { forecast } from "./build.ts";

test("decode pools lack room where requests wait longer for it than for all else between the pools", () => {
  const waits = (mean: number) => ({ mean, p50: mean, p90: mean, p99: mean });
  const pools = [
    { name: "p", role: "prefill", kv: { peakShare: 0.2 } },
    { name: "d", role: "decode", kv: { peakShare: 0.75 } },
  ];
  const lines = (room: number) =>
    roomLines({
      pools,
      handover: { room: waits(room), transfer: waits(5), decodeQueue: waits(4) },
    } as unknown as Parameters<typeof roomLines>[0]);
  expect(lines(9)).toEqual([]);
  expect(lines(10)).toEqual([
    expect.stringMatching(/decode pools lack room.*10.*\(d, KV pool at most 75(\.0)?% in use\)/),
  ]);
  expect(roomLines({} as Parameters<typeof roomLines>[0])).toEqual([]);
});

test("the line stands below the headline of a terminal and under the bottleneck of a document", () => {
  const waits = (mean: number) => ({ n: 9, mean, p50: mean, p90: mean, p99: mean });
  const whole = forecast();
  const { device, devices, replicas, mapping, engine, placement, offload } = whole.deployment;
  const common = {
    device,
    devices,
    replicas,
    mapping,
    engine,
    placement,
    offload,
    utilisation: 0.5,
    promptTimeShare: 0,
  };
  const pools = (["prefill", "decode"] as const).map((role) => ({
    ...common,
    name: role,
    role,
    timeShare: whole.timeShare,
    experts: null,
    cache: null,
    kv: { blocks: 100, peakShare: 0.75, preemptions: 0 },
  }));
  const handover = { requests: 9, bytesPerRequest: 1e6, room: waits(10), transfer: waits(5), decodeQueue: waits(4) };
  const wanting = forecast({ pools, handover });
  const [line] = roomLines(wanting);
  expect(line).toMatch(/decode pools lack room/);
  const words = (text: string) => text.replace(/[\s\\|]+/g, " ");
  expect(words(terminalSummary(wanting, plainStyle, "compact", 300))).toContain(line);
  expect(words(markdownReport(wanting))).toContain(line);
});
