import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../../src/tui/engine/engine.ts";
import type { EngineReport } from "../../../src/tui/engine/messages.ts";
import { request } from "../example.ts";

const heard: EngineReport[] = [];
const engine = new Engine((report) => heard.push(report));
afterAll(() => engine.close());

const long = { ...request, settings: ["traffic.requests=100000"] };
const of = (id: number, ...kinds: EngineReport["kind"][]) =>
  heard.filter((report) => report.id === id && kinds.includes(report.kind));
async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > endMs)
      throw new Error(`not in a minute: ${JSON.stringify(heard.map(({ id, kind }) => [id, kind]))}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const ended = (id: number) => until(() => of(id, "finished", "failed").length > 0);

describe("the thread", () => {
  test("runs one scenario after the other, in their order", async () => {
    engine.tell({ kind: "run", id: 1, request, live: true });
    engine.tell({ kind: "run", id: 2, request, live: false });
    await ended(2);
    expect(of(1, "finished")).toHaveLength(1);
    expect(heard.findIndex(({ id, kind }) => id === 1 && kind === "finished")).toBeLessThan(
      heard.findIndex(({ id }) => id === 2),
    );
  });

  test("says the fields of a scenario while another one runs", async () => {
    engine.tell({ kind: "run", id: 3, request: long, live: false });
    engine.tell({ kind: "fields", id: 4, request });
    engine.tell({ kind: "fields", id: 5, request: { ...request, text: "not: [yaml" } });
    await until(() => of(5, "failed").length === 1);
    expect(of(4, "fields")).toHaveLength(1);
    expect(of(3, "finished", "failed")).toEqual([]);
    engine.tell({ kind: "stop", id: 3 });
    await ended(3);
    expect(of(3, "finished")).toHaveLength(1);
  });

  test("stops a run that waits, which says so, and goes on with the others", async () => {
    engine.tell({ kind: "run", id: 6, request: long, live: true });
    engine.tell({ kind: "run", id: 7, request, live: true });
    engine.tell({ kind: "run", id: 8, request, live: true });
    engine.tell({ kind: "stop", id: 7 });
    await ended(7);
    expect(of(7, "failed")).toMatchObject([{ message: "stopped before its first step" }]);
    engine.tell({ kind: "stop", id: 6 });
    await ended(8);
    expect(of(8, "finished")).toHaveLength(1);
  });

  test("stands still and goes on", async () => {
    engine.tell({ kind: "pause", paused: true });
    engine.tell({ kind: "run", id: 9, request, live: true });
    await until(() => of(9, "snapshot").length > 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(of(9, "finished")).toEqual([]);
    engine.tell({ kind: "pause", paused: false });
    await ended(9);
  });

  test("tells of experts and caches while somebody looks, and no longer", async () => {
    engine.tell({ kind: "run", id: 10, request: long, live: true });
    await until(() => of(10, "snapshot").length > 0);
    expect(of(10, "details")).toEqual([]);
    engine.tell({ kind: "look", id: 10 });
    await until(() => of(10, "details").length > 1);
    engine.tell({ kind: "look", id: null });
    engine.tell({ kind: "fields", id: 11, request });
    await until(() => of(11, "fields").length > 0);
    const { length } = of(10, "details");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(of(10, "details")).toHaveLength(length);
    engine.tell({ kind: "stop", id: 10 });
    await ended(10);
  });

  test("follows a request of a run, and drops it for another one", async () => {
    // The first of them ends beyond the minute that this test waits.
    const slow = { ...request, settings: ["traffic.requests=1000000"] };
    const finished = of(1, "finished")[0] as Extract<EngineReport, { kind: "finished" }>;
    const { lastTokenNs } = finished.details!.requests;
    engine.tell({ kind: "trace", id: 1, request: slow, of: 999_999, endNs: 1 });
    await until(() => of(1, "tracing").length > 0);
    engine.tell({ kind: "trace", id: 1, request, of: 5, endNs: lastTokenNs[5]! });
    await until(() => of(1, "traced", "untraced").length > 0);
    expect(of(1, "traced", "untraced")).toMatchObject([{ kind: "traced", of: 5 }]);
  });

  test("is closed without a word of what ran", async () => {
    const other: EngineReport[] = [];
    const second = new Engine((report) => other.push(report));
    second.tell({ kind: "run", id: 1, request: long, live: true });
    await until(() => other.length > 0);
    await second.close();
    const { length } = other;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(other).toHaveLength(length);
    expect(other.some(({ kind }) => kind === "failed")).toBe(false);
  });

  test("is not started by orders about runs that nobody ordered", () => {
    const idle = new Engine(() => {});
    idle.tell({ kind: "pause", paused: true });
    idle.tell({ kind: "stop", id: 1 });
    idle.tell({ kind: "look", id: 1 });
    expect(Object.values(idle).some((part) => part !== null && typeof part === "object" && "threadId" in part)).toBe(
      false,
    );
  });
});
