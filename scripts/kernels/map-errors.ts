import { type KernelMap, linkFamilies } from "../../src/hardware/kernel-maps.ts";
import { deviceIds, deviceNamed } from "../../src/hardware/named-profiles.ts";
import { percent, row } from "./text.ts";

/** Families that this prints: experts, collectives and exchanges. */
const families: readonly KernelMap["family"][] = ["groupedGemm", ...linkFamilies];

/** Errors that the maps of all devices carry: of the fit and on held-out shapes. */
export function printMapErrors(): void {
  console.log("\nErrors of the maps that come with moecast");
  row(["device, kernels", "rows", "fit mean", "held mean", "held p90"], 56, 11);
  for (const id of deviceIds) {
    const kernels = deviceNamed(id).kernels;
    // A device without measurements of its own has the maps of a relative.
    if (kernels?.device !== id) continue;
    for (const { family, engine, format, fit } of kernels.maps) {
      if (!families.includes(family)) continue;
      const { fitError, heldOutError: held } = fit;
      row(
        [
          [id, family, engine, format].filter((part) => part !== undefined).join(" "),
          String(fit.rows),
          percent(fitError.mean),
          held === null ? "n/a" : percent(held.mean),
          held === null ? "n/a" : percent(held.p90),
        ],
        56,
        11,
      );
    }
  }
}
