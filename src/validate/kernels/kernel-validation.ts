import { type SkippedSamples, samplesByDevice } from "../../calibrate/kernel-tables/samples-by-device.ts";
import { version } from "../../core/version.ts";
import { inOneStretch } from "../../files/signals.ts";
import type { KernelError, KernelFamily } from "../../hardware/kernel-maps.ts";
import { deviceNamed } from "../../hardware/named-profiles.ts";
import { type ComparedFamily, compareAll, type KernelFamilyError } from "./kernel-errors.ts";
import { errorOver, groupErrors, type KernelGroupError } from "./kernel-groups.ts";
import { type FamilySamples, leftOutTotal, usableSamples } from "./usable-samples.ts";

/** Version of the document; raised on every incompatible change. */
export const kernelValidationSchemaVersion = 2;

/** Result of `moecast validate --kernels`: forecast kernel times against measured ones. */
export interface KernelValidation {
  readonly schemaVersion: typeof kernelValidationSchemaVersion;
  readonly kind: "kernel-validation";
  readonly moecastVersion: string;
  /** What the forecasts had seen, in words. */
  readonly basis: string;
  /** Over all devices and families. */
  readonly overall: KernelError;
  /** By kind of kernel: over all devices and, where whole GPUs were left out, on each. */
  readonly groups: readonly KernelGroupError[];
  readonly families: readonly KernelFamilyError[];
  /** Tables that were compared. */
  readonly tables: readonly string[];
  /** Files, devices and families that were not, with the reason. */
  readonly skipped: readonly SkippedSamples[];
}

export interface KernelValidationOptions {
  /** Forecast every GPU with maps fitted on the others only. */
  readonly leaveOut?: "system" | null;
  readonly onProgress?: (done: number, total: number) => void;
}

type Usable = ReadonlyMap<KernelFamily, FamilySamples>;

/**
 * Errors of the kernel maps of the device profiles on the measured tables among files and folders. Reads files, one
 * device after another; what is held at a time is one device or, with `leaveOut`, the usable kernels of all. Throws
 * InvalidInputError for tables that cannot be read.
 */
export async function kernelValidation(
  files: readonly string[],
  { leaveOut = null, onProgress }: KernelValidationOptions = {},
): Promise<KernelValidation> {
  const skipped: SkippedSamples[] = [];
  const tables: string[] = [];
  const compared: ComparedFamily[] = [];
  const all = new Map<string, Usable>();
  const devices = samplesByDevice(files, {
    ...(onProgress === undefined ? {} : { onProgress }),
    onSkipped: (one) => skipped.push(one),
  });
  for await (const { device, samples, tables: read } of devices) {
    tables.push(...read);
    const usable = inOneStretch(() => usableSamples(samples, deviceNamed(device)));
    skipped.push(...withoutUsable(device, usable));
    if (leaveOut === null) compared.push(...inOneStretch(() => compareAll(new Map([[device, usable]]), null)));
    else all.set(device, usable);
  }
  if (leaveOut !== null) compared.push(...inOneStretch(() => compareAll(all, leaveOut)));
  const ordered = compared.toSorted((a, b) => (a.result.device < b.result.device ? -1 : 1));
  return {
    schemaVersion: kernelValidationSchemaVersion,
    kind: "kernel-validation",
    moecastVersion: version,
    basis:
      leaveOut === null
        ? "maps of the device profiles"
        : "maps fitted on other GPUs only: those of the same architecture, else all others",
    overall: errorOver(ordered),
    groups: groupErrors(ordered, leaveOut !== null),
    families: ordered.map(({ result }) => result),
    tables,
    skipped,
  };
}

/** Families of a device all of whose rows are left out. */
function withoutUsable(device: string, usable: Usable): SkippedSamples[] {
  return Array.from(usable, ([family, { kept, leftOut }]) =>
    kept.length > 0 ? [] : { name: `${device} ${family}`, reason: `all ${leftOutTotal(leftOut)} rows left out` },
  ).flat();
}
