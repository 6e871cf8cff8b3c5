import { expect, test } from "vitest";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { loadPlugin, pluginFile } from "../../src/plugin/load-plugin.ts";
import { offloaded, runWith, spread } from "./example.ts";

const { plugin: twins } = await loadPlugin(await pluginFile("test/plugin/twins.mjs"));

/** A forecast without what says by whom it was decided. */
function figures(forecast: Forecast, names: Readonly<Record<string, string>>): string {
  const { inputs: _inputs, ledger, ...rest } = forecast;
  const told = JSON.stringify({ ...rest, ledger: ledger.filter(({ topic }) => topic !== "plugin") });
  return Object.entries(names).reduce((text, [twin, name]) => text.replaceAll(twin, name), told);
}

const lru = { "lru-twin unused 3": "lru", "lru-twin": "lru" };

test.each([
  ["demand alone", []],
  ["with experts sent ahead", ["policy.offload.prefetch={kind: previous-token}"]],
  ["in a cache over all layers", ["policy.offload.scope=global", "policy.offload.slots=120"]],
  ["with kept experts and an admission", ["policy.offload.keep=[{layer: 1, experts: [2]}]", "policy.offload.slots=5"]],
])("LRU written again gives the figures of LRU to the byte: %s", async (_name, settings) => {
  const built = await runWith(offloaded, [], settings);
  const twin = await runWith(offloaded, [twins], [...settings, "policy.offload.kind=lru-twin"]);
  expect(twin.cache!.misses).toBeGreaterThan(0);
  expect(figures(twin, lru).replaceAll("policy.offload.kind=lru", "")).toBe(
    figures(built, {}).replaceAll("policy.offload.kind=lru", ""),
  );
});

test("experts in order and targets in turn, written again, give the figures of contiguous and round-robin", async () => {
  const names = { "order-twin": "contiguous", "turn-twin": "round-robin" };
  const built = await runWith(spread, []);
  const twin = await runWith(spread, [twins], ["policy.placement.kind=order-twin", "policy.router=turn-twin"]);
  expect(figures(twin, names)).toBe(figures(built, {}));
});

test("a result lists the plugins whose policies it used, and no others", async () => {
  const used = await runWith(offloaded, [twins], ["policy.offload.kind=lru-twin"]);
  expect(used.inputs.filter(({ role }) => role === "plugin").map(({ name }) => name)).toEqual(["twins"]);
  expect(used.ledger.filter(({ topic }) => topic === "plugin").map(({ detail }) => detail)).toEqual([
    expect.stringContaining("cache lru-twin of plugin twins, passed by the program"),
  ]);
  const unused = await runWith(offloaded, [twins]);
  expect(unused.inputs).toEqual((await runWith(offloaded, [])).inputs);
});
