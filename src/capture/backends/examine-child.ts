/** A process of its own for {@link examineBackend}: native code that crashes or hangs ends this one alone. */
import { examineBackend } from "./examine.ts";
import { BackendUnavailable } from "./unavailable.ts";

const report = (message: object) => process.send?.(message, () => process.exit(0));

examineBackend(process.argv[2] ?? "").then(
  (working) => report({ working }),
  (error: unknown) =>
    report({ reason: error instanceof BackendUnavailable ? error.message : String(error).split("\n")[0] }),
);
