/**
 * Runs the tiny checkpoints of test/fixtures on every backend that loads, and compares with what the published model classes
 * compute in float64: `npm run check:capture`. Exit code 1 when an expert, a logit or the number of tensors is wrong.
 */
import { backendIds, loadBackend } from "../src/capture/backends/backends.ts";
import { BackendUnavailable } from "../src/capture/backends/unavailable.ts";
import { textTable } from "../src/report/text-table.ts";
import { checkpointNames, execute, expectedOf } from "../test/capture/checkpoints.ts";

/** Largest error of the last position's logits that is accepted, relative to their norm. */
const logitErrorMax = 1e-3;

const rows: string[][] = [["backend", "device", "checkpoint", "other experts", "near ties", "logit error", "leaked"]];
let wrong = 0;
for (const id of backendIds) {
  const backend = await loadBackend(id).catch((error: unknown) => {
    if (!(error instanceof BackendUnavailable)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  });
  if (backend === null) continue;
  const { tf, device } = backend;
  for (const name of checkpointNames) {
    const expected = expectedOf(name);
    const before = tf.memory().numTensors;
    const [run] = await execute(tf, name, [expected.tokens]);
    const leaked = tf.memory().numTensors - before;
    const { routed, logits } = run!;
    const others = routed.reduce((sum, { ids }, layer) => {
      const reference = expected.routers[layer]!.ids.flat();
      return sum + reference.filter((expert, i) => ids[i] !== expert).length;
    }, 0);
    const nearTies = routed.reduce((sum, layer) => sum + layer.nearTies, 0);
    const last = logits.subarray(logits.length - expected.lastLogits.length);
    const norm = Math.hypot(...expected.lastLogits);
    const error = Math.hypot(...expected.lastLogits.map((value, i) => last[i]! - value)) / norm;
    if (others > nearTies * expected.routers.length || !(error <= logitErrorMax) || leaked !== 0) wrong++;
    rows.push([id, device, name, String(others), String(nearTies), error.toExponential(1), String(leaked)]);
  }
  backend.close();
}
process.stdout.write(
  `${textTable(rows, { align: ["left", "left", "left", "right", "right", "right", "right"] }).join("\n")}\n`,
);
if (wrong > 0) process.stderr.write(`${wrong} checkpoints are executed wrongly\n`);
process.exitCode = wrong > 0 ? 1 : 0;
