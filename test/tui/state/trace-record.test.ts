import { expect, test } from "vitest";
import { reduce } from "../../../src/tui/state/reducer.ts";
import { heard } from "../../../src/tui/state/run-record.ts";
import { begun, details, ran, told } from "../example.ts";

test("a request of a run that has ended is followed on the thread that answers questions", () => {
  const intents = [{ kind: "trace", run: 1, of: 2 }] as const;
  const { effects } = reduce(ran(), { kind: "intents", intents });
  expect(effects).toMatchObject([
    { kind: "trial", order: { kind: "trace", id: 1, of: 2, endNs: details!.requests.lastTokenNs[2] } },
  ]);
  const given = reduce(ran(), { kind: "intents", intents: [{ kind: "trace", run: 1, of: null }] });
  expect(given.effects).toEqual([{ kind: "trial", order: { kind: "stop", id: 1 } }]);
  expect(reduce(begun(), { kind: "intents", intents }).effects).toEqual([]);
});

test("the run keeps what is said of the request that was followed last, and nothing else changes", () => {
  const state = ran();
  const [before] = state.core.runs;
  const after = told(state, { kind: "engine", report: { kind: "tracing", id: 1, of: 2, share: 0.5 } });
  expect(after.core.runs[0]).toEqual({ ...before, trace: { kind: "going", of: 2, share: 0.5 } });
  const failed = heard(before!, { kind: "untraced", id: 1, of: 2, message: "why" });
  expect(failed).toEqual({ ...before, trace: { kind: "failed", of: 2, message: "why" } });
});

test("news of a trace leave a frozen run frozen", () => {
  const frozen = { ...ran(), core: { ...ran().core, frozen: true } };
  expect(told(frozen, { kind: "engine", report: { kind: "tracing", id: 1, of: 2, share: 0.5 } }).core.frozen).toBe(
    true,
  );
});
