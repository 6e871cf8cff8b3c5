import { parentPort } from "node:worker_threads";
import { InvariantError } from "../../core/errors.ts";
import { localFiles } from "../../files/local-files.ts";
import { KeptTables } from "../../plan/execute/kept-tables.ts";
import { type EngineMode, EngineRun, stoppedEarly } from "./engine-run.ts";
import { EngineTrace } from "./engine-trace.ts";
import { fieldsOf } from "./fields-of.ts";
import type { EngineOrder, EngineReport } from "./messages.ts";

/** A thread that runs one scenario after the other, so that the screen is served meanwhile. */

const port = parentPort;
if (port === null) throw new InvariantError("engine-thread", "this module runs as a thread");
const say = (report: EngineReport): void => port.postMessage(report);
const files = { ...localFiles, tables: new KeptTables() };
const waiting: Extract<EngineOrder, { kind: "run" | "trace" }>[] = [];
const mode: { -readonly [Key in keyof EngineMode]: EngineMode[Key] } = {
  paused: false,
  abortOnFail: false,
  lookedAt: null,
};
let current: EngineRun | EngineTrace | null = null;

async function runAll(): Promise<void> {
  for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
    current = order.kind === "run" ? new EngineRun(order, mode, files, say) : new EngineTrace(order, files, say);
    await current.run();
    current = null;
  }
}

port.on("message", (order: EngineOrder) => {
  switch (order.kind) {
    case "run":
      waiting.push(order);
      if (current === null) void runAll();
      else current.makeWay();
      return;
    case "trace": {
      const at = waiting.findIndex(({ kind }) => kind === "trace");
      if (at >= 0) waiting.splice(at, 1);
      waiting.push(order);
      if (current instanceof EngineTrace) current.stop();
      else if (current === null) void runAll();
      else current.makeWay();
      return;
    }
    case "fields":
      say(fieldsOf(order));
      return;
    case "pause":
      mode.paused = order.paused;
      current?.goOn();
      return;
    case "look":
      mode.lookedAt = order.id;
      if (current instanceof EngineRun) current.looked();
      return;
    case "abortOnFail":
      mode.abortOnFail = order.on;
      return;
    case "stop": {
      const at = waiting.findIndex(({ id }) => id === order.id);
      if (at >= 0) {
        const [ended] = waiting.splice(at, 1);
        if (ended?.kind === "run") say({ kind: "failed", id: ended.id, message: stoppedEarly });
      } else if (current?.id === order.id) current.stop();
      return;
    }
  }
});
