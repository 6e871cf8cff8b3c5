import type { Check } from "./check.ts";
import { folders } from "./checks/folders.ts";
import { forecast } from "./checks/forecast.ts";
import { gpus } from "./checks/gpus.ts";
import { machine } from "./checks/machine.ts";
import { node } from "./checks/node.ts";
import { packages } from "./checks/packages.ts";
import { schema } from "./checks/schema.ts";
import { solvers } from "./checks/solvers.ts";
import { terminal } from "./checks/terminal.ts";

/** What `moecast doctor` looks at, in the order of its report. */
export const checks = {
  node,
  machine,
  terminal,
  forecast,
  solvers,
  packages,
  gpus,
  schema,
  folders,
} as const satisfies Record<string, Check>;
