import { expect, test } from "vitest";
import { ModelRoom } from "../../../src/sim/model-cache/model-room.ts";
import { ModelTurns } from "../../../src/sim/model-cache/model-turns.ts";

/** Models of one byte each that take a load of 10 ns, requests that wait, and what turns asked for. */
function turnsOf(models: number, capacity: number, kept: readonly number[] = []) {
  const wanted = new Uint8Array(models);
  const begun = new Uint8Array(models);
  const woken: number[] = [];
  const loads: [model: number, atNs: number][] = [];
  const closed = new Set<number>();
  const left: number[] = [];
  const room = new ModelRoom(
    Array.from({ length: models }, () => 1),
    Array.from({ length: models }, () => ({ tier: 0, bytes: 1, ns: 10 })),
    capacity,
    kept,
    {
      begun: (model) => begun[model]!,
      admit: (model, may) => (may ? closed.delete(model) : closed.add(model)),
      ready: (model) => woken.push(model),
      left: (model) => left.push(model),
      loadedLater: (model, atNs) => loads.push([model, atNs]),
    },
  );
  const turns = new ModelTurns(room, {
    begun: (model) => begun[model]!,
    wanted: (model) => wanted[model] === 1,
    wake: (model) => woken.push(model),
  });
  return { turns, room, wanted, begun, woken, loads, closed, left };
}

test("a model that comes at the moment at which a step ends goes behind those that wait", () => {
  const { turns, begun, woken } = turnsOf(3, 3, [0, 1, 2]);
  begun.fill(1);
  expect(turns.enter(0, 0)).toBe(true);
  turns.formed(0, true, 0);
  expect(turns.enter(1, 5)).toBe(false);
  turns.ended(0, 20);
  expect(woken).toEqual([1]);
  expect(turns.enter(2, 20)).toBe(false);
  expect(turns.enter(1, 20)).toBe(true);
  turns.formed(1, true, 20);
  turns.ended(1, 30);
  expect(woken).toEqual([1, 2]);
  expect(turns.enter(2, 30)).toBe(true);
});

test("devices that stand still count as waiting for a model from the moment it is asked for to that of its arrival", () => {
  const { turns, wanted, loads } = turnsOf(1, 1);
  expect(turns.enter(0, 7)).toBe(false);
  expect(loads).toEqual([]);
  wanted[0] = 1;
  expect(turns.enter(0, 50)).toBe(false);
  expect(loads).toEqual([[0, 60]]);
  turns.loaded(0, 60);
  expect(turns.enter(0, 75)).toBe(true);
  expect(turns.stallNs).toBe(10);
});

test("models at work close in the order of their last steps, and open again when another leaves in their place", () => {
  const { turns, wanted, begun, loads, closed, left } = turnsOf(3, 2);
  for (const [i, model] of [0, 1].entries()) {
    wanted[model] = 1;
    turns.enter(model, i * 100);
    turns.loaded(model, i * 100 + 10);
    turns.enter(model, i * 100 + 10);
    begun[model] = 1;
    turns.formed(model, true, i * 100 + 10);
    turns.ended(model, i * 100 + 20);
  }
  wanted[2] = 1;
  turns.enter(2, 200);
  expect([...closed]).toEqual([0]);
  expect([turns.room.has(0, 200), turns.room.canStep(0, 200), turns.room.has(1, 200)]).toEqual([false, true, true]);
  // Model 1 is through first: it leaves, though it did not close.
  turns.enter(1, 210);
  turns.formed(1, true, 210);
  begun[1] = wanted[1] = 0;
  turns.ended(1, 220);
  expect(left).toEqual([1]);
  expect([...closed]).toEqual([]);
  expect(loads.at(-1)).toEqual([2, 230]);
});

test("a model that stays is no room for others: the one at work closes", () => {
  const { turns, wanted, begun, closed } = turnsOf(3, 2, [0]);
  wanted[1] = wanted[2] = 1;
  turns.enter(1, 0);
  turns.loaded(1, 10);
  turns.enter(1, 10);
  begun[1] = 1;
  turns.formed(1, true, 10);
  turns.enter(2, 15);
  expect([...closed]).toEqual([1]);
});

test("loads end one after the other in the order in which models were asked for", () => {
  const { turns, wanted, loads } = turnsOf(3, 3);
  wanted.fill(1);
  for (const model of [2, 0, 1]) turns.enter(model, 5);
  expect(loads).toEqual([
    [2, 15],
    [0, 25],
    [1, 35],
  ]);
});
