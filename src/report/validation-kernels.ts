import type { KernelFamilyError } from "../validate/kernels/kernel-errors.ts";
import type { KernelGroupError } from "../validate/kernels/kernel-groups.ts";
import type { KernelValidation } from "../validate/kernels/kernel-validation.ts";
import type { PageSection } from "./page.ts";
import { counted, definitionsSection, percentLabel, quietLines, signedLabel } from "./validation-labels.ts";
import type { DataCell, ValidationPage } from "./validation-page.ts";

/** Tables and files that are named one by one. */
const namesShown = 12;

/** A validation of kernel times, ready to be shown. */
export function kernelPage(validation: KernelValidation): ValidationPage {
  const { moecastVersion, basis, overall, groups, families, tables } = validation;
  return {
    title: "Validation on measured kernels",
    subtitle: quietLines([`moecast ${moecastVersion}, ${counted(tables.length, "table")}, forecasts by ${basis}`]),
    headline: [
      `kernel time error ${shareLabel(overall.median)} median, ${shareLabel(overall.mean)} mean, ` +
        `bias ${signedShare(overall.bias)} over ${counted(overall.rows, "kernel")}`,
    ],
    sections: [
      groupSection(groups),
      familySection(families),
      skippedSection(validation.skipped),
      definitionsSection({
        error: "100 (forecast / measured - 1) of one kernel, percent; repeated measurements count once",
        "held out": "on shapes that the committed maps had not seen when they were fitted",
        "maps of": "devices whose measurements the forecast stands on; none: efficiencies of the profile",
        "left out":
          "rows beyond the physical peak, served from the last-level cache, timing the host, of series known to time another kernel, or of untuned layouts, which take longer than larger ones",
      }),
    ],
    data: { header: dataHeader, rows: families.map(dataRow) },
  };
}

const shareLabel = (share: number): string => percentLabel(Number.isFinite(share) ? 100 * share : null);
const signedShare = (share: number): string => signedLabel(Number.isFinite(share) ? 100 * share : null);

function groupSection(groups: readonly KernelGroupError[]): PageSection {
  return {
    kind: "table",
    title: "Errors by kind of kernel",
    columns: [
      { header: "kernels" },
      { header: "device" },
      { header: "count", align: "right", dispensable: 3 },
      { header: "mean", align: "right" },
      { header: "median", align: "right" },
      { header: "p90", align: "right" },
      { header: "bias", align: "right" },
      { header: "held out", align: "right", dispensable: 6 },
      { header: "its median", align: "right", dispensable: 4 },
      { header: "its p90", align: "right", dispensable: 5 },
      { header: "left out", align: "right", dispensable: 2 },
    ],
    rows: groups.map(({ group, device, error, heldOut, leftOutRows }) => [
      familyLabel(group),
      device ?? "all",
      String(error.rows),
      shareLabel(error.mean),
      shareLabel(error.median),
      shareLabel(error.p90),
      signedShare(error.bias),
      ...(["mean", "median", "p90"] as const).map((key) => (heldOut === null ? "n/a" : shareLabel(heldOut[key]))),
      String(leftOutRows),
    ]),
  };
}

/** `latentAttention` as `latent attention`. */
const familyLabel = (family: string): string => family.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function familySection(families: readonly KernelFamilyError[]): PageSection {
  return {
    kind: "table",
    title: "Errors",
    note: "size of the error by device and family of kernels; bias is positive where the forecast is too slow",
    columns: [
      { header: "device" },
      { header: "family" },
      { header: "kernels", align: "right", dispensable: 3 },
      { header: "mean", align: "right" },
      { header: "median", align: "right" },
      { header: "p90", align: "right" },
      { header: "bias", align: "right" },
      { header: "held out", align: "right", dispensable: 5 },
      { header: "its p90", align: "right", dispensable: 4 },
      { header: "maps of", dispensable: 1 },
      { header: "left out", align: "right", dispensable: 2 },
    ],
    rows: families.map(({ device, family, error, heldOut, mapsOf, leftOutRows }) => [
      device,
      familyLabel(family),
      String(error.rows),
      shareLabel(error.mean),
      shareLabel(error.median),
      shareLabel(error.p90),
      signedShare(error.bias),
      heldOut === null ? "n/a" : shareLabel(heldOut.mean),
      heldOut === null ? "n/a" : shareLabel(heldOut.p90),
      mapsOf.join(", ") || "none",
      String(leftOutRows),
    ]),
  };
}

function skippedSection(skipped: KernelValidation["skipped"]): PageSection {
  const rest = skipped.length - namesShown;
  return {
    kind: "table",
    title: "Not compared",
    columns: [{ header: "" }, { header: "" }],
    rows: [
      ...skipped.slice(0, namesShown).map(({ name, reason }) => [name, reason]),
      ...(rest > 0 ? [[`and ${rest} more`, ""]] : []),
    ],
  };
}

const dataHeader = [
  "device",
  "family",
  "kernels",
  "mean_percent",
  "median_percent",
  "p90_percent",
  "bias_percent",
  "held_out_mean_percent",
  "held_out_p90_percent",
  "left_out_rows",
  "maps_of",
];

const dataRow = ({ device, family, error, heldOut, mapsOf, leftOutRows }: KernelFamilyError): DataCell[] => [
  device,
  family,
  error.rows,
  100 * error.mean,
  100 * error.median,
  100 * error.p90,
  100 * error.bias,
  heldOut === null ? null : 100 * heldOut.mean,
  heldOut === null ? null : 100 * heldOut.p90,
  leftOutRows,
  mapsOf.join(" "),
];
