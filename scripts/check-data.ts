// Checks against recorded data that is not part of the repository: `npm run check:data -- <folder> [name...]`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CheckLine } from "./data-checks/check-line.ts";
import { kernelsCheck } from "./data-checks/kernels.ts";
import { measurementsCheck } from "./data-checks/measurements.ts";
import { modelsCheck } from "./data-checks/models.ts";
import { offloadTablesCheck } from "./data-checks/offload-tables.ts";
import { policiesCheck } from "./data-checks/policies.ts";
import { prefixCacheCheck } from "./data-checks/prefix-cache.ts";
import { requestsCheck } from "./data-checks/requests.ts";
import { routingImportCheck } from "./data-checks/routing-import.ts";
import { routingPresetsCheck } from "./data-checks/routing-presets.ts";
import { routingStatsCheck } from "./data-checks/routing-stats.ts";
import { seedsCheck } from "./data-checks/seeds.ts";
import { synthesisCheck } from "./data-checks/synthesis.ts";

interface DataCheck {
  readonly name: string;
  /** Sub-folders of the data folder it reads. */
  readonly folders: readonly string[];
  run(folder: string): Promise<readonly CheckLine[]>;
}

const checks: readonly DataCheck[] = [
  modelsCheck,
  requestsCheck,
  prefixCacheCheck,
  routingImportCheck,
  routingStatsCheck,
  synthesisCheck,
  routingPresetsCheck,
  policiesCheck,
  measurementsCheck,
  kernelsCheck,
  offloadTablesCheck,
  seedsCheck,
];

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  process.stderr.write(`usage: npm run check:data -- <data folder> [${checks.map((check) => check.name).join(" ")}]\n`);
  process.exit(2);
}
let passed = 0;
let failed = 0;
for (const check of checks) {
  if (names.length > 0 && !names.includes(check.name)) continue;
  const missing = check.folders.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    process.stderr.write(`${check.name}: missing below ${folder}: ${missing.join(", ")}\n`);
    process.exit(2);
  }
  const started = process.cpuUsage();
  const lines = await check.run(folder);
  const { user, system } = process.cpuUsage(started);
  for (const line of lines) {
    if (line.ok) passed++;
    else failed++;
    process.stdout.write(
      `${line.ok ? "ok  " : "FAIL"} ${check.name}: ${line.name}: expected ${line.expected}, found ${line.found}\n`,
    );
  }
  process.stdout.write(`     ${check.name}: ${lines.length} figures, ${((user + system) / 1e6).toFixed(1)} s of CPU\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
