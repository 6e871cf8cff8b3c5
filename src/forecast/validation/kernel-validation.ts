import { version } from "../../core/version.ts";
import { deviceIds } from "../../hardware/systems.ts";
import { gatherSamples } from "../kernels/gather-samples.ts";
import type { KernelSample } from "../kernels/kernel-sample.ts";
import { type KernelFamilyError, kernelErrors } from "./kernel-errors.ts";

/** Version of the document; raised on every incompatible change. */
export const kernelValidationSchemaVersion = 1;

/** Result of `moecast validate --kernels`: forecast kernel times against measured ones. */
export interface KernelValidation {
  readonly schemaVersion: typeof kernelValidationSchemaVersion;
  readonly kind: "kernel-validation";
  readonly engineVersion: string;
  /** What the forecasts had seen, in words. */
  readonly basis: string;
  /** Over all devices and families. */
  readonly overall: KernelFamilyError["error"];
  readonly families: readonly KernelFamilyError[];
  /** Tables that were compared. */
  readonly tables: readonly string[];
  /** Files and devices that were not, with the reason. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export interface KernelValidationOptions {
  /** Forecast every GPU with maps fitted on the others only. */
  readonly leaveOut?: "system" | null;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Errors of the kernel maps of the device profiles on the measured tables among files and folders. Reads files; throws
 * InvalidInputError for tables that cannot be read.
 */
export async function kernelValidation(
  files: readonly string[],
  { leaveOut = null, onProgress }: KernelValidationOptions = {},
): Promise<KernelValidation> {
  const gathered = await gatherSamples(files, onProgress === undefined ? {} : { onProgress });
  const byDevice = new Map<string, KernelSample[]>();
  for (const sample of gathered.samples) {
    const group = byDevice.get(sample.device);
    if (group === undefined) byDevice.set(sample.device, [sample]);
    else group.push(sample);
  }
  const known = new Map([...byDevice].filter(([device]) => deviceIds.includes(device)));
  const { families, overall } = kernelErrors(known, leaveOut);
  return {
    schemaVersion: kernelValidationSchemaVersion,
    kind: "kernel-validation",
    engineVersion: version,
    basis:
      leaveOut === null
        ? "maps of the device profiles"
        : "maps fitted on other GPUs only: those of the same architecture, else the two nearest in memory bandwidth",
    overall,
    families,
    tables: gathered.tables,
    skipped: [
      ...gathered.skipped.map((name) => ({ name, reason: "no table of measured kernels" })),
      ...[...byDevice.keys()]
        .filter((device) => !known.has(device))
        .map((name) => ({ name, reason: "no device profile" })),
    ],
  };
}
