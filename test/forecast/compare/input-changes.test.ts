import { describe, expect, test } from "vitest";
import { inputChanges } from "../../../src/forecast/compare/input-changes.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { forecast, verdict } from "../../report/build.ts";

const digest = (letter: string) => letter.repeat(64);
const changed = (changes: Partial<Forecast>) => inputChanges(forecast(), forecast(changes));
const withInputs = (...inputs: Forecast["inputs"][number][]) => ({ inputs: [...forecast().inputs, ...inputs] });
const override = (text: string) => ({ role: "override", name: text, sha256: digest("0") });

describe("what differs in the inputs", () => {
  test("is nothing between a result and itself, and mirrored when the two are exchanged", () => {
    expect(inputChanges(forecast(), forecast())).toEqual([]);
    const other = forecast({
      seed: 9,
      moecastVersion: "10.0.0",
      slos: [verdict({ expression: "p(99)<900ms" })],
      ...withInputs(override("engine.maxNumSeqs=4"), { role: "routing", name: "t", sha256: digest("a") }),
    });
    const there = inputChanges(forecast(), other);
    const back = inputChanges(other, forecast());
    expect(there.length).toBeGreaterThan(4);
    const key = ({ kind, what }: (typeof there)[number]) => `${kind} ${what}`;
    expect(new Map(back.map((change) => [key(change), [change.after, change.before]]))).toEqual(
      new Map(there.map((change) => [key(change), [change.before, change.after]])),
    );
  });

  test("names release, seed, seeds, price and parts of the deployment with both values", () => {
    const { deployment, cost } = forecast();
    const metrics = {};
    expect(
      changed({
        moecastVersion: "10.0.0",
        repetitions: { seeds: [7, 8, 9], load: ["stable", "stable", "stable"], metrics, slos: [] },
        deployment: { ...deployment, devices: 8, mapping: { ...deployment.mapping, ep: 8 }, offload: null },
        cost: { ...cost!, price: { usdPerDeviceHour: 3, source: "another quote" } },
      }),
    ).toEqual([
      { kind: "release", what: "version", before: "9.9.9", after: "10.0.0" },
      { kind: "seed", what: "seed", before: "7", after: "7 to 9" },
      { kind: "deployment", what: "devices", before: "4", after: "8" },
      { kind: "deployment", what: "EP", before: "4", after: "8" },
      { kind: "deployment", what: "offload", before: "lfu, 2 of 8 experts a layer", after: null },
      { kind: "price", what: "USD per device hour", before: "2.5", after: "3" },
    ]);
  });

  test("holds settings against one another by their path: laid over, changed, gone", () => {
    const [one, two] = [
      forecast(withInputs(override("a.b=1"), override("c=x=y"), override("gone=1"))),
      forecast(withInputs(override("a.b=2"), override("c=x=y"), override("constructor=1"))),
    ];
    expect(inputChanges(one, two)).toEqual([
      { kind: "setting", what: "a.b", before: "1", after: "2" },
      { kind: "setting", what: "gone", before: "1", after: null },
      { kind: "setting", what: "constructor", before: null, after: "1" },
    ]);
  });

  test("tells files of one name apart by their digests, and several of a role by their names", () => {
    const trace = (letter: string) => ({ role: "routing", name: "trace", sha256: digest(letter) });
    const file = (name: string, letter: string) => ({ role: "model configuration", name, sha256: digest(letter) });
    expect(
      inputChanges(
        forecast(withInputs(trace("a"), file("config.json", "1"), file("quant.json", "2"))),
        forecast(withInputs(trace("b"), file("config.json", "1"), file("quant.json", "3"))),
      ),
    ).toEqual([
      { kind: "file", what: "routing", before: `trace ${"a".repeat(12)}`, after: `trace ${"b".repeat(12)}` },
      { kind: "file", what: "model configuration quant.json", before: "2".repeat(12), after: "3".repeat(12) },
    ]);
    const twice = [file("config.json", "1"), file("config.json", "2")];
    expect(inputChanges(forecast(withInputs(...twice)), forecast(withInputs(...twice)))).toEqual([]);
    expect(
      inputChanges(forecast(withInputs(...twice)), forecast(withInputs(twice[0]!, file("config.json", "3")))),
    ).toMatchObject([{ what: "model configuration config.json (2)" }]);
  });

  test("says that the text of the scenario is another, by name and digest", () => {
    const inputs = [{ role: "scenario", name: "small.yaml", sha256: digest("f") }];
    expect(changed({ inputs })).toEqual([
      { kind: "scenario", what: "file", before: "small.yaml 0123456789ab", after: `small.yaml ${"f".repeat(12)}` },
    ]);
  });
});
