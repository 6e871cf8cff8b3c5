import { parentPort } from "node:worker_threads";
import { InvariantError } from "../../core/errors.ts";
import { localFiles } from "../../files/local-files.ts";
import type { JobBase } from "../job/job.ts";
import { runJob } from "../job/run-job.ts";
import type { ThreadOrder, ThreadReport } from "./thread-messages.ts";
import { ThreadTables } from "./thread-tables.ts";

/** A thread that runs one job after the other. */

const port = parentPort;
if (port === null) throw new InvariantError("job-thread", "this module runs as a thread");
const say = (report: ThreadReport): void => port.postMessage(report);
const tables = new ThreadTables(say);
const deps = { ...localFiles, tables };
let base: JobBase | null = null;

port.on("message", (order: ThreadOrder) => {
  if (order.kind === "base") base = order.base;
  else if (order.kind === "table") tables.answer(order.key, order.table);
  else if (base !== null) void runJob(base, order, deps).then((outcome) => say({ kind: "outcome", outcome }));
});
