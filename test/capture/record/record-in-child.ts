import { recordLayers } from "../../../src/capture/record/record-layers.ts";
import { openWorkFolder } from "../../../src/capture/record/work-folder.ts";
import { fakeExecutor, fakeJob } from "./fake-model.ts";

// Records the fake model into the folder of the first argument and kills itself before its n-th call, n the second.
const [path = "", calls = ""] = process.argv.slice(2);
let left = Number(calls);
const executor = fakeExecutor(() => {
  if (left-- === 0) process.kill(process.pid, "SIGKILL");
});
const folder = await openWorkFolder(path, { inputs: {}, startedAt: "then" }, false);
await recordLayers(fakeJob(executor), folder);
